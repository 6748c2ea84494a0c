import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Ref } from "effect"
import { TestClock } from "effect/testing"
import { TaskSupervisor } from "../../src/task/TaskSupervisor.ts"
import { assertIdle, auditsOf, command, connected, exiting, makeScript, supervisorLayer } from "./TaskHarness.ts"

describe("cancel", () => {
  it.effect("while queued: nothing ran, and no slot or place is held", () =>
    Effect.gen(function* () {
      const tasks = yield* TaskSupervisor
      const first = yield* connected()
      const queued = yield* connected()
      const third = yield* connected()
      const one = { max_tasks_per_host: 1 }
      const a = yield* tasks.submit(command({}, one), first.start)
      const b = yield* tasks.submit(command({}, one), queued.start)
      const c = yield* tasks.submit(command({}, one), third.start)
      const answer = yield* tasks.cancel(b)
      assert.deepStrictEqual(answer, {
        task_id: b,
        cancelled: true,
        message: "Cancelled",
        remote_stopped: "not_started"
      })
      assert.isFalse(yield* Deferred.isDone(queued.called))
      assert.strictEqual((yield* auditsOf(b)).length, 1)
      assert.deepInclude(yield* tasks.held, { slots: 1, queued: 1 })
      yield* Deferred.succeed(first.exit, { _tag: "Exited", code: 0 })
      yield* tasks.await(a)
      yield* Deferred.await(third.called)
      yield* tasks.cancel(c)
      yield* assertIdle
    }).pipe(Effect.provide(supervisorLayer))
  )

  it.effect("while connecting: the attempt is interrupted", () =>
    Effect.gen(function* () {
      const tasks = yield* TaskSupervisor
      const script = yield* makeScript()
      const id = yield* tasks.submit(command(), script.start)
      yield* Deferred.await(script.called)
      const answer = yield* tasks.cancel(id)
      assert.deepStrictEqual([answer.cancelled, answer.remote_stopped], [true, "not_started"])
      const result = yield* tasks.result(id)
      assert.deepStrictEqual([result.status, result.cancelled, result.duration_ms], ["cancelled", true, 0])
      assert.strictEqual((yield* auditsOf(id)).length, 1)
      yield* assertIdle
    }).pipe(Effect.provide(supervisorLayer))
  )

  it.effect("while running: every caller gets the answer after the stop, and the state is not terminal before", () =>
    Effect.gen(function* () {
      const tasks = yield* TaskSupervisor
      const script = yield* connected({ holdStop: true })
      const id = yield* tasks.submit(command(), script.start)
      const callers = yield* Effect.forEach([1, 2, 3], () =>
        Effect.forkChild(tasks.cancel(id), { startImmediately: true })
      )
      yield* Deferred.await(script.stopping)
      assert.strictEqual((yield* tasks.status(id)).status, "running")
      yield* Deferred.succeed(script.stopGate, undefined)
      const answers = yield* Effect.forEach(callers, Fiber.join)
      for (const answer of answers) {
        assert.deepStrictEqual(answer, {
          task_id: id,
          cancelled: true,
          message: "Cancelled",
          remote_stopped: "confirmed"
        })
      }
      assert.deepStrictEqual(yield* Ref.get(script.stops), [2000])
      assert.strictEqual((yield* auditsOf(id)).length, 1)
      yield* assertIdle
    }).pipe(Effect.provide(supervisorLayer))
  )

  it.effect("a stop that cannot be confirmed is reported so, also when nobody reported anything", () =>
    Effect.gen(function* () {
      const tasks = yield* TaskSupervisor
      for (const remote of ["unconfirmed", "silent"] as const) {
        const script = yield* connected({ remote })
        const id = yield* tasks.submit(command(), script.start)
        const answer = yield* tasks.cancel(id)
        assert.deepStrictEqual([answer.cancelled, answer.remote_stopped], [true, "unconfirmed"])
        assert.include((yield* tasks.result(id)).status_message ?? "", "could not be confirmed as stopped")
      }
    }).pipe(Effect.provide(supervisorLayer))
  )

  it.effect("that comes while a timeout stops the process does not rename the end", () =>
    Effect.gen(function* () {
      const tasks = yield* TaskSupervisor
      const script = yield* connected({ holdStop: true })
      const id = yield* tasks.submit(command({}, { max_seconds: 1 }), script.start)
      yield* TestClock.adjust("1 second")
      yield* Deferred.await(script.stopping)
      const caller = yield* Effect.forkChild(tasks.cancel(id), { startImmediately: true })
      yield* Deferred.succeed(script.stopGate, undefined)
      const answer = yield* Fiber.join(caller)
      assert.deepStrictEqual([answer.cancelled, answer.message], [false, "Task not found or not cancellable"])
      assert.strictEqual((yield* tasks.status(id)).status, "timeout")
      assert.strictEqual((yield* auditsOf(id)).length, 1)
    }).pipe(Effect.provide(supervisorLayer))
  )

  it.effect("that comes while an exited command cleans up does not rename the end", () =>
    Effect.gen(function* () {
      const tasks = yield* TaskSupervisor
      const cleaning = yield* Deferred.make<void>()
      const gate = yield* Deferred.make<void>()
      const id = yield* tasks.submit(command(), () =>
        Effect.acquireRelease(
          Effect.succeed({ targetIp: "192.0.2.1", wait: Effect.succeed({ _tag: "Exited" as const, code: 0 }) }),
          () => Effect.andThen(Deferred.succeed(cleaning, undefined), Deferred.await(gate))
        )
      )
      yield* Deferred.await(cleaning)
      const caller = yield* Effect.forkChild(tasks.cancel(id), { startImmediately: true })
      yield* Deferred.succeed(gate, undefined)
      assert.isFalse((yield* Fiber.join(caller)).cancelled)
      assert.strictEqual((yield* tasks.result(id)).status, "completed")
    }).pipe(Effect.provide(supervisorLayer))
  )

  it.effect("of an unknown and of an ended task finds nothing to cancel", () =>
    Effect.gen(function* () {
      const tasks = yield* TaskSupervisor
      assert.deepStrictEqual(yield* tasks.cancel("nope"), {
        task_id: "nope",
        cancelled: false,
        message: "Task not found",
        remote_stopped: "not_started"
      })
      const script = yield* exiting(0)
      const id = yield* tasks.submit(command(), script.start)
      yield* tasks.await(id)
      assert.deepStrictEqual(yield* tasks.cancel(id), {
        task_id: id,
        cancelled: false,
        message: "Task not found or not cancellable",
        remote_stopped: "confirmed"
      })
    }).pipe(Effect.provide(supervisorLayer))
  )
})

describe("shutdown", () => {
  it.effect("admits nothing more, stops every task with the short grace, joins all, and may be called again", () =>
    Effect.gen(function* () {
      const tasks = yield* TaskSupervisor
      const limits = { max_tasks_per_host: 2 }
      const running = yield* connected({ holdStop: true })
      const connecting = yield* makeScript()
      const queued = yield* connected()
      const ids = yield* Effect.forEach([running, connecting, queued], ({ start }) =>
        tasks.submit(command({}, limits), start)
      )
      const shutdowns = yield* Effect.forEach([1, 2], () =>
        Effect.forkChild(tasks.shutdown, { startImmediately: true })
      )
      yield* Deferred.await(running.stopping)
      const refused = yield* Effect.flip(tasks.submit(command(), running.start))
      assert.include(refused.message, "shutting down")
      for (const fiber of shutdowns) assert.isUndefined(fiber.pollUnsafe())
      yield* Deferred.succeed(running.stopGate, undefined)
      yield* Effect.forEach(shutdowns, Fiber.join)
      assert.deepStrictEqual(yield* Ref.get(running.stops), [500])
      assert.isFalse(yield* Deferred.isDone(queued.called))
      for (const id of ids) {
        assert.strictEqual((yield* tasks.status(id)).status, "cancelled")
        assert.strictEqual((yield* auditsOf(id)).length, 1)
      }
      yield* assertIdle
      yield* tasks.shutdown
    }).pipe(Effect.provide(supervisorLayer))
  )

  it.effect("closing the layer is a shutdown", () =>
    Effect.gen(function* () {
      const script = yield* connected()
      const id = yield* Effect.flatMap(TaskSupervisor, (tasks) => tasks.submit(command(), script.start)).pipe(
        Effect.provide(supervisorLayer)
      )
      assert.deepStrictEqual(yield* Ref.get(script.stops), [500])
      assert.deepStrictEqual(
        (yield* auditsOf(id)).map((record) => record["cancelled"]),
        [true]
      )
    })
  )
})
