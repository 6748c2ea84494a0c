import { Effect, Ref, Semaphore } from "effect"
import type { Scope } from "effect"
import { monotonicMillis } from "../MonotonicTime.ts"

/**
 * Commands at a time on one connection, to begin with. sshd frees a session only after the channel's close has gone both
 * ways, so that back-to-back commands need twice their number: 5 fits its default of `MaxSessions 10`.
 */
export const COMMANDS_PER_CONNECTION = 5
/** The most that a host can teach: one session of sshd's default of 10 is kept for stopping. */
export const MAX_COMMANDS_PER_CONNECTION = 9
/** Connections to one target, so 40 commands at a time to begin with and at most 72; more wait. */
export const CONNECTIONS_PER_TARGET = 8
/** Sessions that must have made a connection full, without a refusal between, before the host is asked for one more. */
export const PROOFS = 20
/** For how long a refusal keeps the limit from rising again. */
export const REFUSAL_MILLIS = 60_000

/** How many commands each connection to a host carries, and what is known about how many it may carry. */
export interface SlotState {
  /** For every connection alike: MaxSessions is a setting of the host. */
  readonly limit: number
  /** Commands that have a place on each connection. */
  readonly taken: ReadonlyArray<number>
  /** Those of them whose session the host opened. */
  readonly open: ReadonlyArray<number>
  /** Sessions opened that made a connection full, since the limit last changed. */
  readonly proofs: number
  /** Until when (in monotonic milliseconds) the limit does not rise. */
  readonly heldUntil: number
}

const NONE: ReadonlyArray<number> = Array.from({ length: CONNECTIONS_PER_TARGET }, () => 0)

/** All places free. */
export const noneTaken: SlotState = {
  limit: COMMANDS_PER_CONNECTION,
  taken: NONE,
  open: NONE,
  proofs: 0,
  heldUntil: 0
}

/** The connection that the next command goes to: the first with a place, so that no more are made than needed. */
export const place = (state: SlotState): number =>
  Math.max(
    0,
    state.taken.findIndex((taken) => taken < state.limit)
  )

const add = (counts: ReadonlyArray<number>, index: number, by: number): ReadonlyArray<number> =>
  counts.map((count, at) => (at === index ? count + by : count))

/** Adds to, or with -1 takes from, the places that are taken on a connection. */
export const changeTaken = (state: SlotState, index: number, by: 1 | -1): SlotState => ({
  ...state,
  taken: add(state.taken, index, by)
})

/** The session of a command ended. */
export const afterEnd = (state: SlotState, index: number): SlotState => ({ ...state, open: add(state.open, index, -1) })

/**
 * The host opened no further session on a connection. Lowers the limit to those that are open there. A command that was
 * refused alone teaches nothing: whatever holds the sessions is none of ours.
 */
export const afterRefusal = (state: SlotState, index: number, now: number): SlotState => {
  const open = state.open[index] ?? 0
  return open === 0
    ? state
    : { ...state, limit: Math.min(state.limit, open), proofs: 0, heldUntil: now + REFUSAL_MILLIS }
}

/** The host opened a session. Raises the limit by one after 20 that filled a connection, not within 60 s of a refusal. */
export const afterSuccess = (state: SlotState, index: number, now: number): SlotState => {
  const open = add(state.open, index, 1)
  const next = { ...state, open }
  if ((open[index] ?? 0) < state.limit || state.limit >= MAX_COMMANDS_PER_CONNECTION || now < state.heldUntil)
    return next
  return state.proofs + 1 < PROOFS
    ? { ...next, proofs: state.proofs + 1 }
    : { ...next, limit: state.limit + 1, proofs: 0 }
}

/** The places for commands on the connections to one target. Connections are numbered; low numbers fill first. */
export interface ConnectionSlots {
  /** Waits for a place and holds it until the Scope closes; gives the number of the connection. In order of arrival. */
  readonly take: Effect.Effect<number, never, Scope.Scope>
  /** Learns from a session that the host did not open. True when no other of ours is open on that connection. */
  readonly refused: (index: number) => Effect.Effect<boolean>
  /** Learns from a session that the host opened; it is taken to be open until the Scope closes. */
  readonly accepted: (index: number) => Effect.Effect<void, never, Scope.Scope>
  /** Whether the connection could carry one more command now. */
  readonly hasRoom: (index: number) => Effect.Effect<boolean>
  /** Commands that hold a place, and commands that may. */
  readonly load: Effect.Effect<{ readonly taken: number; readonly places: number }>
}

/** Makes the places of one target, all free. */
export const makeConnectionSlots: Effect.Effect<ConnectionSlots> = Effect.gen(function* () {
  const slots = yield* Ref.make(noneTaken)
  const places = yield* Semaphore.make(CONNECTIONS_PER_TARGET * COMMANDS_PER_CONNECTION)

  /** Applies what was learned; there are as many permits as places, so a permit's holder always finds one. */
  const learn = Effect.fnUntraced(function* (step: (state: SlotState, now: number) => SlotState) {
    const now = yield* monotonicMillis
    const [before, after] = yield* Ref.modify(slots, (state) => {
      const next = step(state, now)
      return [[state, next] as const, next]
    })
    if (after.limit !== before.limit) yield* places.resize(CONNECTIONS_PER_TARGET * after.limit)
    return before
  })

  const claim = Ref.modify(slots, (state) => {
    const index = place(state)
    return [index, changeTaken(state, index, 1)]
  })
  const take = Effect.andThen(
    places.takeScoped(1),
    Effect.acquireRelease(claim, (index) => Ref.update(slots, (state) => changeTaken(state, index, -1)))
  )
  return {
    take,
    refused: (index) =>
      Effect.map(
        learn((state, now) => afterRefusal(state, index, now)),
        (before) => (before.open[index] ?? 0) === 0
      ),
    accepted: (index) =>
      Effect.asVoid(
        Effect.acquireRelease(
          learn((state, now) => afterSuccess(state, index, now)),
          () => Ref.update(slots, (state) => afterEnd(state, index))
        )
      ),
    hasRoom: (index) => Effect.map(Ref.get(slots), (state) => (state.taken[index] ?? 0) < state.limit),
    load: Effect.map(Ref.get(slots), (state) => ({
      taken: state.taken.reduce((sum, taken) => sum + taken, 0),
      places: CONNECTIONS_PER_TARGET * state.limit
    }))
  }
})
