import { Effect, Exit, Fiber, Scope } from "effect"
import { ConnectionPool } from "../../src/ssh/pool/ConnectionPool.ts"
import type { StopReport } from "../../src/ssh/process/RemoteProcess.ts"
import * as Sshd from "../support/Sshd.ts"
import { eventually, login, makeRecorder, runCommand, targetOf } from "../support/SshFixtures.ts"

/** How `stopOf` goes about it, besides what the sshd is like. */
export interface StopOptions extends Sshd.SshdOptions {
  /** The account to log in as; the one that runs the tests when absent. */
  readonly user?: string
  /** Whether another command first tells what the login shell is; true by default. */
  readonly warm?: boolean
  /** What happens between the start of the command and its stop. */
  readonly meanwhile?: (sshd: Sshd.Sshd) => Effect.Effect<void>
}

/** What a stop came to and what it left. */
export interface Stopped {
  readonly remote: StopReport["remote"] | undefined
  /** The command lines of the processes that the stop names as alive. */
  readonly known: ReadonlyArray<string>
  /** Those of the processes that are alive. */
  readonly left: ReadonlyArray<string>
}

/** A stop that found everything. */
export const CONFIRMED: Stopped = { remote: "confirmed", known: [], left: [] }

/** A command that ignores every polite signal, as do its children. */
const IGNORING = `trap "" HUP TERM PIPE INT`

/** Kinds of command, and how many processes each has when it runs. */
export const KINDS = {
  "one program": ["sleep 1000", 1],
  "children and grandchildren": ["sleep 1000 & (sleep 1000 & sleep 1000) & sleep 1000", 4],
  "one that ignores HUP, TERM, PIPE and INT": [`${IGNORING}; while :; do sleep 1; done`, 2],
  "a child in a session of its own": ["setsid sleep 1000 & sleep 1000", 2],
  "a child in a session of its own that ignores HUP, TERM, PIPE and INT": [
    `setsid sh -c '${IGNORING}; while :; do sleep 1; done' & sleep 1000`,
    4
  ],
  "a child in a session and an environment of its own": ["setsid env -i sleep 1000 >/dev/null 2>&1 & sleep 1000", 2],
  "a child that nohup protects": ["nohup sleep 1000 >/dev/null 2>&1 & sleep 1000", 2],
  "a child whose parent is gone": ["(setsid sleep 1000 >/dev/null 2>&1 &) ; sleep 1000", 2],
  "a stopped process": ["sh -c 'kill -STOP $$; sleep 1000'", 1],
  "a pipeline": ["sleep 1000 | sleep 1000 | cat", 3],
  "a loop": ["while true; do sleep 1000; done", 2],
  "a loop that reads a pipeline": ["yes | while read -r x; do sleep 1000; done", 2]
} as const satisfies Readonly<Record<string, readonly [command: string, processes: number]>>

/**
 * Starts a command, waits until `count` processes run, stops it by closing its Scope, and gives what the stop came to and the
 * processes that are left.
 */
export const stopOf = Effect.fnUntraced(function* (command: string, count: number, options: StopOptions = {}) {
  const sshd = yield* Sshd.start(options)
  const alive = Effect.map(sshd.processes, (all) => all.filter((each) => !each.command.startsWith("sshd")))
  const target = yield* targetOf(
    sshd,
    options.user === undefined ? {} : { login: login({ username: options.user, pem: sshd.key.pem }) }
  )
  const pool = yield* ConnectionPool
  const recorder = yield* makeRecorder
  if (options.warm !== false) yield* runCommand(target, "true")
  const scope = yield* Scope.make()
  const process = yield* Scope.provide(pool.start(recorder.options(target, command)), scope)
  const waiting = yield* Effect.forkChild(Effect.result(process.wait), { startImmediately: true })
  yield* eventually(Effect.map(alive, (all) => all.length >= count))
  yield* options.meanwhile?.(sshd) ?? Effect.void
  yield* Scope.close(scope, Exit.void)
  yield* Fiber.interrupt(waiting)
  const [stop] = yield* recorder.stops
  const all = yield* alive
  const stopped: Stopped = {
    remote: stop?.remote,
    known: all.filter((each) => stop?.survivors.includes(each.pid)).map((each) => each.command),
    left: all.map((each) => each.command)
  }
  return stopped
})
