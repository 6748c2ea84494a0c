import { assert, describe, it } from "@effect/vitest"
import { Effect, Latch, Sink } from "effect"
import { TestClock } from "effect/testing"
import { CommandDenied, HostNotFound, type RunRequest } from "../../src/Orchestrator.ts"
import { HINTS } from "../../src/policy/Denial.ts"
import type { RunResult } from "../../src/task/RunResult.ts"
import { invoke } from "./CliHarness.ts"
import { parentTask, recordCancel, result, runs, type Service, TASK } from "./ScriptedRuns.ts"

const denial = new CommandDenied({
  denial: {
    status: "denied",
    reason: "policy",
    alias: "web-1",
    hash: "0123456789abcdef",
    detail: "No rule allows it",
    hint: HINTS.policy
  }
})

describe("run HOST", () => {
  it.effect("streams both streams live and ends with 0", () =>
    Effect.gen(function* () {
      const requests: Array<RunRequest> = []
      const outcome = yield* invoke(["run", "web-1", "--timeout", "9", "--", "cat", "my file"], {
        orchestrator: runs(result(), requests)
      })
      assert.deepStrictEqual([outcome.exitCode, outcome.stdout, outcome.stderr], [0, "hello\n", "careful\n"])
      assert.deepInclude(requests[0], { alias: "web-1", command: "cat 'my file'", timeoutSeconds: 9, client: "cli" })
    })
  )

  it.effect("passes the remote exit code on, and 255 when there is none", () =>
    Effect.gen(function* () {
      const ends: ReadonlyArray<readonly [Partial<RunResult>, number, RegExp]> = [
        [{ status: "failed", exit_code: 3 }, 3, /^careful\n$/],
        [{ status: "failed", exit_code: -1, exit_signal: "KILL" }, 255, /ended by signal KILL/],
        [{ status: "timeout", exit_code: -1, timeout: true, duration_ms: 2000 }, 255, /timed out after 2\.0 s/],
        [{ status: "cancelled", exit_code: -1, cancelled: true }, 255, /cancelled/],
        [{ status: "failed", exit_code: -1, status_message: "SSH connection refused" }, 255, /SSH connection refused/]
      ]
      for (const [end, code, said] of ends) {
        const outcome = yield* invoke(["run", "web-1", "uptime"], { orchestrator: runs(result(end)) })
        assert.strictEqual(outcome.exitCode, code)
        assert.match(outcome.stderr, said)
      }
    })
  )

  it.effect("prints one JSON object and no live output with --json", () =>
    Effect.gen(function* () {
      const requests: Array<RunRequest> = []
      const outcome = yield* invoke(["run", "web-1", "uptime", "--json"], { orchestrator: runs(result(), requests) })
      assert.deepStrictEqual(JSON.parse(outcome.stdout), result())
      assert.isUndefined(requests[0]?.onOutput)
    })
  )

  it.effect("shows on a terminal, after a second, how long the command runs", () =>
    Effect.gen(function* () {
      const asked = yield* Latch.make()
      const orchestrator: Partial<Service> = {
        ...runs(result()),
        taskStatus: () => Effect.as(asked.open, { ...parentTask, kind: "command", progress_percent: 3 }),
        taskResult: () =>
          Effect.yieldNow.pipe(
            Effect.andThen(TestClock.adjust("1 second")),
            Effect.repeat({ until: () => asked.isOpen() }),
            Effect.andThen(Effect.yieldNow),
            Effect.as(result())
          )
      }
      const shown = yield* invoke(["run", "web-1", "uptime"], { orchestrator, stderrIsTerminal: true })
      assert.match(shown.stderr, /^careful\nweb-1: running, \d+ s \(3 % of the time limit\)\r\u001b\[K/)
      assert.strictEqual(shown.stdout, "hello\n")
    })
  )

  it.effect("ends with 126 when denied and with 255 when the host is not known", () =>
    Effect.gen(function* () {
      const refused = yield* invoke(["run", "web-1", "reboot"], { orchestrator: { start: () => Effect.fail(denial) } })
      assert.strictEqual(refused.exitCode, 126)
      assert.include(refused.stderr, "No rule allows it")
      const unknown = yield* invoke(["run", "web-9", "uptime"], {
        orchestrator: { start: ({ alias }) => Effect.fail(new HostNotFound({ alias })) }
      })
      assert.deepStrictEqual([unknown.exitCode, unknown.stderr], [255, "Host alias not found: web-9\n"])
    })
  )

  it.effect("cancels the task when interrupted and says that the remote process is gone", () =>
    Effect.gen(function* () {
      const waiting = yield* Latch.make()
      const cancelled: Array<string> = []
      const outcome = yield* invoke(["run", "web-1", "uptime"], {
        interruptAfter: waiting.await,
        orchestrator: {
          ...runs(result()),
          taskResult: () => Effect.andThen(waiting.open, Effect.never),
          cancel: recordCancel(cancelled)
        }
      })
      assert.deepStrictEqual([outcome.exitCode, cancelled], [130, [TASK]])
      assert.include(outcome.stderr, "web-1: cancelled; the remote process is confirmed stopped\n")
    })
  )

  it.effect("cancels the task when nobody reads stdout any more", () =>
    Effect.gen(function* () {
      const cancelled: Array<string> = []
      const outcome = yield* invoke(["run", "web-1", "uptime"], {
        stdout: () => Sink.fail("EPIPE" as never),
        orchestrator: {
          ...runs(result()),
          taskResult: () => Effect.never,
          cancel: recordCancel(cancelled)
        }
      })
      assert.deepStrictEqual([outcome.exitCode, cancelled], [255, [TASK]])
      assert.include(outcome.stderr, "the remote process is confirmed stopped")
    })
  )
})
