import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { ReloadFailed } from "../../src/config/errors.ts"
import { CommandDenied } from "../../src/fleet/errors.ts"
import type { Orchestrator } from "../../src/Orchestrator.ts"
import { TaskNotFinished } from "../../src/task/errors.ts"
import { DENIAL, RUN_RESULT, TASK_ID, TASK_REPORT } from "./ScriptedOrchestrator.ts"
import { call, fleet, LIMITS, ON_TAG, PLAN, PROMOTED, RUN } from "./ScriptedAnswers.ts"

type Service = Orchestrator["Service"]

const HOST = { alias: "web1", host: "web1.example", port: 22, tags: ["web"], description: "", has_credentials: true }
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
})
