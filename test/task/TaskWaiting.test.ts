import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect } from "effect"
import { TestClock } from "effect/testing"
import { TaskSupervisor } from "../../src/task/TaskSupervisor.ts"
import { auditsOf, command, connected, records, supervisorLayer } from "./TaskHarness.ts"

describe("admission", () => {
  it.effect("a host's commands start in order, as slots get free; other hosts do not wait", () =>
    Effect.gen(function* () {
      const tasks = yield* TaskSupervisor
      const one = { max_tasks_per_host: 1 }
      const scripts = yield* Effect.forEach([1, 2, 3], () => connected())
      const ids = yield* Effect.forEach(scripts, (script) => tasks.submit(command({}, one), script.start))
      const other = yield* connected()
      yield* tasks.submit(command({ alias: "db" }, one), other.start)
      assert.isTrue(yield* Deferred.isDone(other.called))
      const called = Effect.forEach(scripts, (script) => Deferred.isDone(script.called))
      assert.deepStrictEqual(yield* called, [true, false, false])
      for (const [index, script] of scripts.entries()) {
        yield* Deferred.succeed(script.exit, { _tag: "Exited", code: 0 })
        yield* tasks.await(ids[index]!)
        const next = scripts[index + 1]
        if (next !== undefined) yield* Deferred.await(next.called)
        assert.deepStrictEqual(
          yield* called,
          scripts.map((_, i) => i <= index + 1)
        )
      }
    }).pipe(Effect.provide(supervisorLayer))
  )

  it.effect("one more than may wait is denied, and leaves nothing behind", () =>
    Effect.gen(function* () {
      const tasks = yield* TaskSupervisor
      const limits = { max_concurrent_tasks: 1, max_queued_tasks: 1 }
      const script = yield* connected()
      yield* tasks.submit(command({}, limits), script.start)
      yield* tasks.submit(command({ alias: "db" }, limits), script.start)
      const refused = yield* Effect.flip(tasks.submit(command({ alias: "mq" }, limits), script.start))
      assert.strictEqual(refused._tag, "LimitReached")
      assert.include(refused.message, "max_queued_tasks 1")
      assert.deepInclude(yield* tasks.held, { records: 2, slots: 1, queued: 1 })
      assert.strictEqual((yield* records("audit")).length, 0)
    }).pipe(Effect.provide(supervisorLayer))
  )

  it.effect("a command waits at most 60 s, then fails and names the limit", () =>
    Effect.gen(function* () {
      const tasks = yield* TaskSupervisor
      const first = yield* connected()
      const script = yield* connected()
      yield* tasks.submit(command({}, { max_seconds: 0, max_tasks_per_host: 1, max_concurrent_tasks: 1 }), first.start)
      const host = yield* tasks.submit(command({}, { max_tasks_per_host: 1 }), script.start)
      const server = yield* tasks.submit(command({ alias: "db" }, { max_concurrent_tasks: 1 }), script.start)
      yield* TestClock.adjust("59999 millis")
      assert.strictEqual((yield* tasks.status(host)).status, "pending")
      yield* TestClock.adjust("1 millis")
      yield* Effect.forEach([host, server], tasks.await)
      const a = yield* tasks.result(host)
      const b = yield* tasks.result(server)
      assert.deepStrictEqual([a.status, b.status], ["failed", "failed"])
      assert.include(a.status_message ?? "", "max_tasks_per_host (1)")
      assert.include(b.status_message ?? "", "max_concurrent_tasks (1)")
      assert.isFalse(yield* Deferred.isDone(script.called))
      assert.strictEqual((yield* auditsOf(host)).length, 1)
      assert.deepInclude(yield* tasks.held, { slots: 1, queued: 0 })
    }).pipe(Effect.provide(supervisorLayer))
  )
})
