import { Effect, Schema } from "effect"
import { Orchestrator } from "../../Orchestrator.ts"
import { TaskReport } from "../../task/TaskReport.ts"
import { alias, cursor, status } from "../Fields.ts"
import { answered, defineTool } from "../Tool.ts"

const TaskList = Schema.Struct({
  tasks: Schema.Array(TaskReport),
  next_cursor: Schema.optionalKey(Schema.String)
})

/** The tasks that are kept, page by page. */
export const listTasks = defineTool({
  name: "ssh_list_tasks",
  title: "List tasks",
  description:
    "List running and recently ended tasks, newest first, 100 a page: pass next_cursor back as cursor. status and alias keep only matching tasks. Use it to find a task_id you lost, or what is still running before you start or change something. Ended tasks leave the list when their result expires.",
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  input: Schema.Struct({
    status: Schema.optionalKey(status),
    alias: Schema.optionalKey(alias),
    cursor: Schema.optionalKey(cursor)
  }),
  output: TaskList,
  run: (input) => Orchestrator.use((orchestrator) => Effect.map(orchestrator.listTasks(input), answered))
})
