import { AjvJsonSchemaValidator } from "@modelcontextprotocol/sdk/validation/ajv"
import { assert } from "@effect/vitest"
import { Effect } from "effect"
import { findTool } from "../../src/mcp/ProductTools.ts"
import type { Orchestrator } from "../../src/Orchestrator.ts"
import { RUN_RESULT, scripted, TASK_ID } from "./ScriptedOrchestrator.ts"

type Service = Orchestrator["Service"]

const validators = new AjvJsonSchemaValidator()

/** Calls a tool on a scripted orchestrator; an answer is checked against the tool's output schema. */
export const call = (name: string, args: Record<string, unknown>, members: Partial<Service>) =>
  Effect.gen(function* () {
    const tool = findTool(name)
    assert.isDefined(tool, name)
    const result = yield* tool.call(args, { client: "mcp:test" }).pipe(Effect.provide(scripted(members)))
    if (result._tag === "Answered") {
      const checked = validators.getValidator({ ...tool.outputSchema() })(result.value)
      assert.isTrue(checked.valid, `${name}: ${checked.errorMessage}`)
    }
    return result
  })

/** The limits of a host as an answer shows them. */
export const LIMITS = {
  max_seconds: 60,
  max_output_bytes: 1_048_576,
  task_result_ttl: 300,
  task_progress_interval: 5,
  sync_wait_seconds: 45,
  max_result_bytes: 65_536
}

/** A plan that says no. */
export const PLAN = {
  alias: "web1",
  command: "reboot",
  hash: "0123456789abcdef",
  allowed: false,
  commands: [{ text: "reboot", argv: ["reboot"], allowed: false, code: "no_rule", reason: "no rule allows it" }],
  nearest: [{ rule: "r1", pattern: "uptime*" }],
  why: "Policy blocked this command.",
  hint: "Hint",
  network: { allowed: true, addresses: ["192.0.2.1"] },
  limits: LIMITS
}

/** A run that outlasted its call. */
export const PROMOTED = {
  task_id: TASK_ID,
  status: "running" as const,
  alias: "web1",
  hash: "0123456789abcdef",
  output: "so far",
  next_cursor: "c1",
  hint: "Read on."
}

const summary = (successful: number, failed: number) => ({
  total_hosts: successful + failed,
  successful,
  failed,
  cancelled: 0,
  timeout: 0,
  denied: 0
})

/** The end of a fan-out with so many successes and failures. */
export const fleet = (successful: number, failed: number) => ({
  task_id: `tag.web:0123456789abcdef:${"0".repeat(26)}`,
  tag: "web",
  command: "uptime",
  hosts_matched: successful + failed,
  results: [
    RUN_RESULT,
    { ...RUN_RESULT, alias: "web2", status: "failed" as const, exit_code: -1, exit_signal: "SIGKILL", redacted: 2 },
    { alias: "web3", denied: true as const, reason: "policy" as const, hint: "Hint" }
  ],
  groups: [{ hosts: ["web1", "web4"], output: "up\n" }],
  failed_hosts: ["web2"],
  not_started: [],
  summary: summary(successful, failed)
})

/** The arguments of a run. */
export const RUN = { alias: "web1", command: "uptime" }

/** The arguments of a fan-out. */
export const ON_TAG = { tag: "web", command: "uptime" }
