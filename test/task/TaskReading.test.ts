import { assert, describe, it } from "@effect/vitest"
import { Deferred, Duration, Effect, Fiber, Ref } from "effect"
import { TestClock } from "effect/testing"
import { TaskSupervisor } from "../../src/task/TaskSupervisor.ts"
import { bytes, command, connected, exiting, supervisorLayer } from "./TaskHarness.ts"

describe("a finished task", () => {
  it.effect("is readable until its TTL, counted down from its end, and gone one sweep after", () =>
    Effect.gen(function* () {
      const tasks = yield* TaskSupervisor
      const script = yield* connected()
      const id = yield* tasks.submit(command({}, { task_result_ttl: 10 }), script.start)
      yield* TestClock.adjust("4 seconds")
      assert.strictEqual((yield* tasks.status(id)).keepAlive, 10)
      yield* Deferred.succeed(script.exit, { _tag: "Exited", code: 0 })
      yield* tasks.await(id)
      yield* TestClock.adjust("9999 millis")
      const last = yield* tasks.status(id)
      assert.deepStrictEqual([last.keepAlive, last.progress_percent, last.elapsed_ms], [1, 100, 4000])
      yield* TestClock.adjust("1001 millis")
      assert.strictEqual((yield* Effect.flip(tasks.status(id))).message, `Task not found or expired: ${id}`)
      assert.strictEqual((yield* tasks.held).records, 0)
    }).pipe(Effect.provide(supervisorLayer))
  )

  it.effect("can be kept longer than its TTL, counted from its submission", () =>
    Effect.gen(function* () {
      const tasks = yield* TaskSupervisor
      const script = yield* exiting(0)
      const id = yield* tasks.submit(command({}, { task_result_ttl: 10 }), script.start)
      yield* tasks.retain(id, Duration.seconds(100))
      assert.strictEqual((yield* tasks.status(id)).keepAlive, 100)
      yield* TestClock.adjust("99 seconds")
      yield* tasks.retain(id, Duration.seconds(5))
      assert.strictEqual((yield* tasks.status(id)).keepAlive, 1)
      yield* TestClock.adjust("2 seconds")
      assert.strictEqual((yield* Effect.flip(tasks.status(id)))._tag, "TaskNotFound")
    }).pipe(Effect.provide(supervisorLayer))
  )

  it.effect("takes no more output, and its report never changes but for keepAlive", () =>
    Effect.gen(function* () {
      const tasks = yield* TaskSupervisor
      const script = yield* exiting(0)
      const id = yield* tasks.submit(command(), script.start)
      yield* tasks.await(id)
      const io = yield* Deferred.await(script.io)
      const before = yield* tasks.status(id)
      yield* io.output({ stream: "stdout", bytes: bytes("late\n") })
      yield* TestClock.adjust("5 seconds")
      assert.deepStrictEqual(yield* tasks.status(id), { ...before, keepAlive: 295 })
    }).pipe(Effect.provide(supervisorLayer))
  )
})

describe("reading a live task", () => {
  it.effect("its result is an error that names the poll interval, its snapshot and pages show the output so far", () =>
    Effect.gen(function* () {
      const tasks = yield* TaskSupervisor
      const script = yield* connected()
      const id = yield* tasks.submit(command(), script.start)
      const early = yield* Effect.flip(tasks.result(id))
      assert.deepInclude(early, { _tag: "TaskNotFinished", status: "running", pollFrequency: 5 })
      const io = yield* Deferred.await(script.io)
      yield* io.output({ stream: "stdout", bytes: bytes("one\ntwo\n") })
      const so = yield* tasks.snapshot(id)
      assert.deepStrictEqual([so.status, so.output, so.truncated], ["running", "one\ntwo\n", false])
      yield* io.output({ stream: "stdout", bytes: bytes("three\nfo") })
      const page = yield* tasks.output(id, { maxLines: 50, cursor: so.next_cursor })
      assert.deepStrictEqual([page.status, page.output_lines, page.partial_line], ["running", ["three"], "fo"])
      assert.strictEqual((yield* tasks.status(id)).bytes_read, 16)
      assert.strictEqual((yield* Effect.flip(tasks.output(id, { maxLines: 5, cursor: "?" })))._tag, "InvalidCursor")
    }).pipe(Effect.provide(supervisorLayer))
  )

  it.effect("a slow receiver of the output holds the host back", () =>
    Effect.gen(function* () {
      const tasks = yield* TaskSupervisor
      const gate = yield* Deferred.make<void>()
      const seen = yield* Ref.make<ReadonlyArray<string>>([])
      const script = yield* connected()
      yield* tasks.submit(
        command({
          onOutput: ({ text }) =>
            Effect.andThen(
              Deferred.await(gate),
              Ref.update(seen, (all) => [...all, text])
            )
        }),
        script.start
      )
      const io = yield* Deferred.await(script.io)
      const writer = yield* Effect.forkChild(
        Effect.forEach(["a", "b"], (text) => io.output({ stream: "stdout", bytes: bytes(`${text}\u0007\n`) })),
        { startImmediately: true }
      )
      assert.isUndefined(writer.pollUnsafe())
      yield* Deferred.succeed(gate, undefined)
      yield* Fiber.join(writer)
      assert.deepStrictEqual(yield* Ref.get(seen), ["a\n", "b\n"])
    }).pipe(Effect.provide(supervisorLayer))
  )

  it.effect("lists are newest first and can be narrowed to a state or a host", () =>
    Effect.gen(function* () {
      const tasks = yield* TaskSupervisor
      const live = yield* connected()
      const done = yield* exiting(0)
      const a = yield* tasks.submit(command(), live.start)
      const b = yield* tasks.submit(command({ alias: "db" }), done.start)
      const c = yield* tasks.submit(command(), done.start)
      assert.deepStrictEqual(yield* tasks.ids({}), [c, b, a])
      assert.deepStrictEqual(yield* tasks.ids({ status: "completed" }), [c, b])
      assert.deepStrictEqual(yield* tasks.ids({ alias: "web" }), [c, a])
      assert.deepStrictEqual(yield* tasks.ids({ alias: "web", status: "running" }), [a])
    }).pipe(Effect.provide(supervisorLayer))
  )
})
