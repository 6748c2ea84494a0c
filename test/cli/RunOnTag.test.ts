import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Latch } from "effect"
import type { TagRequest } from "../../src/Orchestrator.ts"
import type { FleetResult } from "../../src/fleet/FleetResult.ts"
import { HINTS } from "../../src/policy/Denial.ts"
import { invoke } from "./CliHarness.ts"
import { parentTask, recordCancel, result, type Service } from "./ScriptedRuns.ts"

describe("run --tag", () => {
  const summary = { total_hosts: 2, successful: 2, failed: 0, cancelled: 0, timeout: 0, denied: 0 }
  const fleet: FleetResult = {
    tag: "web",
    results: [result(), result({ alias: "web-2" })],
    failed_hosts: [],
    not_started: [],
    summary
  }
  const answers = (end: FleetResult, requests: Array<TagRequest> = []): Partial<Service> => ({
    runOnTagToEnd: (request) =>
      Effect.gen(function* () {
        requests.push(request)
        if (request.onOutput !== undefined) {
          yield* request.onOutput("web-1", { stream: "stdout", text: "one\ntw" })
          yield* request.onOutput("web-2", { stream: "stderr", text: "oh\n" })
          yield* request.onOutput("web-1", { stream: "stdout", text: "o\nrest" })
        }
        return end
      }),
    listTasks: () => Effect.succeed({ tasks: [] })
  })

  it.effect("puts the alias before each whole line and keeps the streams apart", () =>
    Effect.gen(function* () {
      const requests: Array<TagRequest> = []
      const args = ["run", "--tag", "web", "uptime", "--concurrency", "2", "--batch", "1,50%", "--max-failures", "10%"]
      const outcome = yield* invoke([...args, "--only", "web-1,web-2", "--timeout", "5"], {
        orchestrator: answers(fleet, requests)
      })
      assert.strictEqual(outcome.exitCode, 0)
      assert.strictEqual(outcome.stdout, "web-1: one\nweb-1: two\nweb-1: rest\n")
      assert.strictEqual(outcome.stderr, "web-2: oh\ntag web: 2 of 2 hosts succeeded\n")
      assert.deepInclude(requests[0], {
        tag: "web",
        command: "uptime",
        concurrency: 2,
        batch: ["1", "50%"],
        maxFailures: "10%",
        only: ["web-1", "web-2"],
        timeoutSeconds: 5,
        client: "cli"
      })
    })
  )

  it.effect("fails and names the hosts when one did not succeed", () =>
    Effect.gen(function* () {
      const end: FleetResult = {
        ...fleet,
        results: [
          result({ status: "failed", exit_code: 4 }),
          { alias: "web-2", denied: true, reason: "policy", hint: HINTS.policy }
        ],
        not_started: ["web-3"],
        summary: { ...summary, total_hosts: 3, successful: 0, failed: 1, denied: 1 }
      }
      const outcome = yield* invoke(["run", "--tag", "web", "uptime"], { orchestrator: answers(end) })
      assert.strictEqual(outcome.exitCode, 1)
      assert.include(outcome.stderr, "web-1: failed with exit code 4\n")
      assert.include(outcome.stderr, `web-2: denied (policy): ${HINTS.policy}\n`)
      assert.include(outcome.stderr, "not started: web-3\n")
      assert.include(outcome.stderr, "tag web: 0 of 3 hosts succeeded, 1 failed, 1 denied, 1 not started\n")
    })
  )

  it.effect("fails when no host matched", () =>
    Effect.gen(function* () {
      const end: FleetResult = { tag: "none", results: [], note: "No hosts matched." }
      const outcome = yield* invoke(["run", "--tag", "none", "uptime", "--json"], { orchestrator: answers(end) })
      assert.strictEqual(outcome.exitCode, 1)
      assert.deepStrictEqual(JSON.parse(outcome.stdout), end)
      assert.include(outcome.stderr, "No hosts matched.")
    })
  )

  it.effect("rewrites one line on a terminal and none elsewhere", () =>
    Effect.gen(function* () {
      const asked = yield* Latch.make()
      const orchestrator: Partial<Service> = {
        runOnTagToEnd: () => Effect.as(Effect.andThen(asked.await, Effect.yieldNow), fleet),
        listTasks: () => Effect.as(asked.open, { tasks: [parentTask] })
      }
      const shown = yield* invoke(["run", "--tag", "web", "uptime"], { orchestrator, stderrIsTerminal: true })
      assert.strictEqual(shown.stderr, "0 s: 0 done, 0 running, 0 waiting\r\u001b[Ktag web: 2 of 2 hosts succeeded\n")
      const hidden = yield* invoke(["run", "--tag", "web", "uptime"], { orchestrator })
      assert.strictEqual(hidden.stderr, "tag web: 2 of 2 hosts succeeded\n")
    })
  )

  it.effect("cancels the fan-out when interrupted and still prints the summary", () =>
    Effect.gen(function* () {
      const waiting = yield* Latch.make()
      const ended = yield* Deferred.make<FleetResult>()
      const cancelled: Array<string> = []
      const end: FleetResult = {
        ...fleet,
        results: [result({ status: "cancelled", exit_code: -1, cancelled: true })],
        summary: { ...summary, total_hosts: 1, successful: 0, cancelled: 1 }
      }
      const outcome = yield* invoke(["run", "--tag", "web", "uptime"], {
        interruptAfter: waiting.await,
        orchestrator: {
          runOnTagToEnd: () => Effect.andThen(waiting.open, Deferred.await(ended)),
          listTasks: () => Effect.succeed({ tasks: [parentTask] }),
          cancel: (id) => Effect.andThen(Deferred.succeed(ended, end), recordCancel(cancelled)(id))
        }
      })
      assert.deepStrictEqual([outcome.exitCode, cancelled], [130, [parentTask.task_id]])
      assert.include(outcome.stderr, "tag web: cancelled; the remote process is confirmed stopped\n")
      assert.include(outcome.stderr, "tag web: 0 of 1 hosts succeeded, 1 cancelled\n")
    })
  )
})
