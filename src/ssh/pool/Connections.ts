import { Deferred, Duration, Effect, Equal, Exit, Hash, Option, RcMap, Ref, Result, Scope, Semaphore } from "effect"
import { backoff } from "./Backoff.ts"
import { type ConnectionSlots, makeConnectionSlots } from "./ConnectionSlots.ts"
import { jumpHostFailed, type SshError, sshError } from "../errors.ts"
import { byMonotonicClock, monotonicMillis } from "../MonotonicTime.ts"
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

/** Which of the connections to a target. `budget` and `isUrgent` are the caller's, and no part of the identity. */
export class ConnectionKey implements Equal.Equal {
  readonly target: Target
  /** 0 to 7 for commands, filled from the lowest; -1 for killers. Jump hosts are reached by their number 0. */
  readonly index: number
  /** For connecting, jump hosts included. */
  readonly budget: Duration.Duration
  /** For a stop, which does not queue behind connects. */
  readonly isUrgent: boolean

  constructor(target: Target, index: number, budget: Duration.Duration, isUrgent = index === CONTROL_INDEX) {
    this.target = target
    this.index = index
    this.budget = budget
    this.isUrgent = isUrgent
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
  /**
   * Takes it out, once: nobody gets it any more, and those who use it keep it until they are done. For one that is gone or
   * whose sessions are held by what could not be stopped.
   */
  readonly retire: Effect.Effect<void>
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
  /** What the connections to a target share, held until the Scope closes. */
  readonly record: (target: Target) => Effect.Effect<HostRecord, never, Scope.Scope>
}

/** How many wait for an attempt, and whether it is taken out: then nobody joins it any more. */
interface AttemptState {
  readonly waiting: number
  readonly isOut: boolean
}

const out = (state: AttemptState): AttemptState => ({ ...state, isOut: true })

/** One more waits, unless it is out. */
const joined = (state: AttemptState): readonly [isIn: boolean, next: AttemptState] =>
  state.isOut ? [false, state] : [true, { ...state, waiting: state.waiting + 1 }]

/** What the map holds of a key: a connection that is being made, or was. */
interface Attempt {
  /** Done once the handshake has its turn. */
  readonly began: Deferred.Deferred<void>
  /** Done when somebody waits who does not queue for a turn. */
  readonly urged: Deferred.Deferred<void>
  readonly made: Deferred.Deferred<PooledConnection, SshError>
  readonly state: Ref.Ref<AttemptState>
  /** Done once the map does not hold it any more. */
  readonly out: Deferred.Deferred<void>
}

/** A connection, and how many milliseconds of the caller's budget it took; waiting for turns is not counted. */
interface Reached {
  readonly entry: PooledConnection
  readonly spent: number
}

const makeAttempt: Effect.Effect<Attempt> = Effect.all({
  began: Deferred.make<void>(),
  urged: Deferred.make<void>(),
  made: Deferred.make<PooledConnection, SshError>(),
  state: Ref.make({ waiting: 0, isOut: false }),
  out: Deferred.make<void>()
})

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

/** Gets the entry of a key until the Scope closes, after which its idle time runs by the monotonic clock. */
const borrow = Effect.fnUntraced(function* <K, A>(map: RcMap.RcMap<K, A>, key: K) {
  const scope = yield* Scope.make()
  yield* Effect.addFinalizer((exit) => byMonotonicClock(Scope.close(scope, exit)))
  return yield* Scope.provide(RcMap.get(map, key), scope)
})

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
  const record = (target: Target): Effect.Effect<HostRecord, never, Scope.Scope> => borrow(records, target)

  /** Connects within the budget, again when the cause of a failure passes; a wait that the budget does not allow is none. */
  const dial = Effect.fn("ConnectionPool.dial")(function* (
    target: Target,
    budget: Duration.Duration,
    through: Connection | undefined
  ) {
    const until = (yield* monotonicMillis) + Duration.toMillis(budget)
    for (let attempt = 0; ; attempt++) {
      const left = Duration.millis(Math.max(0, until - (yield* monotonicMillis)))
      const answer = yield* Effect.result(
        Effect.timeoutOrElse(scopedUnlessSuccess(transport.connect(target, left, through)), {
          duration: left,
          orElse: () =>
            Effect.fail(sshError(target.alias, "ConnectTimeout", `no connection to ${target.address} in time`))
        })
      )
      if (Result.isSuccess(answer)) return answer.success
      const wait = yield* backoff(attempt)
      const inTime = (yield* monotonicMillis) + Duration.toMillis(wait) < until
      if (!isTransient(answer.failure) || !inTime || attempt + 1 >= CONNECT_ATTEMPTS) return yield* answer.failure
      yield* Effect.sleep(wait)
    }
  })

  const throughOf = (key: ConnectionKey) =>
    key.target.via === undefined ? undefined : new ConnectionKey(key.target.via, 0, key.budget, key.isUrgent)

  /** Takes the turns of a handshake and holds them until the Scope closes. Those of jump hosts were made before. */
  const turn = Effect.fn("ConnectionPool.turn")(function* (target: Target) {
    yield* (yield* record(target)).handshakes.takeScoped(1)
    if (target.via !== undefined) yield* (yield* record(target.via)).handshakes.takeScoped(1)
    yield* allHandshakes.takeScoped(1)
  })

  /** Makes the connection of an attempt: the jump hosts' first, and then in its turn, which ends with the handshake. */
  const make = Effect.fnUntraced(function* (key: ConnectionKey, attempt: Attempt) {
    const scope = yield* Effect.scope
    // Held as long as this connection: the jump host's goes neither idle nor away before it.
    const via = throughOf(key)
    const through = via === undefined ? undefined : (yield* Effect.mapError(reach(via), jumpHostFailed)).entry
    const connection = yield* Effect.scoped(
      Effect.gen(function* () {
        if (!key.isUrgent) yield* Effect.raceFirst(turn(key.target), Deferred.await(attempt.urged))
        yield* Deferred.succeed(attempt.began, undefined)
        return yield* Scope.provide(dial(key.target, key.budget, through?.connection), scope)
      })
    )
    const entry: PooledConnection = {
      connection,
      shell: yield* Ref.make<LoginShell | undefined>(undefined),
      proven: yield* Ref.make(false),
      control: yield* Semaphore.make(CONTROL_CHANNELS),
      retire: change(key, attempt, out)
    }
    // In the pool's scope: what drops the entry closes it, and must not wait for itself.
    const gone = through === undefined ? connection.lost : Effect.race(connection.lost, through.connection.lost)
    yield* gone.pipe(Effect.andThen(Effect.forkIn(entry.retire, poolScope)), Effect.forkScoped)
    return entry
  })

  const connections: RcMap.RcMap<ConnectionKey, Attempt> = yield* RcMap.make({
    lookup: Effect.fnUntraced(function* (key: ConnectionKey) {
      const attempt = yield* makeAttempt
      // Closed after the fiber that fills it has ended.
      const held = yield* Scope.fork(yield* Effect.scope)
      yield* Scope.provide(make(key, attempt), held).pipe(
        Effect.onExit((exit) =>
          Effect.andThen(Deferred.done(attempt.made, exit), Deferred.succeed(attempt.began, undefined))
        ),
        Effect.forkScoped
      )
      // Closed first: whoever still waits when the pool ends is let go, and nothing is taken out any more.
      yield* Effect.addFinalizer(() =>
        Ref.update(attempt.state, out).pipe(
          Effect.andThen(Deferred.succeed(attempt.out, undefined)),
          Effect.andThen(Deferred.interrupt(attempt.made)),
          Effect.andThen(Deferred.succeed(attempt.began, undefined))
        )
      )
      return attempt
    }),
    idleTimeToLive: (key: ConnectionKey) => (key.index === CONTROL_INDEX ? Duration.zero : IDLE_TTL)
  })

  /** Changes the state of an attempt. When this takes it out, removes it from the map: it and never its successor. */
  const change = (key: ConnectionKey, attempt: Attempt, step: (state: AttemptState) => AttemptState) =>
    Effect.uninterruptible(
      Effect.gen(function* () {
        const [before, after] = yield* Ref.modify(attempt.state, (state) => {
          const next = step(state)
          return [[state, next] as const, next]
        })
        if (before.isOut || !after.isOut) return
        yield* RcMap.invalidate(connections, key)
        yield* Deferred.succeed(attempt.out, undefined)
      })
    )

  /** Who was the last to wait takes the attempt along: it would go on to log in. One that failed is of no use to anybody. */
  const leave = Effect.fnUntraced(function* (key: ConnectionKey, attempt: Attempt) {
    const made = yield* Effect.transposeOption(Option.map(yield* Deferred.poll(attempt.made), Effect.exit))
    const hasFailed = Option.exists(made, Exit.isFailure)
    yield* change(key, attempt, ({ isOut, waiting }) => ({
      waiting: waiting - 1,
      isOut: isOut || hasFailed || (Option.isNone(made) && waiting === 1)
    }))
  })

  /** The connection of a key, made when there is none, and how much of the caller's own budget that took. */
  const reach: (key: ConnectionKey) => Effect.Effect<Reached, SshError, Scope.Scope> = Effect.fnUntraced(function* (
    key: ConnectionKey
  ) {
    const budget = Duration.toMillis(key.budget)
    let spent = 0
    let turnLeft = Duration.toMillis(TURN_WITHIN)
    while (true) {
      const mine = new ConnectionKey(key.target, key.index, Duration.millis(Math.max(0, budget - spent)), key.isUrgent)
      let isFinal = true
      const late = (detail: string) => sshError(key.target.alias, "ConnectTimeout", detail)

      const wait = Effect.fnUntraced(function* (attempt: Attempt) {
        if (key.isUrgent) yield* Deferred.succeed(attempt.urged, undefined)
        const queued = yield* monotonicMillis
        yield* Effect.timeoutOrElse(Deferred.await(attempt.began), {
          duration: Duration.millis(Math.max(0, turnLeft)),
          orElse: () => Effect.fail(late("no turn for a handshake within 60 s"))
        })
        const begun = yield* monotonicMillis
        turnLeft -= begun - queued
        const made = yield* Effect.timeoutOption(Effect.result(Deferred.await(attempt.made)), mine.budget)
        spent += (yield* monotonicMillis) - begun
        if (Option.isNone(made)) return yield* late("the connection was not made in time")
        // Who joined an attempt with a shorter budget tries again with the rest of its own.
        if (Result.isFailure(made.value)) isFinal = made.value.failure.failure !== "ConnectTimeout"
        const entry = yield* Effect.fromResult(made.value)
        if (!(yield* Ref.get(attempt.state)).isOut) return entry
        isFinal = false
        return yield* late("the connection was lost as soon as it was made")
      })

      const answer = yield* Effect.result(
        scopedUnlessSuccess(
          Effect.gen(function* () {
            const outer = yield* Effect.scope
            return yield* Effect.scoped(
              Effect.gen(function* () {
                const via = throughOf(mine)
                // Each caller waits for the jump hosts itself, since their turns are not counted.
                if (via !== undefined && !(yield* RcMap.has(connections, mine))) {
                  spent += (yield* Effect.mapError(reach(via), jumpHostFailed)).spent
                }
                const attempt = yield* Scope.provide(borrow(connections, mine), outer)
                return yield* Effect.acquireUseRelease(
                  Ref.modify(attempt.state, joined),
                  (isIn) => {
                    if (isIn) return wait(attempt)
                    isFinal = false
                    return Effect.andThen(Deferred.await(attempt.out), Effect.fail(late("the connection was lost")))
                  },
                  (isIn) => (isIn ? leave(mine, attempt) : Effect.void)
                )
              })
            )
          })
        )
      )
      if (Result.isSuccess(answer)) return { entry: answer.success, spent }
      if (isFinal || spent >= budget) return yield* answer.failure
    }
  })

  const fresh: Connections["fresh"] = Effect.fnUntraced(function* (target, budget) {
    const scope = yield* Effect.scope
    // Held by the caller's Scope, as long as the connection through it.
    const via = throughOf(new ConnectionKey(target, 0, budget))
    const jump = via === undefined ? undefined : yield* Effect.mapError(reach(via), jumpHostFailed)
    const left = Duration.millis(Math.max(0, Duration.toMillis(budget) - (jump?.spent ?? 0)))
    return yield* Effect.scoped(
      Effect.gen(function* () {
        yield* Effect.timeoutOrElse(turn(target), {
          duration: TURN_WITHIN,
          orElse: () => Effect.fail(sshError(target.alias, "ConnectTimeout", "no turn for a handshake within 60 s"))
        })
        return yield* Scope.provide(Effect.timed(dial(target, left, jump?.entry.connection)), scope)
      })
    )
  })

  const get: Connections["get"] = (key) => Effect.map(reach(key), ({ entry }) => entry)
  return { get, fresh, has: (key) => RcMap.has(connections, key), record }
})
