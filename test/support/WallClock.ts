import { Clock, Effect } from "effect"

/** Runs a test whose wall clock can be set, by so many milliseconds; sleeps and the monotonic clock go on as before. */
export const withWallClock = <A, E, R>(use: (set: (by: number) => Effect.Effect<void>) => Effect.Effect<A, E, R>) =>
  Effect.flatMap(Clock.Clock, (clock) => {
    let offset = 0
    const millis = () => clock.currentTimeMillisUnsafe() + offset
    const nanos = () => clock.currentTimeNanosUnsafe() + BigInt(offset) * 1_000_000n
    const shifted = Object.assign(Object.create(clock) as Clock.Clock, {
      currentTimeMillisUnsafe: millis,
      currentTimeMillis: Effect.sync(millis),
      currentTimeNanosUnsafe: nanos,
      currentTimeNanos: Effect.sync(nanos)
    })
    const set = (by: number) => Effect.sync(() => void (offset += by))
    return Effect.provideService(use(set), Clock.Clock, shifted)
  })
