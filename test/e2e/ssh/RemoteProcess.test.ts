import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Scope } from "effect"
import { ConnectionPool } from "../../../src/ssh/ConnectionPool.ts"
import { eventually, makeRecorder, poolLayer, runCommand, targetOf } from "../../support/SshFixtures.ts"
import * as Sshd from "../../support/Sshd.ts"

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

/** Commands that make stopping hard, and how each must end. */
const STOPPED: ReadonlyArray<readonly [name: string, command: string]> = [
  ["a sleep", "sleep 1000"],
  ["a pipeline", "sleep 1000 | cat"],
  ["a script with children", "sh -c 'sleep 1000 & sleep 1001; true'"],
  ["one that ignores TERM, HUP and PIPE", "sh -c 'trap \"\" TERM HUP PIPE INT; while :; do sleep 1; done'"],
  ["a child in a session of its own", "sh -c 'setsid sleep 1000 & sleep 1001'"],
  ["a double-forked daemon that closed its streams", "sh -c '(setsid sleep 1000 >/dev/null 2>&1 </dev/null &); sleep 1001'"],
  ["a stopped process", "sh -c 'kill -STOP $$; true'"],
  ["nohup in the background", "sh -c 'nohup sleep 1000 >/dev/null 2>&1 & sleep 1001'"],
  ["a silent loop", "sh -c 'while :; do :; done'"],
  ["a flood", "yes"],
  ["one that scrubs its environment", "env -i sleep 1000"]
]

describe("stopping", () => {
  for (const [name, command] of STOPPED) {
    it.live(`confirms that ${name} is gone`, () =>
      Effect.gen(function* () {
        const sshd = yield* Sshd.start()
        const target = yield* targetOf(sshd)
        const pool = yield* ConnectionPool
        const recorder = yield* makeRecorder
        const scope = yield* Scope.make()
        yield* Scope.provide(pool.start(recorder.options(target, command)), scope)
        yield* eventually(Effect.map(sshd.processes, (all) => all.length > 0))
        yield* Scope.close(scope, Exit.void)
        assert.deepStrictEqual(yield* recorder.stops, [{ remote: "confirmed", survivors: [] }])
        assert.deepStrictEqual(yield* sshd.processes, [])
      }).pipe(Effect.provide(poolLayer))
    )
  }
})
void Fiber
