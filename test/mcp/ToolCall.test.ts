import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { ConfigUnusable, HostNotFound } from "../../src/fleet/errors.ts"
import type { Orchestrator } from "../../src/Orchestrator.ts"
import { InvalidCursor, TaskNotFinished, TaskNotFound } from "../../src/task/errors.ts"
import { RUN_RESULT, TASK_ID } from "./ScriptedOrchestrator.ts"
import { ON_TAG, call, fleet, RUN } from "./ScriptedAnswers.ts"

type Service = Orchestrator["Service"]

describe("a tool call", () => {
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
