import { Effect, Schema } from "effect"
import { FleetResult } from "../../fleet/FleetResult.ts"
import { Orchestrator } from "../../Orchestrator.ts"
import { Denial } from "../../policy/Denial.ts"
import { Promoted } from "../../task/RunResult.ts"
import { batch, command, concurrency, maxFailures, only, tag, timeoutSeconds } from "../Fields.ts"
import { ofFleet } from "../Outcome.ts"
import { answered, defineTool } from "../Tool.ts"

/** One command on every host of a tag, waited for. */
export const runOnTag = defineTool({
  name: "ssh_run_on_tag",
  title: "Run a command on all hosts of a tag",
  description:
    "Run one command on every host of a tag, in parallel, and wait for all results. Policy decides for each host. For a risky change roll out in batches with max_failures. Returns a result a host, groups of hosts with the same output, failed_hosts (pass them as only to retry), not_started and a summary. Still running after some 45 s: status running and one task_id for the whole; ssh_get_task_result waits for it, ssh_cancel_task stops it. For one host use ssh_run.",
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: true },
  input: Schema.Struct({
    tag,
    command,
    timeout_seconds: Schema.optionalKey(timeoutSeconds),
    concurrency: Schema.optionalKey(concurrency),
    batch: Schema.optionalKey(batch),
    max_failures: Schema.optionalKey(maxFailures),
    only: Schema.optionalKey(only)
  }),
  output: Schema.Union([FleetResult, Promoted, Denial]),
  run: ({ batch, command, concurrency, max_failures, only, tag, timeout_seconds }, { client }) =>
    Orchestrator.use((orchestrator) =>
      orchestrator.runOnTag({
        tag,
        command,
        client,
        ...(timeout_seconds === undefined ? {} : { timeoutSeconds: timeout_seconds }),
        ...(concurrency === undefined ? {} : { concurrency }),
        ...(batch === undefined ? {} : { batch: batch.map(String) }),
        ...(max_failures === undefined ? {} : { maxFailures: String(max_failures) }),
        ...(only === undefined ? {} : { only })
      })
    ).pipe(
      Effect.map((result) => ("results" in result ? ofFleet(result) : answered(result))),
      Effect.catchTag("CommandDenied", ({ denial }) => Effect.succeed({ value: denial, isError: true }))
    )
})
