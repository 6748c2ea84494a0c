import { Clock, Effect } from "effect"

/**
 * Milliseconds of a clock that nobody sets and that never goes back; only differences mean something. For all deadlines
 * and durations: the wall clock is for dates that are shown and for the validity of certificates.
 */
export const monotonicMillis: Effect.Effect<number> = Effect.map(Clock.monotonicTimeNanos, (nanos) =>
  Number(nanos / 1_000_000n)
)

/** A clock whose time of day is the monotonic time. */
const monotonicOnly = (clock: Clock.Clock): Clock.Clock => {
  const nanos = () => clock.monotonicTimeNanosUnsafe()
  const millis = () => Number(nanos() / 1_000_000n)
  return {
    currentTimeMillisUnsafe: millis,
    currentTimeMillis: Effect.sync(millis),
    currentTimeNanosUnsafe: nanos,
    currentTimeNanos: Effect.sync(nanos),
    monotonicTimeNanosUnsafe: nanos,
    monotonicTimeNanos: Effect.sync(nanos),
    sleep: (duration) => clock.sleep(duration)
  }
}

/**
 * Runs an operation of Effect's that counts a time to live by the wall clock (`RcMap`, `Cache`) by the monotonic clock:
 * when the wall clock is set back, the entry would live for as much longer.
 */
export const byMonotonicClock = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.updateService(effect, Clock.Clock, monotonicOnly)
