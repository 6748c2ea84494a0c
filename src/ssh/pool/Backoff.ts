import { Duration, Effect, Random } from "effect"

/** The longest wait before another attempt. */
const MAX_MILLIS = 2_000
/** The first wait, at most. */
const BASE_MILLIS = 100

/** The bounds of the wait after the `attempt`-th failure, counted from 0: half to all of 100 ms, doubled each time up to 2 s. */
export const backoffBounds = (attempt: number): readonly [min: number, max: number] => {
  const max = Math.min(MAX_MILLIS, BASE_MILLIS * 2 ** Math.min(16, Math.max(0, attempt)))
  return [max / 2, max]
}

/** Draws that wait, so that clients which failed together do not come back together. */
export const backoff = (attempt: number): Effect.Effect<Duration.Duration> => {
  const [min, max] = backoffBounds(attempt)
  return Effect.map(Random.nextBetween(min, max), (millis) => Duration.millis(Math.round(millis)))
}
