import { Deferred, Effect, Option, Ref } from "effect"
import * as Admission from "./Admission.ts"

/** A place in the queue for a slot, or a slot. */
export interface Slot {
  /** Resolves once the slot is given; at once when one was free. */
  readonly granted: Effect.Effect<void>
  /** Returns the slot, or leaves the queue. Must run exactly once. */
  readonly release: Effect.Effect<void>
  /** The limit that a waiting slot waits for. */
  readonly waitsFor: Effect.Effect<"max_tasks_per_host" | "max_concurrent_tasks">
}

/** The slots for commands: first come, first served among those whose host and process limits have room. */
export interface Slots {
  /**
   * Takes a slot or a place in the queue, atomically. None when `maxQueued` others wait already. The caller owes a
   * `release`, so it must be uninterruptible until that is sure.
   */
  readonly take: (ticket: Admission.Ticket, maxQueued: number) => Effect.Effect<Option.Option<Slot>>
  /** How many hold a slot and how many wait; both 0 once all work ended. */
  readonly counts: Effect.Effect<{ readonly running: number; readonly queued: number }>
}

interface Waiter extends Admission.Ticket {
  readonly granted: Deferred.Deferred<void>
}

/** Makes an empty set of slots. The limits come with each ticket. */
export const makeSlots: Effect.Effect<Slots> = Effect.gen(function* () {
  const admission = yield* Ref.make(Admission.empty<Waiter>())

  const grant = (waiters: ReadonlyArray<Waiter>) =>
    Effect.forEach(waiters, ({ granted }) => Deferred.succeed(granted, undefined), { discard: true })

  const slot = (waiter: Waiter): Slot => ({
    granted: Deferred.await(waiter.granted),
    release: Effect.uninterruptible(
      Effect.flatMap(
        Ref.modify(admission, (current) => Admission.leave(current, waiter)),
        grant
      )
    ),
    waitsFor: Effect.map(Ref.get(admission), (current) => Admission.waitsFor(current, waiter))
  })

  return {
    take: (ticket, maxQueued) =>
      Effect.uninterruptible(
        Effect.gen(function* () {
          const waiter: Waiter = { ...ticket, granted: yield* Deferred.make<void>() }
          const admitted = yield* Ref.modify(admission, (current) =>
            Option.match(Admission.request(current, waiter, maxQueued), {
              onNone: () => [Option.none<ReadonlyArray<Waiter>>(), current] as const,
              onSome: ([waiters, next]) => [Option.some(waiters), next] as const
            })
          )
          if (Option.isNone(admitted)) return Option.none<Slot>()
          yield* grant(admitted.value)
          return Option.some(slot(waiter))
        })
      ),
    counts: Effect.map(Ref.get(admission), ({ queued, running }) => ({ queued, running }))
  }
})
