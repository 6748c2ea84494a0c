import type { Cause } from "effect"
import { Deferred, Duration, Effect, Layer, Queue, Ref, Scope, Stream } from "effect"
import type { LoginShell } from "../../../src/ssh/process/LoginShell.ts"
import { SshError } from "../../../src/ssh/errors.ts"
import type { SshFailure } from "../../../src/ssh/errors.ts"
import type { Target } from "../../../src/ssh/Target.ts"
import { Transport } from "../../../src/ssh/Transport.ts"
import type { Connection, OutputChunk, RemoteExit } from "../../../src/ssh/Transport.ts"

/** How an address behaves. */
export interface HostScript {
  /** Fails every connect, or the first few. */
  readonly connect?: SshFailure
  /** What the failure's `detail` says; the address by default. */
  readonly detail?: string
  /** Connects that fail; every one by default. */
  readonly failures?: number
  /** How long a connect takes. */
  readonly delay?: Duration.Input
  /** Sessions of one connection. */
  readonly maxSessions?: number
  /** What the login shell is; `posix` by default. */
  readonly shell?: LoginShell
  /** Never answers an exec. */
  readonly mute?: boolean
}

const encoder = new TextEncoder()

/**
 * Hosts in memory behind the `Transport` interface. `run N` runs until `end(N)` or the killer; everything else exits
 * with 0. The killer finds processes by their tag, as on a real host, also from another connection.
 */
export const makeHosts = Effect.fnUntraced(function* (scripts: Readonly<Record<string, HostScript>> = {}) {
  const connects = yield* Ref.make<ReadonlyArray<string>>([])
  const open = yield* Ref.make(0)
  const connecting = { now: 0, peak: 0 }
  let connectBegan = () => {}
  const channels = { opened: 0, closed: 0 }
  const execs: Array<string> = []
  let lateExecs = 0
  const live = new Map<string, { readonly name: string; readonly exit: Deferred.Deferred<RemoteExit, SshError> }>()
  const connections: Array<{ readonly drop: Effect.Effect<void>; readonly sessions: () => number }> = []

  const connect = (
    target: Target,
    _budget?: Duration.Duration,
    through?: Connection
  ): Effect.Effect<Connection, SshError, Scope.Scope> =>
    Effect.gen(function* () {
      const script = scripts[target.address] ?? {}
      const fail = (failure: SshFailure) =>
        new SshError({ failure, alias: target.alias, detail: script.detail ?? target.address })
      yield* Ref.update(connects, (all) => [...all, target.address])
      if ((target.via !== undefined) !== (through !== undefined)) return yield* fail("JumpHostFailed")
      connecting.peak = Math.max(connecting.peak, ++connecting.now)
      connectBegan()
      yield* Effect.ensuring(
        Effect.sleep(script.delay ?? "1 millis"),
        Effect.sync(() => connecting.now--)
      )
      const attempts = (yield* Ref.get(connects)).filter((address) => address === target.address).length
      if (script.connect !== undefined && attempts <= (script.failures ?? Infinity)) return yield* fail(script.connect)
      yield* Effect.acquireRelease(
        Ref.update(open, (n) => n + 1),
        () => Ref.update(open, (n) => n - 1)
      )
      const lost = yield* Deferred.make<SshError>()
      let sessions = 0
      connections.push({ drop: Deferred.succeed(lost, fail("ConnectionLost")), sessions: () => sessions })
      yield* Effect.addFinalizer(() => Deferred.succeed(lost, fail("ConnectionLost")))
      if (through !== undefined) {
        yield* through.lost.pipe(Effect.andThen(Deferred.succeed(lost, fail("ConnectionLost"))), Effect.forkScoped)
      }

      const exec: Connection["exec"] = (text) =>
        Effect.gen(function* () {
          if (yield* Deferred.isDone(lost)) {
            lateExecs++
            return yield* fail("ChannelRefused")
          }
          if (sessions >= (script.maxSessions ?? 10)) return yield* fail("ChannelRefused")
          yield* Effect.acquireRelease(
            Effect.sync(() => {
              sessions++
              channels.opened++
            }),
            () =>
              Effect.sync(() => {
                sessions--
                channels.closed++
              })
          )
          execs.push(text)
          if (script.mute === true) return yield* Effect.never
          const exit = yield* Deferred.make<RemoteExit, SshError>()
          const output = yield* Queue.make<OutputChunk, SshError | Cause.Done>()
          const print = (stream: OutputChunk["stream"], line: string) =>
            Queue.offer(output, { stream, bytes: encoder.encode(`${line}\n`) })
          const killer = /mcpstop ([0-9a-f]+) /.exec(text)
          const run = /\brun (\w+)/.exec(text)
          const tag = /\b([0-9a-f]{32})\b/.exec(text)?.[1]
          const probed = text.includes("{x}")
          if (killer !== null) {
            const found = live.get(killer[1] ?? "")
            if (found !== undefined) yield* Deferred.succeed(found.exit, { _tag: "Signalled", signal: "TERM" })
            yield* print("stdout", "DEAD")
            yield* Deferred.succeed(exit, { _tag: "Exited", code: 0 })
          } else {
            yield* print("stderr", `MCPRUN ${tag} 4711${probed ? ` ${script.shell ?? "posix"}` : ""}`)
            if (run === null) yield* Deferred.succeed(exit, { _tag: "Exited", code: 0 })
            else live.set(tag ?? "", { name: run[1] ?? "", exit })
          }
          yield* Deferred.await(lost).pipe(
            Effect.flatMap((error) => Deferred.fail(exit, error)),
            Effect.forkScoped
          )
          yield* Deferred.await(exit).pipe(
            Effect.exit,
            Effect.andThen(Queue.end(output)),
            Effect.andThen(Effect.sync(() => live.delete(tag ?? ""))),
            Effect.forkScoped
          )
          return {
            output: Stream.fromQueue(output),
            exit: Deferred.await(exit),
            closed: Effect.asVoid(Effect.exit(Deferred.await(exit)))
          }
        })
      const forward: Connection["forward"] = () =>
        Effect.acquireRelease(Effect.succeed({ through: target.alias }), () => Effect.void)
      return { exec, forward, lost: Deferred.await(lost) }
    })

  return {
    layer: Layer.succeed(Transport, Transport.of({ connect })),
    /** The addresses of all connects, in order. */
    connects: Ref.get(connects),
    /** Connections that are open. */
    open: Ref.get(open),
    /** Connects that are under way. */
    connecting: Effect.sync(() => connecting.now),
    /** Ends once so many connects are under way; for one who waits at a time. */
    untilConnecting: (count: number) =>
      Effect.callback<void>((resume) => {
        connectBegan = () => {
          if (connecting.now >= count) resume(Effect.void)
        }
        connectBegan()
      }),
    /** The most connects that were under way at the same time. */
    peakConnects: Effect.sync(() => connecting.peak),
    /** Channels that were opened, and of them closed. */
    channels: Effect.sync(() => ({ ...channels })),
    /** The texts of all execs that got a session, in order. */
    execs: Effect.sync(() => [...execs]),
    /** Execs that were asked of a connection after it was lost. */
    lateExecs: Effect.sync(() => lateExecs),
    /** Names of the `run` commands that are alive, in the order of their start. */
    running: Effect.sync(() => [...live.values()].map(({ name }) => name)),
    /** Lets a `run` command exit with 0. */
    end: (name: string) =>
      Effect.suspend(() => {
        const found = [...live.values()].find((each) => each.name === name)
        return found === undefined
          ? Effect.void
          : Effect.asVoid(Deferred.succeed(found.exit, { _tag: "Exited", code: 0 }))
      }),
    /** Breaks the connection that was made as the n-th. */
    drop: (index: number) => Effect.suspend(() => connections[index]?.drop ?? Effect.void),
    /** Sessions in use on each connection ever made. */
    sessions: Effect.sync(() => connections.map((each) => each.sessions()))
  }
})
