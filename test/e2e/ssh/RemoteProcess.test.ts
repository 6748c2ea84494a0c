import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Exit, Fiber, Ref, Scope } from "effect"
import { existsSync, readFileSync } from "node:fs"
import { ConnectionPool } from "../../../src/ssh/pool/ConnectionPool.ts"
import { eventually, makeRecorder, poolLayer, runCommand, targetOf } from "../../support/SshFixtures.ts"
import * as Sshd from "../../support/Sshd.ts"

const readPid = (path: string): number => (existsSync(path) ? Number(readFileSync(path, "utf8").trim()) : 0)

const killPid = (pid: number): void => {
  if (pid > 1) process.kill(pid, "SIGKILL")
}

describe("a command on a real sshd", () => {
  it.live("reports exit codes, signals and both streams, and hides its header", () =>
    Effect.gen(function* () {
      const sshd = yield* Sshd.start()
      const target = yield* targetOf(sshd)
      const hello = yield* runCommand(target, "echo hello; echo oops >&2; exit 3")
      assert.deepStrictEqual(hello.exit, { _tag: "Exited", code: 3 })
      assert.strictEqual(hello.stdout, "hello\n")
      assert.strictEqual(hello.stderr, "oops\n")
      assert.deepStrictEqual(hello.stops, [])
      assert.isAbove(hello.pid, 1)
      assert.deepStrictEqual((yield* runCommand(target, "true")).exit, { _tag: "Exited", code: 0 })
      const missing = yield* runCommand(target, "no-such-program")
      assert.deepStrictEqual(missing.exit, { _tag: "Exited", code: 127 })
      const killed = yield* runCommand(target, "perl -e 'kill 9, $$; sleep 5'")
      assert.deepStrictEqual(killed.exit, { _tag: "Signalled", signal: "KILL" })
      const inShell = yield* runCommand(target, "kill -KILL $$")
      assert.deepStrictEqual(inShell.exit, { _tag: "Signalled", signal: "KILL" })
    }).pipe(Effect.provide(poolLayer))
  )
})

/** A host of its own, and what the tests look at: its processes, and what was recorded of the output and the stops. */
const oneHost = Effect.gen(function* () {
  const sshd = yield* Sshd.start()
  return { pool: yield* ConnectionPool, recorder: yield* makeRecorder, sshd, target: yield* targetOf(sshd) }
})

/** Runs a command whose connection `disaster` takes away: its outcome is unknown, and the closing scope tries to stop it. */
const loseDuringCommand = Effect.fnUntraced(function* <E>(
  { pool, recorder, target }: Effect.Success<typeof oneHost>,
  disaster: Effect.Effect<unknown, E>
) {
  const error = yield* Effect.flip(
    Effect.scoped(
      Effect.gen(function* () {
        const process = yield* pool.start(recorder.options(target, "sleep 1000"))
        yield* Effect.orDie(disaster)
        return yield* process.wait
      })
    )
  )
  assert.strictEqual(error.failure, "ConnectionLost")
})

/** Commands that make stopping hard, and how each must end. */
const STOPPED: ReadonlyArray<readonly [name: string, command: string]> = [
  ["a sleep", "sleep 1000"],
  ["a pipeline", "sleep 1000 | cat"],
  ["a script with children", "sh -c 'sleep 1000 & sleep 1001; true'"],
  ["one that ignores TERM, HUP and PIPE", "sh -c 'trap \"\" TERM HUP PIPE INT; while :; do sleep 1; done'"],
  ["a child in a session of its own", "sh -c 'setsid sleep 1000 & sleep 1001'"],
  [
    "a double-forked daemon that closed its streams",
    "sh -c '(setsid sleep 1000 >/dev/null 2>&1 </dev/null &); sleep 1001'"
  ],
  ["a stopped process", "sh -c 'kill -STOP $$; true'"],
  ["nohup in the background", "sh -c 'nohup sleep 1000 >/dev/null 2>&1 & sleep 1001'"],
  ["a silent loop", "sh -c 'while :; do :; done'"],
  ["a flood", "yes"],
  ["one that scrubs its environment", "env -i sleep 1000"],
  ["a child in a session and an environment of its own", "setsid env -i sleep 1000 & sleep 1001"]
]

describe("stopping", () => {
  for (const [name, command] of STOPPED) {
    it.live(`confirms that ${name} is gone`, () =>
      Effect.gen(function* () {
        const { pool, recorder, sshd, target } = yield* oneHost
        const scope = yield* Scope.make()
        const process = yield* Scope.provide(pool.start(recorder.options(target, command)), scope)
        assert.isTrue(existsSync(`/proc/${process.pid}`))
        if (!command.startsWith("env -i")) yield* eventually(Effect.map(sshd.processes, (all) => all.length > 0))
        yield* Scope.close(scope, Exit.void)
        assert.deepStrictEqual(yield* recorder.stops, [{ remote: "confirmed", survivors: [] }])
        assert.isFalse(existsSync(`/proc/${process.pid}`))
        assert.deepStrictEqual(yield* sshd.processes, [])
      }).pipe(Effect.provide(poolLayer))
    )
  }

  it.live("does not claim that an orphan is gone which hides in a new session with a scrubbed environment", () =>
    Effect.gen(function* () {
      const { pool, recorder, sshd, target } = yield* oneHost
      const scope = yield* Scope.make()
      const pidFile = `${sshd.directory}/hidden`
      yield* Effect.addFinalizer(() => Effect.sync(() => killPid(readPid(pidFile))))
      yield* Scope.provide(
        pool.start(
          recorder.options(target, `(setsid env -i sh -c 'echo $$ > ${pidFile}; exec sleep 1000' &); sleep 1001`)
        ),
        scope
      )
      yield* eventually(Effect.sync(() => readPid(pidFile) > 0))
      yield* Scope.close(scope, Exit.void)
      assert.deepStrictEqual(yield* recorder.stops, [{ remote: "unconfirmed", survivors: [] }])
      // The session slot is still held: the next command must not run into it.
      assert.strictEqual((yield* runCommand(target, "echo next")).stdout, "next\n")
    }).pipe(Effect.provide(poolLayer))
  )

  it.live("stops a command that was cancelled while it was being started", () =>
    Effect.gen(function* () {
      const sshd = yield* Sshd.start()
      const target = yield* targetOf(sshd)
      const pool = yield* ConnectionPool
      yield* runCommand(target, "true")
      for (let yields = 0; yields < 12; yields++) {
        const recorder = yield* makeRecorder
        const fiber = yield* Effect.forkChild(
          Effect.scoped(Effect.andThen(pool.start(recorder.options(target, "sleep 1000")), Effect.never)),
          { startImmediately: true }
        )
        yield* Effect.repeat(Effect.yieldNow, { times: 8 * yields })
        yield* Fiber.interrupt(fiber)
        for (const report of yield* recorder.stops) assert.strictEqual(report.remote, "confirmed")
        assert.deepStrictEqual(yield* sshd.processes, [])
      }
    }).pipe(Effect.provide(poolLayer))
  )

  it.live("gives a process the grace that it was told, and kills it after", () =>
    Effect.gen(function* () {
      const { pool, recorder, target } = yield* oneHost
      const report = yield* Effect.scoped(
        Effect.gen(function* () {
          const process = yield* pool.start(
            recorder.options(target, "trap 'echo cleaned up; exit 7' TERM; echo ready; while :; do sleep 0.05; done")
          )
          yield* eventually(Effect.map(recorder.stdout, (text) => text.includes("ready")))
          const report = yield* process.stop(Duration.seconds(2))
          assert.deepStrictEqual(yield* process.wait, { _tag: "Exited", code: 7 })
          return report
        })
      )
      assert.deepStrictEqual(report, { remote: "confirmed", survivors: [] })
      assert.include(yield* recorder.stdout, "cleaned up")
      assert.deepStrictEqual(yield* recorder.stops, [])
    }).pipe(Effect.provide(poolLayer))
  )

  it.live("stops five commands on one connection together", () =>
    Effect.gen(function* () {
      const { pool, recorder, sshd, target } = yield* oneHost
      const scope = yield* Scope.make("parallel")
      yield* Effect.forEach(
        [1, 2, 3, 4, 5],
        () =>
          Effect.gen(function* () {
            const own = yield* Scope.fork(scope)
            yield* Scope.provide(pool.start(recorder.options(target, "trap '' TERM; while :; do sleep 1; done")), own)
          }),
        { concurrency: 5 }
      )
      yield* Scope.close(scope, Exit.void)
      assert.deepStrictEqual(
        (yield* recorder.stops).map((report) => report.remote),
        ["confirmed", "confirmed", "confirmed", "confirmed", "confirmed"]
      )
      assert.deepStrictEqual(yield* sshd.processes, [])
    }).pipe(Effect.provide(poolLayer))
  )

  it.live("kills by tag over a new connection when the command's own is lost", () =>
    Effect.gen(function* () {
      const host = yield* oneHost
      const { recorder, sshd, target } = host
      yield* loseDuringCommand(host, sshd.killSessions)
      assert.deepStrictEqual(yield* recorder.stops, [{ remote: "confirmed", survivors: [] }])
      assert.deepStrictEqual(yield* sshd.processes, [])
      assert.strictEqual((yield* runCommand(target, "echo again")).stdout, "again\n")
    }).pipe(Effect.provide(poolLayer))
  )

  it.live("reports unconfirmed, within its bound, when the host is gone for good", () =>
    Effect.gen(function* () {
      const host = yield* oneHost
      yield* loseDuringCommand(host, host.sshd.kill)
      assert.deepStrictEqual(yield* host.recorder.stops, [{ remote: "unconfirmed", survivors: [] }])
    }).pipe(Effect.provide(poolLayer))
  )
})

describe("output", () => {
  it.live("drains 64 MiB exactly, in order, with the exit status", () =>
    Effect.gen(function* () {
      const { pool, recorder, target } = yield* oneHost
      const bytes = yield* Ref.make(0)
      const exit = yield* Effect.scoped(
        Effect.flatMap(
          pool.start({
            ...recorder.options(target, "head -c 67108864 /dev/zero"),
            output: (chunk) => Ref.update(bytes, (count) => count + chunk.bytes.length)
          }),
          (process) => process.wait
        )
      )
      assert.deepStrictEqual(exit, { _tag: "Exited", code: 0 })
      assert.strictEqual(yield* Ref.get(bytes), 67108864)
    }).pipe(Effect.provide(poolLayer))
  )

  it.live("slows the host down while the consumer is busy", () =>
    Effect.gen(function* () {
      const { pool, recorder, sshd, target } = yield* oneHost
      const progress = `${sshd.directory}/progress`
      const fiber = yield* Effect.forkChild(
        Effect.scoped(
          Effect.flatMap(
            pool.start({
              ...recorder.options(
                target,
                `for i in 1 2 3 4 5 6 7 8; do head -c 1048576 /dev/zero; echo $i > ${progress}; done`
              ),
              output: (chunk) => (chunk.stream === "stdout" ? Effect.never : Effect.void)
            }),
            (process) => process.wait
          )
        )
      )
      yield* eventually(Effect.sync(() => readPid(progress) >= 2))
      // Time enough for the rest, had it not been held back.
      yield* Effect.repeat(runCommand(target, "true"), { times: 9 })
      assert.isBelow(readPid(progress), 5)
      yield* Fiber.interrupt(fiber)
      assert.deepStrictEqual(yield* sshd.processes, [])
    }).pipe(Effect.provide(poolLayer))
  )

  it.live("ends soon after the exit when a background child keeps the streams open", () =>
    Effect.gen(function* () {
      const sshd = yield* Sshd.start()
      const target = yield* targetOf(sshd)
      const [took, result] = yield* Effect.timed(runCommand(target, "echo done; sleep 600 & exit 4"))
      assert.deepStrictEqual(result.exit, { _tag: "Exited", code: 4 })
      assert.strictEqual(result.stdout, "done\n")
      assert.isBelow(Duration.toMillis(took), 5_000)
      // Not stopped: it belongs to a command that ended by itself, as a service that was started would.
      assert.deepStrictEqual(
        (yield* sshd.processes).map((process) => process.command),
        ["sleep 600"]
      )
    }).pipe(Effect.provide(poolLayer))
  )

  it.live("keeps the order in which the two streams were written", () =>
    Effect.gen(function* () {
      const { pool, recorder, target } = yield* oneHost
      const order = yield* Ref.make<ReadonlyArray<string>>([])
      yield* Effect.scoped(
        Effect.flatMap(
          pool.start({
            ...recorder.options(target, "for i in 1 2 3; do echo o$i; sleep 0.05; echo e$i >&2; sleep 0.05; done"),
            output: (chunk) => Ref.update(order, (all) => [...all, Buffer.from(chunk.bytes).toString().trim()])
          }),
          (process) => process.wait
        )
      )
      assert.deepStrictEqual(yield* Ref.get(order), ["o1", "e1", "o2", "e2", "o3", "e3"])
    }).pipe(Effect.provide(poolLayer))
  )
})

describe("sessions", () => {
  it.live("run forty commands on one host at once, and survive a low MaxSessions", () =>
    Effect.gen(function* () {
      for (const config of [[], ["MaxSessions 2"], ["MaxSessions 1"]]) {
        const sshd = yield* Sshd.start({ config })
        const target = yield* targetOf(sshd)
        const all = yield* Effect.forEach(
          Array.from({ length: 40 }, (_, index) => index),
          (index) => runCommand(target, `echo ${index}`),
          { concurrency: 40 }
        )
        assert.deepStrictEqual(
          all.map((each) => each.stdout),
          all.map((_, index) => `${index}\n`)
        )
      }
    }).pipe(Effect.provide(poolLayer))
  )

  it.live("leave room to stop a command where a connection has one session only", () =>
    Effect.gen(function* () {
      const sshd = yield* Sshd.start({ config: ["MaxSessions 1"] })
      const target = yield* targetOf(sshd)
      const pool = yield* ConnectionPool
      const recorder = yield* makeRecorder
      yield* Effect.scoped(pool.start(recorder.options(target, "sleep 1000")))
      assert.deepStrictEqual(yield* recorder.stops, [{ remote: "confirmed", survivors: [] }])
      assert.deepStrictEqual(yield* sshd.processes, [])
    }).pipe(Effect.provide(poolLayer))
  )

  it.live("are refused by an account whose shell runs something else, which is not tried again", () =>
    Effect.gen(function* () {
      const sshd = yield* Sshd.start({ config: ["ForceCommand echo run >> /dev/stderr; echo only this"] })
      const target = yield* targetOf(sshd)
      const recorder = yield* makeRecorder
      const pool = yield* ConnectionPool
      const error = yield* Effect.flip(Effect.scoped(pool.start(recorder.options(target, "id"))))
      assert.strictEqual(error.failure, "ChannelRefused")
      assert.strictEqual(yield* recorder.stdout, "only this\n")
      assert.strictEqual(yield* recorder.stderr, "run\n")
    }).pipe(Effect.provide(poolLayer))
  )
})
