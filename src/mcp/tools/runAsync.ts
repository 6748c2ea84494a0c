import { Effect, Schema } from "effect"
import { Orchestrator } from "../../Orchestrator.ts"
import { Denial } from "../../policy/Denial.ts"
import { Started } from "../../task/RunResult.ts"
import { alias, command, timeoutSeconds } from "../Fields.ts"
import { answered, defineTool } from "../Tool.ts"

/** One command on one host, not waited for. */
export const runAsync = defineTool({
  name: "ssh_run_async",
  title: "Start a command on a host",
  description:
    "Start a command on one host and return its task_id at once. For work longer than some 45 s, or several commands side by side; for short commands ssh_run is simpler. Policy decides as for ssh_run. Then: ssh_get_task_result with wait_seconds to wait for the end, ssh_get_task_output to read along, ssh_get_task_status for progress, ssh_cancel_task to stop it. The result is kept keepAlive seconds after the end.",
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: true },
  input: Schema.Struct({ alias, command, timeout_seconds: Schema.optionalKey(timeoutSeconds) }),
  output: Schema.Union([Started, Denial]),
  run: ({ alias, command, timeout_seconds }, { client }) =>
    Orchestrator.use((orchestrator) =>
      orchestrator.start({
        alias,
        command,
        client,
        ...(timeout_seconds === undefined ? {} : { timeoutSeconds: timeout_seconds })
      })
    ).pipe(
      Effect.map(answered),
      Effect.catchTag("CommandDenied", ({ denial }) => Effect.succeed({ value: denial, isError: true }))
    )
})
