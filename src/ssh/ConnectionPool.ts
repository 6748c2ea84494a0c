import {
  Clock,
  Context,
  Duration,
  Effect,
  Equal,
  Exit,
  Hash,
  Layer,
  RcMap,
  Random,
  Ref,
  Result,
  Scope,
  Semaphore,
  Stream
} from "effect"
import { makeConnectionSlots } from "./ConnectionSlots.ts"
import { type SshError, sshError, type SshFailure } from "./errors.ts"
import { launchProcess } from "./RemoteProcess.ts"
import type { LaunchedProcess, RemoteProcess, StopReport } from "./RemoteProcess.ts"
import { isDroppedAtStart } from "./SshFailures.ts"
import type { Target } from "./Target.ts"
import { Transport } from "./Transport.ts"
import type { Connection, OutputChunk } from "./Transport.ts"

/** How long an unused connection is kept. */
const IDLE_TTL = Duration.seconds(60)
/** Handshakes at a time in the whole process: more only lengthen the pauses of the event loop. */
const MAX_HANDSHAKES = 50
/** How long a command waits for a place on its host's connections. */
const PLACE_WITHIN = Duration.seconds(60)
/** Killers at a time on one connection. */
const CONTROL_CHANNELS = 3
/** Attempts of one exec that the server refused, and of one connect that it dropped at the start. */
const EXEC_ATTEMPTS = 4
const CONNECT_ATTEMPTS = 3
/** Moves of a command to another connection. */
const MOVES = 2
/** Connect budget of a stop. */
const STOP_BUDGET = Duration.seconds(5)
/** Bytes of a killer's answer that are looked at. */
const MAX_ANSWER_BYTES = 16 * 1024
/** The number of the connection that is made for a killer which finds no session on the command's own. */
const CONTROL_INDEX = -1

/** A failure after which the next address of the host is tried. */
const TRY_NEXT: ReadonlySet<SshFailure> = new Set(["ConnectionRefused", "ConnectTimeout", "NetworkUnreachable"])

/** Which of the connections to a target. `budget` is that of the caller who makes it, and no part of the identity. */
class ConnectionKey implements Equal.Equal {
  readonly target: Target
  readonly index: number
  readonly budget: Duration.Duration

  constructor(target: Target, index: number, budget: Duration.Duration) {
    this.target = target
    this.index = index
    this.budget = budget
  }

  [Equal.symbol](that: Equal.Equal): boolean {
    return that instanceof ConnectionKey && that.index === this.index && Equal.equals(that.target, this.target)
  }

  [Hash.symbol](): number {
    return Hash.combine(Hash.hash(this.target), Hash.number(this.index))
  }
}

/** A connection in the pool. */
interface Entry {
  readonly connection: Connection
  readonly control: Semaphore.Semaphore
  /** Set when the connection is gone or its sessions are held by what could not be stopped. */
  readonly retired: Ref.Ref<boolean>
}

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
  /** Told what that stop came to. Not called when the command had ended or never ran. */
  readonly stopped: (report: StopReport) => Effect.Effect<void>
}

/** What a check of a host found. */
export interface Reachable {
  readonly targetIp: string
  /** TCP, handshake and authentication together. */
  readonly latency: Duration.Duration
}

/** Runs an effect in a Scope of its own within the caller's, which closes at once when the effect does not succeed. */
const scopedUnlessSuccess = <A, E>(effect: Effect.Effect<A, E, Scope.Scope>): Effect.Effect<A, E, Scope.Scope> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      const scope = yield* Scope.fork(yield* Effect.scope)
      return yield* restore(Scope.provide(effect, scope)).pipe(
        Effect.onError((cause) => Scope.close(scope, Exit.failCause(cause)))
      )
    })
  )

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
      const poolScope = yield* Effect.scope
      const handshakes = yield* Semaphore.make(MAX_HANDSHAKES)

      const dial = (target: Target, budget: Duration.Duration): Effect.Effect<Connection, SshError, Scope.Scope> =>
        scopedUnlessSuccess(handshakes.withPermit(transport.connect(target, budget))).pipe(
          // sshd drops connections above MaxStartups before it says a word.
          Effect.tapError((error) =>
            isDroppedAtStart(error.detail)
              ? Effect.flatMap(Random.nextBetween(50, 300), (millis) => Effect.sleep(Duration.millis(millis)))
              : Effect.void
          ),
          Effect.retry({ times: CONNECT_ATTEMPTS - 1, while: (error) => isDroppedAtStart(error.detail) }),
          Effect.timeoutOrElse({
            duration: budget,
            orElse: () =>
              Effect.fail(sshError(target.alias, "ConnectTimeout", `no connection to ${target.address} in time`))
          })
        )

      const connections: RcMap.RcMap<ConnectionKey, Entry, SshError> = yield* RcMap.make({
        lookup: (key: ConnectionKey) =>
          Effect.gen(function* () {
            const connection = yield* dial(key.target, key.budget)
            const entry: Entry = {
              connection,
              control: yield* Semaphore.make(CONTROL_CHANNELS),
              retired: yield* Ref.make(false)
            }
            // In the pool's scope: what drops the entry closes it, and must not wait for itself.
            yield* connection.lost.pipe(Effect.andThen(Effect.forkIn(retire(key, entry), poolScope)), Effect.forkScoped)
            return entry
          }).pipe(
            // A failed lookup would be remembered; nobody may be waiting any more who would drop it.
            Effect.tapError(() => Effect.forkIn(RcMap.invalidate(connections, key), poolScope))
          ),
        idleTimeToLive: (key) => (key.index === CONTROL_INDEX ? Duration.zero : IDLE_TTL)
      })
      const targets = yield* RcMap.make({ lookup: (_target: Target) => makeConnectionSlots, idleTimeToLive: IDLE_TTL })

      /** Takes a connection out of the pool, once; those who use it keep it until they are done. */
      const retire = (key: ConnectionKey, entry: Entry): Effect.Effect<void> =>
        Effect.flatMap(Ref.getAndSet(entry.retired, true), (before) =>
          before ? Effect.void : RcMap.invalidate(connections, key)
        )

      /** The connection of a key, made when there is none; within the caller's own budget, also when others wait for it. */
      const connect = Effect.fn("ConnectionPool.connect")(function* (key: ConnectionKey) {
        const until = (yield* Clock.currentTimeMillis) + Duration.toMillis(key.budget)
        while (true) {
          const left = until - (yield* Clock.currentTimeMillis)
          const mine = new ConnectionKey(key.target, key.index, Duration.millis(Math.max(0, left)))
          const entry = yield* Effect.result(
            scopedUnlessSuccess(RcMap.get(connections, mine)).pipe(
              Effect.tapError(() => RcMap.invalidate(connections, mine)),
              Effect.timeoutOrElse({
                duration: mine.budget,
                orElse: () =>
                  Effect.fail(sshError(key.target.alias, "ConnectTimeout", "the connection was not made in time"))
              })
            )
          )
          if (Result.isSuccess(entry)) {
            if (!(yield* Ref.get(entry.success.retired))) return entry.success
            yield* RcMap.invalidate(connections, mine)
            continue
          }
          // Who joined an attempt with a shorter budget tries again with the rest of its own.
          const over = (yield* Clock.currentTimeMillis) >= until
          if (over || entry.failure.failure !== "ConnectTimeout") return yield* entry.failure
        }
      })

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

      /** Runs a killer on the connection of its command or, when that is gone or full, on one of its own. */
      const control = (target: Target, entry: Entry) => (command: string) =>
        entry.control
          .withPermit(retryRefused(collect(entry.connection, command)))
          .pipe(
            Effect.catch(() =>
              Effect.scoped(
                Effect.flatMap(connect(new ConnectionKey(target, CONTROL_INDEX, STOP_BUDGET)), (other) =>
                  other.control.withPermit(retryRefused(collect(other.connection, command)))
                )
              )
            )
          )

      /** Launches on one target: a place, a connection, an exec, and another place when the server is out of sessions. */
      const launchOn = Effect.fn("ConnectionPool.launch")(function* (
        target: Target,
        budget: Duration.Duration,
        options: StartOptions
      ) {
        const slots = yield* RcMap.get(targets, target)
        const launch = (index: number): Effect.Effect<LaunchedProcess, SshError, Scope.Scope> =>
          scopedUnlessSuccess(
            Effect.gen(function* () {
              const key = new ConnectionKey(target, index, budget)
              const entry = yield* connect(key)
              return yield* launchProcess({
                connection: entry.connection,
                alias: target.alias,
                targetIp: target.address,
                command: options.command,
                output: options.output,
                grace: options.grace,
                // A channel that is closed over a living process keeps its session: no more commands there.
                stopped: (report) =>
                  Effect.andThen(
                    report.remote === "confirmed" ? Effect.void : retire(key, entry),
                    options.stopped(report)
                  ),
                control: control(target, entry)
              })
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
                  return yield* retryRefused(launch(index)).pipe(
                    Effect.tapError((error) =>
                      error.failure === "ChannelRefused" ? slots.refused(index) : Effect.void
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
      const firstOf = Effect.fn("ConnectionPool.firstOf")(function* <A, R>(
        all: readonly [Target, ...Array<Target>],
        budget: Duration.Duration,
        use: (target: Target, share: Duration.Duration) => Effect.Effect<A, SshError, R>
      ) {
        const until = (yield* Clock.currentTimeMillis) + Duration.toMillis(budget)
        let last: SshError | undefined
        for (const [at, target] of all.entries()) {
          const left = Math.max(0, until - (yield* Clock.currentTimeMillis))
          const answer = yield* Effect.result(use(target, Duration.millis(left / (all.length - at))))
          if (Result.isSuccess(answer)) return answer.success
          last = answer.failure
          if (!TRY_NEXT.has(last.failure)) break
        }
        return yield* last ?? sshError(all[0].alias, "ConnectTimeout", "nothing was tried")
      })

      const start = Effect.fn("ConnectionPool.start")(function* (options: StartOptions) {
        const [first, ...others] = options.targets
        // An address that is connected already answers sooner than one that comes before it.
        const isWarm = (target: Target) => RcMap.has(connections, new ConnectionKey(target, 0, options.budget))
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
              Effect.map(Effect.timed(dial(target, share)), ([latency]) => ({ targetIp: target.address, latency }))
            )
          )
      )
      return ConnectionPool.of({ start, check })
    })
  )
}
