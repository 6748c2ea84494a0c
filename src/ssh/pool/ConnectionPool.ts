import { Context, Duration, Effect, Layer, Random, Ref, Result, Stream } from "effect"
import type { Scope } from "effect"
import {
  CONTROL_INDEX,
  ConnectionKey,
  makeConnections,
  type PooledConnection,
  scopedUnlessSuccess
} from "./Connections.ts"
import type { ConnectionSlots } from "./ConnectionSlots.ts"
import { type SshError, sshError, type SshFailure } from "../errors.ts"
import { monotonicMillis } from "../MonotonicTime.ts"
import { launchProcess } from "../process/RemoteProcess.ts"
import type { LaunchedProcess, RemoteProcess, StopReport } from "../process/RemoteProcess.ts"
import type { Target } from "../Target.ts"
import { Transport } from "../Transport.ts"
import type { Connection, OutputChunk } from "../Transport.ts"

/** How long a command waits for a place on its host's connections. */
const PLACE_WITHIN = Duration.seconds(60)
/** Attempts of one exec that the server refused. */
const EXEC_ATTEMPTS = 4
/** Moves of a command to another connection. */
const MOVES = 2
/** Connect budget of a stop. */
const STOP_BUDGET = Duration.seconds(5)
/** Bytes of a killer's answer that are looked at. */
const MAX_ANSWER_BYTES = 16 * 1024
/** A failure after which the next address of the host is tried. */
const TRY_NEXT: ReadonlySet<SshFailure> = new Set(["ConnectionRefused", "ConnectTimeout", "NetworkUnreachable"])

/** What is to be run, and where. */
export interface StartOptions {
  /** One host's allowed addresses in order: the next is tried when one refuses, is unreachable or does not answer. */
  readonly targets: readonly [Target, ...Array<Target>]
  /** The canonical command text. */
  readonly command: string
  /** For connecting: TCP, handshake and authentication, over all addresses. Waiting for a place is not counted. */
  readonly budget: Duration.Duration
  /** Receives the output in order; the host is slowed down while it runs. */
  readonly output: (chunk: OutputChunk) => Effect.Effect<void>
  /** Asked for the grace when the Scope closes while the command runs. */
  readonly grace: Effect.Effect<Duration.Duration>
  /** Ends when a stop has to answer at once. */
  readonly giveUp?: Effect.Effect<void>
  /** Told what that stop came to. Not called when the command had ended or never ran. */
  readonly stopped: (report: StopReport) => Effect.Effect<void>
}

/** What a check of a host found. */
export interface Reachable {
  readonly targetIp: string
  /** TCP, handshake and authentication together. */
  readonly latency: Duration.Duration
}

/**
 * Connections to hosts, shared by the commands that run on them. The connections to a target grow from one as needed,
 * with 5 commands on each and room to stop them, and go after a minute without use. A connection that broke is never
 * handed out.
 */
export class ConnectionPool extends Context.Service<
  ConnectionPool,
  {
    /**
     * Starts a command. Succeeds once it is known to have started on the host. When the Scope closes while it has not
     * exited, it is stopped with `grace` and `stopped` is told. A command that may have run is never sent again.
     */
    readonly start: (options: StartOptions) => Effect.Effect<RemoteProcess, SshError, Scope.Scope>
    /** Connects and authenticates anew, whatever is in the pool, and runs nothing: what it says is true now. */
    readonly check: (
      targets: readonly [Target, ...Array<Target>],
      budget: Duration.Duration
    ) => Effect.Effect<Reachable, SshError>
  }
>()("mcp-ssh-orchestrator/ssh/ConnectionPool") {
  /** Closing it closes every connection. */
  static readonly layer: Layer.Layer<ConnectionPool, never, Transport> = Layer.effect(
    ConnectionPool,
    Effect.gen(function* () {
      const transport = yield* Transport
      const connections = yield* makeConnections(transport)

      const collect = (connection: Connection, command: string) =>
        Effect.scoped(
          Effect.gen(function* () {
            const channel = yield* connection.exec(command)
            const answer = yield* Stream.runFold(
              channel.output,
              () => "",
              (text, chunk) =>
                chunk.stream === "stdout" && text.length < MAX_ANSWER_BYTES
                  ? text + Buffer.from(chunk.bytes).toString("latin1")
                  : text
            )
            yield* channel.exit
            return answer
          })
        )

      const pause = Effect.flatMap(Random.nextBetween(20, 50), (millis) => Effect.sleep(Duration.millis(millis)))
      const retryRefused = <A, R>(effect: Effect.Effect<A, SshError, R>) =>
        effect.pipe(
          Effect.tapError((error) => (error.failure === "ChannelRefused" ? pause : Effect.void)),
          Effect.retry({ times: EXEC_ATTEMPTS - 1, while: (error) => error.failure === "ChannelRefused" })
        )

      /** Runs a killer on a connection in its turn, until the connection is lost. */
      const kill = ({ connection, control }: PooledConnection, command: string) =>
        Effect.raceFirst(
          Effect.flatMap(connection.lost, Effect.fail),
          control.withPermit(retryRefused(collect(connection, command)))
        )

      /** Runs a killer on the connection of its command or, when that is gone or full, on one of its own. */
      const control = (target: Target, entry: PooledConnection) => (command: string) =>
        Effect.catch(kill(entry, command), () =>
          Effect.scoped(
            Effect.flatMap(connections.get(new ConnectionKey(target, CONTROL_INDEX, STOP_BUDGET)), (other) =>
              kill(other, command)
            )
          )
        )

      /** Lowers what the host is asked for; a connection whose sessions something else holds is not used again. */
      const refused = Effect.fnUntraced(function* (
        index: number,
        slots: ConnectionSlots,
        used: Ref.Ref<PooledConnection | undefined>
      ) {
        const alone = yield* slots.refused(index)
        const entry = yield* Ref.get(used)
        if (!alone || entry === undefined || !(yield* Ref.get(entry.proven))) return
        yield* entry.retire
      })

      /** Launches on one target: a place, a connection, an exec, and another place when the server is out of sessions. */
      const launchOn = Effect.fnUntraced(function* (target: Target, budget: Duration.Duration, options: StartOptions) {
        const { slots } = yield* connections.record(target)
        const launch = (
          index: number,
          used: Ref.Ref<PooledConnection | undefined>
        ): Effect.Effect<LaunchedProcess, SshError, Scope.Scope> =>
          scopedUnlessSuccess(
            Effect.gen(function* () {
              const entry = yield* connections.get(new ConnectionKey(target, index, budget))
              const { connection } = entry
              yield* Ref.set(used, entry)
              yield* Effect.addFinalizer(() => connection.keepReady?.(true) ?? Effect.void)
              const launched = yield* launchProcess({
                connection,
                alias: target.alias,
                targetIp: target.address,
                command: options.command,
                shell: yield* Ref.get(entry.shell),
                learned: (shell) => Ref.set(entry.shell, shell),
                output: options.output,
                grace: options.grace,
                ...(options.giveUp === undefined ? {} : { giveUp: options.giveUp }),
                // A channel that is closed over a living process keeps its session: no more commands there.
                stopped: (report) =>
                  Effect.andThen(report.remote === "confirmed" ? Effect.void : entry.retire, options.stopped(report)),
                control: control(target, entry)
              }).pipe(Effect.tapError((error) => (error.failure === "ConnectionLost" ? entry.retire : Effect.void)))
              yield* Ref.set(entry.proven, true)
              yield* slots.accepted(index)
              // A session that is kept ready is one of those that the host allows.
              yield* connection.keepReady?.(yield* slots.hasRoom(index)) ?? Effect.void
              return launched
            })
          )
        const attempt = (moves: number): Effect.Effect<LaunchedProcess, SshError, Scope.Scope> =>
          Effect.gen(function* () {
            const placed = yield* Effect.result(
              scopedUnlessSuccess(
                Effect.gen(function* () {
                  const index = yield* Effect.timeoutOrElse(slots.take, {
                    duration: PLACE_WITHIN,
                    orElse: () => Effect.fail(sshError(target.alias, "ChannelsBusy", "no free session within 60 s"))
                  })
                  const used = yield* Ref.make<PooledConnection | undefined>(undefined)
                  return yield* retryRefused(launch(index, used)).pipe(
                    Effect.tapError((error) =>
                      error.failure === "ChannelRefused" ? refused(index, slots, used) : Effect.void
                    )
                  )
                })
              )
            )
            if (Result.isSuccess(placed)) return placed.success
            if (placed.failure.failure !== "ChannelRefused" || moves === 0) return yield* placed.failure
            return yield* attempt(moves - 1)
          })
        return yield* attempt(MOVES)
      })

      /** Tries the targets in order, each with an equal share of what is left of the budget. */
      const firstOf = Effect.fnUntraced(function* <A, R>(
        all: readonly [Target, ...Array<Target>],
        budget: Duration.Duration,
        use: (target: Target, share: Duration.Duration) => Effect.Effect<A, SshError, R>
      ) {
        const until = (yield* monotonicMillis) + Duration.toMillis(budget)
        let last: SshError | undefined
        for (const [at, target] of all.entries()) {
          const left = Math.max(0, until - (yield* monotonicMillis))
          const answer = yield* Effect.result(use(target, Duration.millis(left / (all.length - at))))
          if (Result.isSuccess(answer)) return answer.success
          last = answer.failure
          if (!TRY_NEXT.has(last.because ?? last.failure)) break
        }
        return yield* last ?? sshError(all[0].alias, "ConnectTimeout", "nothing was tried")
      })

      const start = Effect.fn("ConnectionPool.start")(function* (options: StartOptions) {
        const [first, ...others] = options.targets
        // An address that is connected already answers sooner than one that comes before it.
        const isWarm = (target: Target) => connections.has(new ConnectionKey(target, 0, options.budget))
        const warm = yield* Effect.filter(others, isWarm)
        const ordered: readonly [Target, ...Array<Target>] =
          warm[0] === undefined || (yield* isWarm(first))
            ? options.targets
            : [warm[0], first, ...others.filter((target) => target !== warm[0])]
        const launched = yield* firstOf(ordered, options.budget, (target, share) => launchOn(target, share, options))
        return yield* launched.started
      })

      const check = Effect.fn("ConnectionPool.check")(
        (all: readonly [Target, ...Array<Target>], budget: Duration.Duration) =>
          firstOf(all, budget, (target, share) =>
            Effect.scoped(
              Effect.map(connections.fresh(target, share), ([latency]) => ({ targetIp: target.address, latency }))
            )
          )
      )
      return ConnectionPool.of({ start, check })
    })
  )
}
