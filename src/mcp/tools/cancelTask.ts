import { Effect, Option, Schema } from "effect"
import { Orchestrator } from "../../Orchestrator.ts"
import { CancelReport } from "../../task/TaskReport.ts"
import { taskId } from "../Fields.ts"
import { taskIdOption } from "../KnownTaskId.ts"
import { shownTaskId } from "../SafeText.ts"
import { answered, defineTool } from "../Tool.ts"

/** The answer to a text that is no task id: the same as to an unknown id. */
const unknownTask = (text: string): CancelReport => ({
  task_id: shownTaskId(text),
  cancelled: false,
  message: "Task not found",
  remote_stopped: "not_started"
})

/** Stops one task. */
export const cancelTask = defineTool({
  name: "ssh_cancel_task",
  title: "Cancel a task",
  description:
    "Stop a pending or running task and its process on the host (TERM, after 2 s KILL); a tag run on all its hosts. What the command already did stays done. Answers when the outcome is known: remote_stopped is confirmed, unconfirmed (may still run: check the host) or not_started. An unknown or ended task is no error: cancelled is false, so repeating is safe. Output so far stays readable with ssh_get_task_output.",
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: true },
  input: Schema.Struct({ task_id: taskId }),
  output: CancelReport,
  run: ({ task_id }) =>
    Orchestrator.use((orchestrator) =>
      Effect.map(
        Option.match(taskIdOption(task_id), {
          onNone: () => Effect.succeed(unknownTask(task_id)),
          onSome: orchestrator.cancel
        }),
        answered
      )
    )
})
