import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Ref } from "effect"
import { TestClock } from "effect/testing"
import { INTERNAL_ERROR } from "../../src/task/TaskEnd.ts"
import { TaskSupervisor } from "../../src/task/TaskSupervisor.ts"
import {
  assertIdle,
  auditsOf,
  bytes,
  command,
  connected,
  exiting,
  makeScript,
  records,
  sshError,
  supervisorLayer
} from "./TaskHarness.ts"

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
