import { assert, describe, it } from "@effect/vitest"
import { Deferred, Duration, Effect, Fiber, Ref } from "effect"
import { TestClock } from "effect/testing"
import { INTERNAL_ERROR } from "../../src/task/TaskEnd.ts"
import { TaskSupervisor } from "../../src/task/TaskSupervisor.ts"
import {
  assertIdle,
  auditsOf,
  command,
  connected,
  exiting,
  makeScript,
  records,
  sshError,
  supervisorLayer
} from "./TaskHarness.ts"

const bytes = (text: string) => new TextEncoder().encode(text)

describe("the end of a command", () => {
  it.effect("exit code 0 completes it, with one audit record and every transition logged", () =>
    Effect.gen(function* () {
      const tasks = yield* TaskSupervisor
      const script = yield* connected()
      const id = yield* tasks.submit(command(), script.start)
      assert.match(id, /^web:0123456789abcdef:[0-9A-Z]{26}$/)
      const io = yield* Deferred.await(script.io)
      yield* io.output({ stream: "stdout", bytes: bytes("hello\n") })
      yield* io.output({ stream: "stderr", bytes: bytes("oops") })
      yield* TestClock.adjust("3 seconds")
      yield* Deferred.succeed(script.exit, { _tag: "Exited", code: 0 })
      yield* tasks.await(id)
      const result = yield* tasks.result(id)
      assert.deepStrictEqual(result, {
        task_id: id,
        alias: "web",
        hash: "0123456789abcdef",
        status: "completed",
        exit_code: 0,
        duration_ms: 3000,
        cancelled: false,
        timeout: false,
        target_ip: "192.0.2.1",
        output: "hello\noops",
        bytes_out: 6,
        bytes_err: 4,
        truncated: false,
        max_seconds: 60
      })
      const [audit, ...more] = yield* auditsOf(id)
      assert.deepStrictEqual(more, [])
      const { level, ts, ...fields } = audit ?? {}
      assert.deepStrictEqual([level, ts], ["info", "1970-01-01T00:00:03.000Z"])
      assert.deepStrictEqual(fields, {
        type: "audit",
        task_id: id,
        alias: "web",
        hash: "0123456789abcdef",
        command_sha256: "f".repeat(64),
        exit_code: 0,
        duration_ms: 3000,
        bytes_out: 6,
        bytes_err: 4,
        cancelled: false,
        timeout: false,
        target_ip: "192.0.2.1",
        decision_rule: "r1",
        client: "test"
      })
      const edges = (yield* records("task")).map(({ from, to }) => `${String(from)}>${String(to)}`)
      assert.deepStrictEqual(edges, ["pending>running", "running>completed"])
      assert.deepStrictEqual(yield* Ref.get(script.stops), [])
      yield* assertIdle
    }).pipe(Effect.provide(supervisorLayer))
  )

  it.effect("another exit code and a signal are failures with their code or signal", () =>
    Effect.gen(function* () {
      const tasks = yield* TaskSupervisor
      const three = yield* exiting(3)
      const code = yield* tasks.submit(command(), three.start)
      const killed = yield* connected()
      const signal = yield* tasks.submit(command(), killed.start)
      yield* Deferred.succeed(killed.exit, { _tag: "Signalled", signal: "KILL" })
      yield* tasks.await(signal)
      const a = yield* tasks.result(code)
      const b = yield* tasks.result(signal)
      assert.deepStrictEqual([a.status, a.exit_code, a.exit_signal], ["failed", 3, undefined])
      assert.deepStrictEqual([b.status, b.exit_code, b.exit_signal], ["failed", -1, "KILL"])
      assert.deepStrictEqual(
        (yield* auditsOf(signal)).map((r) => r["exit_signal"]),
        ["KILL"]
      )
      const status = yield* tasks.status(code)
      assert.strictEqual(status.exit_code, 3)
    }).pipe(Effect.provide(supervisorLayer))
  )

  it.effect("a failed connection tells the client the fixed text and never the detail", () =>
    Effect.gen(function* () {
      const tasks = yield* TaskSupervisor
      const script = yield* makeScript()
      const id = yield* tasks.submit(command(), script.start)
      yield* Deferred.fail(script.connect, sshError("ConnectionRefused"))
      yield* tasks.await(id)
      const result = yield* tasks.result(id)
      assert.deepStrictEqual(
        [result.status, result.exit_code, result.target_ip, result.duration_ms],
        ["failed", -1, "", 0]
      )
      assert.include(result.status_message ?? "", "SSH connection refused")
      assert.notInclude(JSON.stringify([result, yield* tasks.status(id)]), "10.9.8.7")
      assert.strictEqual((yield* tasks.cancel(id)).remote_stopped, "not_started")
      assert.strictEqual((yield* auditsOf(id)).length, 1)
      yield* assertIdle
    }).pipe(Effect.provide(supervisorLayer))
  )

  it.effect("a connection lost before or after the start leaves the remote side unconfirmed", () =>
    Effect.gen(function* () {
      const tasks = yield* TaskSupervisor
      const before = yield* makeScript()
      const after = yield* connected({ remote: "silent" })
      const a = yield* tasks.submit(command(), before.start)
      const b = yield* tasks.submit(command(), after.start)
      yield* Deferred.fail(before.connect, sshError("ConnectionLost"))
      yield* Deferred.fail(after.exit, sshError("ConnectionLost"))
      yield* Effect.forEach([a, b], tasks.await)
      for (const id of [a, b]) {
        assert.strictEqual((yield* tasks.status(id)).status, "failed")
        assert.strictEqual((yield* tasks.cancel(id)).remote_stopped, "unconfirmed")
      }
    }).pipe(Effect.provide(supervisorLayer))
  )

  it.effect("a defect in `start` or in the wait is a failure with its audit record, its text stays in the log", () =>
    Effect.gen(function* () {
      const tasks = yield* TaskSupervisor
      const starting = yield* tasks.submit(command(), () => Effect.die(new Error("secret in defect")))
      const throwing = yield* tasks.submit(command(), () => {
        throw new Error("secret in defect")
      })
      const waiting = yield* tasks.submit(command(), () =>
        Effect.succeed({ targetIp: "192.0.2.1", wait: Effect.die(new Error("secret in defect")) })
      )
      for (const id of [starting, throwing, waiting]) {
        yield* tasks.await(id)
        const result = yield* tasks.result(id)
        assert.deepStrictEqual([result.status, result.status_message], ["failed", INTERNAL_ERROR])
        assert.strictEqual((yield* auditsOf(id)).length, 1)
      }
      yield* assertIdle
    }).pipe(Effect.provide(supervisorLayer))
  )

  it.effect("a command that ends while it is submitted loses nothing (x100)", () =>
    Effect.gen(function* () {
      const tasks = yield* TaskSupervisor
      for (let i = 0; i < 100; i++) {
        const script = yield* exiting(0)
        const id = yield* tasks.submit(command({}, { max_tasks_per_host: 1 }), script.start)
        yield* tasks.await(id)
        assert.strictEqual((yield* tasks.result(id)).status, "completed")
        assert.strictEqual((yield* auditsOf(id)).length, 1)
      }
      yield* assertIdle
    }).pipe(Effect.provide(supervisorLayer))
  )

  it.effect("the time limit counts from the start on the host, and the stop ends before the state says so", () =>
    Effect.gen(function* () {
      const tasks = yield* TaskSupervisor
      const script = yield* makeScript({ holdStop: true })
      const id = yield* tasks.submit(command({}, { max_seconds: 10 }), script.start)
      yield* TestClock.adjust("30 seconds")
      assert.strictEqual((yield* tasks.status(id)).status, "pending")
      yield* Deferred.succeed(script.connect, undefined)
      yield* TestClock.adjust("9 seconds")
      assert.strictEqual((yield* tasks.status(id)).status, "running")
      assert.strictEqual((yield* tasks.status(id)).progress_percent, 90)
      yield* TestClock.adjust("1 second")
      yield* Deferred.await(script.stopping)
      yield* TestClock.adjust("1 second")
      const stopping = yield* tasks.status(id)
      assert.deepStrictEqual([stopping.status, stopping.progress_percent], ["running", 99])
      yield* Deferred.succeed(script.stopGate, undefined)
      yield* tasks.await(id)
      const result = yield* tasks.result(id)
      assert.deepStrictEqual([result.status, result.timeout, result.exit_code], ["timeout", true, -1])
      assert.strictEqual(result.duration_ms, 11_000)
      assert.deepStrictEqual(yield* Ref.get(script.stops), [2000])
      assert.strictEqual((yield* auditsOf(id))[0]?.["timeout"], true)
      yield* assertIdle
    }).pipe(Effect.provide(supervisorLayer))
  )

  it.effect("a time limit of 0 is none", () =>
    Effect.gen(function* () {
      const tasks = yield* TaskSupervisor
      const script = yield* connected()
      const id = yield* tasks.submit(command({}, { max_seconds: 0 }), script.start)
      yield* TestClock.adjust("1 hour")
      const status = yield* tasks.status(id)
      assert.deepStrictEqual([status.status, status.progress_percent], ["running", 0])
      assert.strictEqual(yield* tasks.running, 1)
    }).pipe(Effect.provide(supervisorLayer))
  )
})

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
      const idsOf = (filter: Parameters<typeof tasks.list>[0]) =>
        Effect.map(tasks.list(filter), (reports) => reports.map(({ task_id }) => task_id))
      assert.deepStrictEqual(yield* idsOf({}), [c, b, a])
      assert.deepStrictEqual(yield* idsOf({ status: "completed" }), [c, b])
      assert.deepStrictEqual(yield* idsOf({ alias: "web" }), [c, a])
      assert.deepStrictEqual(yield* idsOf({ alias: "web", status: "running" }), [a])
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
