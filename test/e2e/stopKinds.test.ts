import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Scope } from "effect"
import { mkdtempSync, rmSync, symlinkSync } from "node:fs"
import { tmpdir } from "node:os"
import { ConnectionPool } from "../../src/ssh/pool/ConnectionPool.ts"
import type { StopReport } from "../../src/ssh/process/RemoteProcess.ts"
import * as Sshd from "../support/Sshd.ts"
import { eventually, makeRecorder, poolLayer, runCommand, targetOf } from "../support/SshFixtures.ts"

/** How many processes of sessions are alive, but for sshd's own. */
const alive = (sshd: Sshd.Sshd) =>
  Effect.map(sshd.processes, (all) => all.filter(({ command }) => !command.startsWith("sshd")))

/**
 * Starts a command after another one has told what the login shell is, waits until `count` processes run, stops it by closing
 * its Scope, and gives what the stop came to and the processes that are left.
 */
const stopOf = Effect.fnUntraced(function* (
  command: string,
  count: number,
  options: Sshd.SshdOptions & {
    readonly warm?: boolean
    readonly meanwhile?: (sshd: Sshd.Sshd) => Effect.Effect<void>
  } = {}
) {
  const sshd = yield* Sshd.start(options)
  const target = yield* targetOf(sshd)
  const pool = yield* ConnectionPool
  const recorder = yield* makeRecorder
  if (options.warm !== false) yield* runCommand(target, "true")
  const scope = yield* Scope.make()
  const process = yield* Scope.provide(pool.start(recorder.options(target, command)), scope)
  const waiting = yield* Effect.forkChild(Effect.result(process.wait), { startImmediately: true })
  yield* eventually(Effect.map(alive(sshd), (all) => all.length >= count))
  yield* options.meanwhile?.(sshd) ?? Effect.void
  yield* Scope.close(scope, Exit.void)
  yield* Fiber.interrupt(waiting)
  const [stop] = yield* recorder.stops
  return { remote: stop?.remote, left: (yield* alive(sshd)).map((each) => each.command) }
})

const CONFIRMED: { remote: StopReport["remote"] | undefined; left: Array<string> } = { remote: "confirmed", left: [] }
const IGNORING = `trap "" HUP TERM PIPE INT`

/** Each command, and how many processes it has when it runs. */
const KINDS: Readonly<Record<string, readonly [string, number]>> = {
  "one program": ["sleep 1000", 1],
  "children and grandchildren": ["sleep 1000 & (sleep 1000 & sleep 1000) & sleep 1000", 4],
  "one that ignores HUP, TERM, PIPE and INT": [`${IGNORING}; while :; do sleep 1; done`, 2],
  "a child in a session of its own": ["setsid sleep 1000 & sleep 1000", 2],
  "a child that nohup protects": ["nohup sleep 1000 >/dev/null 2>&1 & sleep 1000", 2],
  "a child whose parent is gone": ["(setsid sleep 1000 >/dev/null 2>&1 &) ; sleep 1000", 2],
  "a stopped process": ["sh -c 'kill -STOP $$; sleep 1000'", 1],
  "a pipeline": ["sleep 1000 | sleep 1000 | cat", 3],
  "a loop": ["while true; do sleep 1000; done", 2],
  "a loop that reads a pipeline": ["yes | while read -r x; do sleep 1000; done", 2]
}

/** A forced command that has another shell read what the client sent (sshd_config(5), ForceCommand). */
const forcedShell = (shell: string) => [`ForceCommand exec ${shell} -c "$SSH_ORIGINAL_COMMAND"`]

describe("a stop is confirmed and leaves no process of", () => {
  for (const [kind, [command, count]] of Object.entries(KINDS)) {
    it.live(`${kind}, in the login shell itself`, () =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* stopOf(command, count), CONFIRMED)
      }).pipe(Effect.provide(poolLayer), Effect.scoped)
    )
  }

  it.live("a first command, whose login shell is not known yet", () =>
    Effect.gen(function* () {
      const [command, count] = KINDS["children and grandchildren"] ?? ["sleep 1000", 1]
      assert.deepStrictEqual(yield* stopOf(command, count, { warm: false }), CONFIRMED)
    }).pipe(Effect.provide(poolLayer), Effect.scoped)
  )

  it.live("a forced command that hands the text to dash", () =>
    Effect.gen(function* () {
      const [command, count] = KINDS["a loop"] ?? ["sleep 1000", 1]
      assert.deepStrictEqual(yield* stopOf(command, count, { config: forcedShell("dash") }), CONFIRMED)
    }).pipe(Effect.provide(poolLayer), Effect.scoped)
  )

  it.live("a loop of the login shell whose connection was lost: the killer connects and finds it", () =>
    Effect.gen(function* () {
      const [command, count] = KINDS["a loop"] ?? ["sleep 1000", 1]
      const { left } = yield* stopOf(command, count, { meanwhile: (sshd) => sshd.killSessions })
      assert.deepStrictEqual(left, [])
    }).pipe(Effect.provide(poolLayer), Effect.scoped)
  )
})

describe("a stop that cannot look for processes", () => {
  it.live("stops the process group of an account without ps, grep and awk, and does not claim more", () =>
    Effect.gen(function* () {
      const directory = yield* Effect.acquireRelease(
        Effect.sync(() => mkdtempSync(`${tmpdir()}/restricted-`)),
        (path) => Effect.sync(() => rmSync(path, { recursive: true }))
      )
      for (const name of ["sh", "sleep"]) symlinkSync(`/bin/${name}`, `${directory}/${name}`)
      const { left, remote } = yield* stopOf("sleep 1000", 1, {
        config: [`SetEnv PATH=${directory} HOME=/nonexistent`]
      })
      assert.deepStrictEqual({ left, remote }, { left: [], remote: "unconfirmed" })
    }).pipe(Effect.provide(poolLayer), Effect.scoped)
  )
})
