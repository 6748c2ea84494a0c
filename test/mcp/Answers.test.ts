import { AjvJsonSchemaValidator } from "@modelcontextprotocol/sdk/validation/ajv"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { ReloadFailed } from "../../src/config/errors.ts"
import { CommandDenied, ConfigUnusable, HostNotFound } from "../../src/fleet/errors.ts"
import { findTool } from "../../src/mcp/Catalogue.ts"
import type { Orchestrator } from "../../src/Orchestrator.ts"
import { InvalidCursor, TaskNotFinished, TaskNotFound } from "../../src/task/errors.ts"
import { DENIAL, RUN_RESULT, scripted, TASK_ID, TASK_REPORT } from "./ScriptedOrchestrator.ts"

type Service = Orchestrator["Service"]

const validators = new AjvJsonSchemaValidator()

/** Calls a tool on a scripted orchestrator; an answer is checked against the tool's output schema. */
const call = (name: string, args: Record<string, unknown>, members: Partial<Service>) =>
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

const LIMITS = {
  max_seconds: 60,
  max_output_bytes: 1_048_576,
  task_result_ttl: 300,
  task_progress_interval: 5,
  sync_wait_seconds: 45,
  max_result_bytes: 65_536
}

const PLAN = {
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

const PROMOTED = {
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

const fleet = (successful: number, failed: number) => ({
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

const HOST = { alias: "web1", host: "web1.example", port: 22, tags: ["web"], description: "", has_credentials: true }
const RUN = { alias: "web1", command: "uptime" }
const ON_TAG = { tag: "web", command: "uptime" }
const PING = { alias: "web1", target_ip: "192.0.2.1", latency_ms: 3 }
const PONG = {
  status: "pong" as const,
  version: "2.0.0",
  uptime_seconds: 1,
  hosts: 2,
  tasks_running: 0,
  config_problems: []
}

describe("answers", () => {
  const cases: ReadonlyArray<
    readonly [fact: string, tool: string, args: Record<string, unknown>, members: Partial<Service>, isError: boolean]
  > = [
    ["a pong", "ssh_ping", {}, { status: Effect.succeed(PONG) }, false],
    [
      "a reachable host",
      "ssh_ping",
      { alias: "web1" },
      { ping: () => Effect.succeed({ ...PING, status: "reachable" }) },
      false
    ],
    [
      "an unreachable host",
      "ssh_ping",
      { alias: "web1" },
      { ping: () => Effect.succeed({ ...PING, status: "unreachable", error: "SSH connection timeout" }) },
      false
    ],
    [
      "a denied ping",
      "ssh_ping",
      { alias: "web1" },
      { ping: () => Effect.succeed({ ...PING, status: "denied" }) },
      true
    ],
    [
      "a page of hosts",
      "ssh_list_hosts",
      {},
      { listHosts: () => Effect.succeed({ hosts: ["web1"], count: 1, tags: { web: 1 }, next_cursor: "c" }) },
      false
    ],
    [
      "a host",
      "ssh_describe_host",
      { alias: "web1" },
      {
        describeHost: () => Effect.succeed({ ...HOST, jump: ["bastion"], limits: LIMITS, network: { allowed: true } })
      },
      false
    ],
    ["a plan that says no", "ssh_plan", RUN, { plan: () => Effect.succeed(PLAN) }, false],
    ["a completed run", "ssh_run", RUN, { run: () => Effect.succeed(RUN_RESULT) }, false],
    [
      "a failed run",
      "ssh_run",
      RUN,
      { run: () => Effect.succeed({ ...RUN_RESULT, status: "failed", exit_code: 1 }) },
      true
    ],
    [
      "a run that timed out",
      "ssh_run",
      RUN,
      {
        run: () => Effect.succeed({ ...RUN_RESULT, status: "timeout", exit_code: -1, timeout: true, next_cursor: "c" })
      },
      true
    ],
    [
      "a cancelled run",
      "ssh_run",
      RUN,
      { run: () => Effect.succeed({ ...RUN_RESULT, status: "cancelled", exit_code: -1, cancelled: true }) },
      true
    ],
    ["a promoted run", "ssh_run", RUN, { run: () => Effect.succeed(PROMOTED) }, false],
    ["a denied run", "ssh_run", RUN, { run: () => Effect.fail(new CommandDenied({ denial: DENIAL })) }, true],
    [
      "a started task",
      "ssh_run_async",
      RUN,
      {
        start: () =>
          Effect.succeed({
            task_id: TASK_ID,
            status: "pending",
            keepAlive: 300,
            pollFrequency: 5,
            alias: "web1",
            command: "uptime",
            hash: "0123456789abcdef"
          })
      },
      false
    ],
    ["a denied start", "ssh_run_async", RUN, { start: () => Effect.fail(new CommandDenied({ denial: DENIAL })) }, true],
    ["a fan-out with a success", "ssh_run_on_tag", ON_TAG, { runOnTag: () => Effect.succeed(fleet(1, 2)) }, false],
    ["a fan-out without a success", "ssh_run_on_tag", ON_TAG, { runOnTag: () => Effect.succeed(fleet(0, 3)) }, true],
    [
      "a fan-out that matched nothing",
      "ssh_run_on_tag",
      ON_TAG,
      { runOnTag: () => Effect.succeed({ tag: "web", results: [], note: "No hosts matched." }) },
      false
    ],
    [
      "a promoted fan-out",
      "ssh_run_on_tag",
      ON_TAG,
      { runOnTag: () => Effect.succeed({ ...PROMOTED, tag: "web" }) },
      false
    ],
    [
      "a denied fan-out",
      "ssh_run_on_tag",
      ON_TAG,
      { runOnTag: () => Effect.fail(new CommandDenied({ denial: DENIAL })) },
      true
    ],
    [
      "the state of a failed task",
      "ssh_get_task_status",
      { task_id: TASK_ID },
      {
        taskStatus: () =>
          Effect.succeed({ ...TASK_REPORT, status: "failed", exit_code: 1, status_message: "exit code 1" })
      },
      false
    ],
    [
      "a page of output",
      "ssh_get_task_output",
      { task_id: TASK_ID },
      {
        taskOutput: () =>
          Effect.succeed({
            task_id: TASK_ID,
            status: "running",
            output_lines: ["a"],
            total_lines: 1,
            has_more: false,
            next_cursor: "c",
            dropped_lines: 0,
            partial_line: "b"
          })
      },
      false
    ],
    [
      "a task's result",
      "ssh_get_task_result",
      { task_id: TASK_ID },
      { taskResult: () => Effect.succeed(RUN_RESULT) },
      false
    ],
    [
      "the result of a task that failed",
      "ssh_get_task_result",
      { task_id: TASK_ID },
      { taskResult: () => Effect.succeed({ ...RUN_RESULT, status: "failed", exit_code: 1 }) },
      true
    ],
    [
      "a fan-out's result",
      "ssh_get_task_result",
      { task_id: TASK_ID },
      { taskResult: () => Effect.succeed(fleet(2, 1)) },
      false
    ],
    [
      "a fan-out's failure",
      "ssh_get_task_result",
      { task_id: TASK_ID },
      { taskResult: () => Effect.succeed(fleet(0, 3)) },
      true
    ],
    [
      "a result that is not there yet",
      "ssh_get_task_result",
      { task_id: TASK_ID },
      { taskResult: () => Effect.fail(new TaskNotFinished({ taskId: TASK_ID, status: "running", pollFrequency: 5 })) },
      true
    ],
    [
      "a list of tasks",
      "ssh_list_tasks",
      {},
      { listTasks: () => Effect.succeed({ tasks: [TASK_REPORT], next_cursor: "c" }) },
      false
    ],
    [
      "a cancelled task",
      "ssh_cancel_task",
      { task_id: TASK_ID },
      {
        cancel: () =>
          Effect.succeed({
            task_id: TASK_ID,
            cancelled: true,
            message: "Cancelled",
            remote_stopped: "confirmed" as const
          })
      },
      false
    ],
    [
      "a reload",
      "ssh_reload_config",
      {},
      {
        reload: Effect.succeed({
          status: "reloaded",
          hosts: 2,
          rules: 3,
          changed: { added: ["a"], removed: [], modified: ["b"] }
        })
      },
      false
    ],
    [
      "a failed reload",
      "ssh_reload_config",
      {},
      { reload: Effect.fail(new ReloadFailed({ problems: ["servers.yml:1:1: x"] })) },
      true
    ]
  ]
  for (const [fact, tool, args, members, isError] of cases) {
    it.effect(`${fact} conforms to the output schema and is ${isError ? "an error" : "no error"}`, () =>
      Effect.gen(function* () {
        const result = yield* call(tool, args, members)
        assert.strictEqual(result._tag, "Answered")
        if (result._tag === "Answered") assert.strictEqual(result.isError, isError)
      })
    )
  }

  it.effect("a result asked for too early says so, names the seconds to wait and the way to wait", () =>
    Effect.gen(function* () {
      const result = yield* call(
        "ssh_get_task_result",
        { task_id: TASK_ID },
        { taskResult: () => Effect.fail(new TaskNotFinished({ taskId: TASK_ID, status: "running", pollFrequency: 7 })) }
      )
      assert.deepInclude(result, { _tag: "Answered", isError: true })
      const text = JSON.stringify(result)
      assert.include(text, "still running")
      assert.include(text, "in 7 seconds")
      assert.include(text, "wait_seconds")
    })
  )

  it.effect("nothing leaves that the output schema does not name", () =>
    Effect.gen(function* () {
      const result = yield* call("ssh_run", RUN, {
        run: () => Effect.succeed(Object.assign({}, RUN_RESULT, { password: "hunter2" }))
      })
      assert.notInclude(JSON.stringify(result), "hunter2")
    })
  )

  it.effect("the request reaches the orchestrator as it was made", () =>
    Effect.gen(function* () {
      const seen: Array<unknown> = []
      yield* call(
        "ssh_run",
        { ...RUN, timeout_seconds: 9 },
        { run: (request) => Effect.sync(() => (seen.push(request), RUN_RESULT)) }
      )
      yield* call(
        "ssh_run_on_tag",
        { ...ON_TAG, concurrency: 4, batch: [1, "10%"], max_failures: 0, only: ["web1"] },
        { runOnTag: (request) => Effect.sync(() => (seen.push(request), fleet(1, 0))) }
      )
      yield* call(
        "ssh_get_task_result",
        { task_id: TASK_ID, wait_seconds: 3 },
        { taskResult: (id, seconds) => Effect.sync(() => (seen.push([id, seconds]), RUN_RESULT)) }
      )
      assert.deepStrictEqual(seen, [
        { ...RUN, client: "mcp:test", timeoutSeconds: 9 },
        { ...ON_TAG, client: "mcp:test", concurrency: 4, batch: ["1", "10%"], maxFailures: "0", only: ["web1"] },
        [TASK_ID, 3]
      ])
    })
  )

  const rejections: ReadonlyArray<readonly [string, Record<string, unknown>, Partial<Service>, string]> = [
    ["ssh_plan", RUN, { plan: () => Effect.fail(new HostNotFound({ alias: "web1" })) }, "Host alias not found: web1"],
    ["ssh_run", RUN, { run: () => Effect.fail(new ConfigUnusable({ problems: ["p"] })) }, "Configuration error: p"],
    ["ssh_list_hosts", {}, { listHosts: () => Effect.fail(new InvalidCursor()) }, "cursor is not valid"],
    [
      "ssh_get_task_status",
      { task_id: TASK_ID },
      { taskStatus: (taskId) => Effect.fail(new TaskNotFound({ taskId })) },
      `Task not found: ${TASK_ID}`
    ],
    [
      "ssh_get_task_result",
      { task_id: TASK_ID },
      { taskResult: (taskId) => Effect.fail(new TaskNotFound({ taskId })) },
      `Task not found or expired: ${TASK_ID}`
    ]
  ]
  for (const [tool, args, members, text] of rejections) {
    it.effect(`${tool} answers "${text.slice(0, 30)}" as a text without structured content`, () =>
      Effect.gen(function* () {
        const result = yield* call(tool, args, members)
        assert.isTrue(result._tag === "Rejected" && result.text.startsWith(`Error: ${text}`), JSON.stringify(result))
      })
    )
  }
})
