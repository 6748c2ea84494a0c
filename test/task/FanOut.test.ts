import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Ref } from "effect"
import { TestClock } from "effect/testing"
import { type FanOutSpec, TaskSupervisor } from "../../src/task/TaskSupervisor.ts"
import { assertIdle, command, connected, LIMITS, records, supervisorLayer } from "./TaskHarness.ts"

const spec = (changes: Partial<FanOutSpec<string>> = {}): FanOutSpec<string> => ({
  tag: "prod",
  command: "uptime",
  hash: "0123456789abcdef",
  limits: { ...LIMITS, max_concurrent_tasks: 1, task_result_ttl: 10 },
  ...changes
})

describe("a fan-out parent", () => {
  it.effect("holds no slot, reports its tag, its hosts' progress and their lines, and writes no audit record", () =>
    Effect.gen(function* () {
      const tasks = yield* TaskSupervisor
      const gate = yield* Deferred.make<void>()
      const parent = yield* tasks.submitFanOut(spec(), (io) =>
        Effect.gen(function* () {
          yield* io.line("web-1", "up 3 days")
          yield* io.progress(3, 4)
          yield* io.progress(1, 4)
          yield* Deferred.await(gate)
          return "done"
        })
      )
      assert.match(parent, /^tag\.prod:0123456789abcdef:[0-9A-Z]{26}$/)
      const child = yield* connected()
      const id = yield* tasks.submit(command({}, { max_concurrent_tasks: 1 }), child.start)
      assert.isTrue(yield* Deferred.isDone(child.called))
      const status = yield* tasks.status(parent)
      assert.deepInclude(status, { kind: "fan_out", tag: "prod", status: "running", progress_percent: 75 })
      assert.deepStrictEqual((yield* tasks.output(parent, { maxLines: 5 })).output_lines, ["web-1: up 3 days"])
      yield* Deferred.succeed(gate, undefined)
      yield* tasks.await(parent)
      const ended = yield* tasks.status(parent)
      assert.deepStrictEqual([ended.status, ended.progress_percent, ended.exit_code], ["completed", 100, undefined])
      assert.strictEqual((yield* Effect.flip(tasks.result(parent)))._tag, "TaskNotFound")
      yield* tasks.cancel(id)
      assert.deepStrictEqual(
        (yield* records("audit")).map((record) => record["task_id"]),
        [id]
      )
      yield* TestClock.adjust("11 seconds")
      assert.strictEqual((yield* Effect.flip(tasks.status(parent)))._tag, "TaskNotFound")
      yield* assertIdle
    }).pipe(Effect.provide(supervisorLayer))
  )

  it.effect("fails when its result counts as a failure, or its body has a defect", () =>
    Effect.gen(function* () {
      const tasks = yield* TaskSupervisor
      const judged = yield* tasks.submitFanOut(spec({ failure: (result) => `no host: ${result}` }), () =>
        Effect.succeed("3 failed")
      )
      const broken = yield* tasks.submitFanOut(spec(), () => Effect.die(new Error("bug")))
      yield* Effect.forEach([judged, broken], tasks.await)
      assert.deepInclude(yield* tasks.status(judged), { status: "failed", status_message: "no host: 3 failed" })
      assert.strictEqual((yield* tasks.status(broken)).status, "failed")
    }).pipe(Effect.provide(supervisorLayer))
  )

  it.effect("a cancel interrupts the body, waits for it and answers with the worst stop it reported", () =>
    Effect.gen(function* () {
      const tasks = yield* TaskSupervisor
      const cleaned = yield* Ref.make(false)
      // The first sleep on a fresh TestClock is interruptible even in a finalizer; this disarms it.
      yield* TestClock.adjust(0)
      const parent = yield* tasks.submitFanOut(spec(), (io) =>
        Effect.never.pipe(
          Effect.onInterrupt(() =>
            Effect.forEach(["confirmed", "unconfirmed", "not_started"] as const, io.stopped).pipe(
              Effect.andThen(Effect.sleep("1 second")),
              Effect.andThen(Ref.set(cleaned, true))
            )
          )
        )
      )
      const caller = yield* Effect.forkChild(tasks.cancel(parent), { startImmediately: true })
      yield* TestClock.adjust("1 second")
      const answer = yield* caller.pollUnsafe()!
      assert.isTrue(yield* Ref.get(cleaned))
      assert.deepStrictEqual([answer.cancelled, answer.remote_stopped], [true, "unconfirmed"])
    }).pipe(Effect.provide(supervisorLayer))
  )
})
