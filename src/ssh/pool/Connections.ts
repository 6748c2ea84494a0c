import { Clock, Duration, Effect, Equal, Exit, Hash, RcMap, Ref, Result, Scope, Semaphore } from "effect"
import { backoff } from "./Backoff.ts"
import { type ConnectionSlots, makeConnectionSlots } from "./ConnectionSlots.ts"
import { jumpHostFailed, type SshError, sshError } from "../errors.ts"
import type { LoginShell } from "../process/LoginShell.ts"
import { isTransient } from "../SshFailures.ts"
import type { Target } from "../Target.ts"
import type { Connection, Transport } from "../Transport.ts"

/** How long an unused connection, and what was learned about a host without one, is kept. */
const IDLE_TTL = Duration.seconds(60)
/** Handshakes at a time in the whole process: more only lengthen the pauses of the event loop. */
export const MAX_HANDSHAKES = 50
/** Handshakes at a time with one host, and through one jump host: sshd drops some from 10 on (MaxStartups 10:30:100). */
export const MAX_HANDSHAKES_PER_HOST = 8
/** How long a handshake waits for its turn. */
const TURN_WITHIN = Duration.seconds(60)
/** Attempts of one connect that fails for a cause that passes. */
export const CONNECT_ATTEMPTS = 5
/** Killers at a time on one connection. */
const CONTROL_CHANNELS = 3
/** The number of the connection that is made for a killer which finds no session on the command's own. */
export const CONTROL_INDEX = -1

/** Which of the connections to a target. `budget` is that of the caller who makes it, and no part of the identity. */
export class ConnectionKey implements Equal.Equal {
  readonly target: Target
  /** 0 to 7 for commands, filled from the lowest; -1 for killers. Jump hosts are reached by their number 0. */
  readonly index: number
  /** For connecting, jump hosts included. */
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
export interface PooledConnection {
  readonly connection: Connection
  /** What its login shell is; undefined until a first command told. */
  readonly shell: Ref.Ref<LoginShell | undefined>
  /** Whether it ever opened a session: one that never did is refused by the host's configuration. */
  readonly proven: Ref.Ref<boolean>
  /** The turns of killers on it. */
  readonly control: Semaphore.Semaphore
  /** Set when the connection is gone or its sessions are held by what could not be stopped. */
  readonly retired: Ref.Ref<boolean>
}

/** What the connections to one target share. */
export interface HostRecord {
  readonly slots: ConnectionSlots
  /** Turns of handshakes with it, and with hosts behind it. */
  readonly handshakes: Semaphore.Semaphore
}

/** The connections of a pool, and what they share. All of it ends with the Scope in which it was made. */
export interface Connections {
  /**
   * The connection of a key, held until the Scope closes; made when there is none, with its jump hosts. Each caller waits for
   * at most its own budget once it is its turn, also when another caller's attempt is under way.
   */
  readonly get: (key: ConnectionKey) => Effect.Effect<PooledConnection, SshError, Scope.Scope>
  /** A connection that nobody else uses, closed with the Scope, and how long it took to make without the jump hosts. */
  readonly fresh: (
    target: Target,
    budget: Duration.Duration
  ) => Effect.Effect<readonly [Duration.Duration, Connection], SshError, Scope.Scope>
  /** Whether there is one, or is about to be. */
  readonly has: (key: ConnectionKey) => Effect.Effect<boolean>
  /** Takes a connection out, once: nobody gets it any more, and those who use it keep it until they are done. */
  readonly retire: (key: ConnectionKey, entry: PooledConnection) => Effect.Effect<void>
  /** What the connections to a target share, held until the Scope closes. */
  readonly record: (target: Target) => Effect.Effect<HostRecord, never, Scope.Scope>
}

/** Runs an effect in a Scope of its own within the caller's, which closes at once when the effect does not succeed. */
export const scopedUnlessSuccess = <A, E>(effect: Effect.Effect<A, E, Scope.Scope>): Effect.Effect<A, E, Scope.Scope> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      const scope = yield* Scope.fork(yield* Effect.scope)
      return yield* restore(Scope.provide(effect, scope)).pipe(
        Effect.onError((cause) => Scope.close(scope, Exit.failCause(cause)))
      )
    })
  )

/** Makes the connections of a pool over a transport, none yet. */
export const makeConnections = Effect.fnUntraced(function* (
  transport: Transport["Service"]
): Effect.fn.Return<Connections, never, Scope.Scope> {
  const poolScope = yield* Effect.scope
  const allHandshakes = yield* Semaphore.make(MAX_HANDSHAKES)
  const records = yield* RcMap.make({
    lookup: (_target: Target) =>
      Effect.all({ slots: makeConnectionSlots, handshakes: Semaphore.make(MAX_HANDSHAKES_PER_HOST) }),
    idleTimeToLive: IDLE_TTL
  })
  const record = (target: Target): Effect.Effect<HostRecord, never, Scope.Scope> => RcMap.get(records, target)

  /** Connects within the budget, again when the cause of a failure passes; a wait that the budget does not allow is none. */
  const dial = Effect.fn("ConnectionPool.dial")(function* (
    target: Target,
    budget: Duration.Duration,
    through: Connection | undefined
  ) {
    const until = (yield* Clock.currentTimeMillis) + Duration.toMillis(budget)
    for (let attempt = 0; ; attempt++) {
      const left = Duration.millis(Math.max(0, until - (yield* Clock.currentTimeMillis)))
      const answer = yield* Effect.result(
        Effect.timeoutOrElse(scopedUnlessSuccess(transport.connect(target, left, through)), {
          duration: left,
          orElse: () =>
            Effect.fail(sshError(target.alias, "ConnectTimeout", `no connection to ${target.address} in time`))
        })
      )
      if (Result.isSuccess(answer)) return answer.success
      const wait = yield* backoff(attempt)
      const inTime = (yield* Clock.currentTimeMillis) + Duration.toMillis(wait) < until
      if (!isTransient(answer.failure) || !inTime || attempt + 1 >= CONNECT_ATTEMPTS) return yield* answer.failure
      yield* Effect.sleep(wait)
    }
  })

  const throughOf = (key: ConnectionKey) =>
    key.target.via === undefined ? undefined : new ConnectionKey(key.target.via, 0, key.budget)

  const connections: RcMap.RcMap<ConnectionKey, PooledConnection, SshError> = yield* RcMap.make({
    lookup: (key: ConnectionKey) =>
      Effect.gen(function* () {
        // Held as long as this connection: the jump host's goes neither idle nor away before it.
        const via = throughOf(key)
        const through = via === undefined ? undefined : yield* Effect.mapError(shared(via), jumpHostFailed)
        const connection = yield* dial(key.target, key.budget, through?.connection)
        const entry: PooledConnection = {
          connection,
          shell: yield* Ref.make<LoginShell | undefined>(undefined),
          proven: yield* Ref.make(false),
          control: yield* Semaphore.make(CONTROL_CHANNELS),
          retired: yield* Ref.make(false)
        }
        // In the pool's scope: what drops the entry closes it, and must not wait for itself.
        const gone = through === undefined ? connection.lost : Effect.race(connection.lost, through.connection.lost)
        yield* gone.pipe(Effect.andThen(Effect.forkIn(retire(key, entry), poolScope)), Effect.forkScoped)
        return entry
      }).pipe(
        // A failed lookup would be remembered; nobody may be waiting any more who would drop it.
        Effect.tapError(() => Effect.forkIn(RcMap.invalidate(connections, key), poolScope))
      ),
    idleTimeToLive: (key) => (key.index === CONTROL_INDEX ? Duration.zero : IDLE_TTL)
  })

  const retire = (key: ConnectionKey, entry: PooledConnection): Effect.Effect<void> =>
    Effect.flatMap(Ref.getAndSet(entry.retired, true), (before) =>
      before ? Effect.void : RcMap.invalidate(connections, key)
    )

  /** The connection of a key, made when there is none; within the caller's own budget, also when others wait for it. */
  const shared: (key: ConnectionKey) => Effect.Effect<PooledConnection, SshError, Scope.Scope> = Effect.fnUntraced(
    function* (key: ConnectionKey) {
      const until = (yield* Clock.currentTimeMillis) + Duration.toMillis(key.budget)
      while (true) {
        const left = until - (yield* Clock.currentTimeMillis)
        const mine = new ConnectionKey(key.target, key.index, Duration.millis(Math.max(0, left)))
        const entry = yield* Effect.result(
          scopedUnlessSuccess(RcMap.get(connections, mine)).pipe(
            Effect.tapError(() => RcMap.invalidate(connections, mine)),
            // Who gives up takes the attempt along, unless others wait for it: it would go on to log in.
            Effect.onInterrupt(() => RcMap.invalidate(connections, mine)),
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
    }
  )

  /** Waits for the turns of a handshake and holds them until the Scope closes. Those of jump hosts were made before. */
  const turn = Effect.fn("ConnectionPool.turn")(
    function* (target: Target) {
      yield* (yield* record(target)).handshakes.takeScoped(1)
      if (target.via !== undefined) yield* (yield* record(target.via)).handshakes.takeScoped(1)
      yield* allHandshakes.takeScoped(1)
    },
    (effect, target) =>
      Effect.timeoutOrElse(effect, {
        duration: TURN_WITHIN,
        orElse: () => Effect.fail(sshError(target.alias, "ConnectTimeout", "no turn for a handshake within 60 s"))
      })
  )

  /** Connects the jump hosts of a key first and then, when it is its turn, runs `use` with what is left of the budget. */
  const inTurn = <A>(
    key: ConnectionKey,
    use: (left: Duration.Duration, through: Connection | undefined) => Effect.Effect<A, SshError, Scope.Scope>
  ): Effect.Effect<A, SshError, Scope.Scope> =>
    Effect.gen(function* () {
      const outer = yield* Effect.scope
      return yield* Effect.scoped(
        Effect.gen(function* () {
          const start = yield* Clock.currentTimeMillis
          const via = throughOf(key)
          const through = via === undefined ? undefined : yield* Effect.mapError(get(via), jumpHostFailed)
          const spent = (yield* Clock.currentTimeMillis) - start
          yield* turn(key.target)
          const left = Duration.millis(Math.max(0, Duration.toMillis(key.budget) - spent))
          return yield* Scope.provide(use(left, through?.connection), outer)
        })
      )
    })

  const get: Connections["get"] = (key) =>
    Effect.flatMap(RcMap.has(connections, key), (known) =>
      // A stop does not queue behind connects.
      known || key.index === CONTROL_INDEX
        ? shared(key)
        : inTurn(key, (left) => shared(new ConnectionKey(key.target, key.index, left)))
    )

  const fresh: Connections["fresh"] = (target, budget) =>
    Effect.gen(function* () {
      // The jump hosts' connections are held by the caller's Scope, as long as the one through them.
      const via = throughOf(new ConnectionKey(target, 0, budget))
      if (via !== undefined) yield* Effect.mapError(get(via), jumpHostFailed)
      return yield* inTurn(new ConnectionKey(target, 0, budget), (left, through) =>
        Effect.timed(dial(target, left, through))
      )
    })

  return { get, fresh, has: (key) => RcMap.has(connections, key), retire, record }
})
