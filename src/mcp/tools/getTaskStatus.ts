import { Effect, Schema } from "effect"
import { Orchestrator } from "../../Orchestrator.ts"
import { TaskReport } from "../../task/TaskReport.ts"
import { taskId } from "../Fields.ts"
import { knownTaskId } from "../KnownTaskId.ts"
import { answered, defineTool } from "../Tool.ts"

/** The state of one task. */
export const getTaskStatus = defineTool({
  name: "ssh_get_task_status",
  title: "Get a task's state",
  description:
    "Show the state of one task at once: status, progress_percent, elapsed_ms, bytes and lines of output so far, exit_code once it ended. Read-only; poll at most every pollFrequency seconds. To wait for the end use ssh_get_task_result with wait_seconds, for output text ssh_get_task_output, for all tasks ssh_list_tasks. An unknown task, or one that expired keepAlive seconds after its end, is an error.",
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  input: Schema.Struct({ task_id: taskId }),
  output: TaskReport,
  run: ({ task_id }) =>
    Orchestrator.use((orchestrator) =>
      knownTaskId(task_id).pipe(Effect.flatMap(orchestrator.taskStatus), Effect.map(answered))
    )
})
