import { Effect, Ref, Semaphore } from "effect"
import type { Scope } from "effect"

/**
 * Commands at a time on one connection. sshd frees a session only after the channel's close has gone both ways, so that
 * back-to-back commands need twice their number: 5 fits its default of `MaxSessions 10`, and half is kept for stopping.
 */
export const COMMANDS_PER_CONNECTION = 5
/** Connections to one target, so at most 40 commands at a time; more wait. */
export const CONNECTIONS_PER_TARGET = 8

/** How many commands a connection carries, and may carry. */
interface Slot {
  readonly limit: number
  readonly taken: number
}

/** The places for commands on the connections to one target. Connections are numbered; low numbers fill first. */
export interface ConnectionSlots {
  /** Waits for a place and holds it until the Scope closes; gives the number of the connection. In order of arrival. */
  readonly take: Effect.Effect<number, never, Scope.Scope>
  /**
   * The server refused another session on a connection while it carried commands of ours: lowers what it may carry to
   * what it did carry without this one, at least 1. True when that frees the caller to look for another place.
   */
  readonly refused: (index: number) => Effect.Effect<boolean>
}

/** Makes the places of one target, all free. */
export const makeConnectionSlots: Effect.Effect<ConnectionSlots> = Effect.gen(function* () {
  const slots = yield* Ref.make<ReadonlyArray<Slot>>(
    Array.from({ length: CONNECTIONS_PER_TARGET }, () => ({ limit: COMMANDS_PER_CONNECTION, taken: 0 }))
  )
  const places = yield* Semaphore.make(CONNECTIONS_PER_TARGET * COMMANDS_PER_CONNECTION)
  const add = (all: ReadonlyArray<Slot>, index: number, count: number) =>
    all.map((slot, at) => (at === index ? { ...slot, taken: slot.taken + count } : slot))

  // There are as many permits as places, so a permit's holder always finds one.
  const claim = Ref.modify(slots, (all) => {
    const index = Math.max(
      0,
      all.findIndex((slot) => slot.taken < slot.limit)
    )
    return [index, add(all, index, 1)]
  })
  const take = Effect.andThen(
    places.takeScoped(1),
    Effect.acquireRelease(claim, (index) => Ref.update(slots, (all) => add(all, index, -1)))
  )
  const refused = Effect.fnUntraced(function* (index: number) {
    const [lowered, total] = yield* Ref.modify(slots, (all) => {
      const slot = all[index]
      const limit = Math.max(1, Math.min(slot?.limit ?? 1, (slot?.taken ?? 1) - 1))
      const next = all.map((each, at) => (at === index ? { ...each, limit } : each))
      const sum = next.reduce((count, each) => count + each.limit, 0)
      return [[(slot?.taken ?? 1) > 1, sum] as const, next]
    })
    yield* places.resize(total)
    return lowered
  })
  return { take, refused }
})
