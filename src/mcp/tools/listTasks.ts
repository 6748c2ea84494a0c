import { Effect, Schema } from "effect"
import { Orchestrator } from "../../Orchestrator.ts"
import { TaskReport } from "../../task/TaskReport.ts"
import { alias, cursor, status } from "../Fields.ts"
import { answered, defineTool } from "../Tool.ts"
import { briefly } from "../WireSchema.ts"

const TaskList = Schema.Struct({
  tasks: Schema.Array(briefly(TaskReport)),
  next_cursor: Schema.optionalKey(Schema.String)
})

/** The tasks that are kept, page by page. */
export const listTasks = defineTool({
  name: "ssh_list_tasks",
  title: "List tasks",
  description:
    "List running and recently ended tasks, newest first, 100 a page. Use it to find a lost task_id, or what still runs before you start or change something. status and alias together narrow the list. A tag run is one entry of kind fan_out beside those of its hosts. Read-only; ended tasks leave the list when their result expires. For one task use ssh_get_task_status, for its output ssh_get_task_output.",
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  input: Schema.Struct({
    status: Schema.optionalKey(status),
    alias: Schema.optionalKey(alias.annotate({ description: 'Only tasks of this host, e.g. "web-1". Default: all.' })),
    cursor: Schema.optionalKey(cursor)
  }),
  output: TaskList,
  run: (input) => Orchestrator.use((orchestrator) => Effect.map(orchestrator.listTasks(input), answered))
})
