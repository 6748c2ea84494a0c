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
    "Start a shell command on one host in the background and return its task_id at once. Use it for work beyond some 45 s or several commands side by side; for short ones ssh_run is simpler, for many hosts use ssh_run_on_tag. Policy decides as for ssh_run: a denial starts nothing. It may change the host; the host's max_seconds still ends it. Next: ssh_get_task_result with wait_seconds for the end, ssh_get_task_output to read along, ssh_cancel_task to stop it. The result is kept keepAlive seconds after the end.",
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
