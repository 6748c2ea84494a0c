import { Effect, Ref, Semaphore } from "effect"
import { monotonicMillis } from "../ssh/MonotonicTime.ts"
import type { Printer } from "./Printer.ts"

/** Back to the first column, and clear to the end of the line (ECMA-48 EL). */
const CLEAR = "\r\u001b[K"

/** One line at the bottom of a terminal that is rewritten in place, and the output that scrolls above it. */
export interface ProgressLine {
  /** Prints whole lines above the progress line. */
  readonly above: (print: Effect.Effect<void>) => Effect.Effect<void>
  /** Rewrites the line; does nothing unless a person watches. */
  readonly show: (text: string) => Effect.Effect<void>
  /** Removes the line; nothing is shown afterwards. */
  readonly end: Effect.Effect<void>
  /** Whole seconds since the line was made. */
  readonly elapsedSeconds: Effect.Effect<number>
}

/** A progress line on the printer's stderr. Writers take turns, so that output never lands inside the line. */
export const makeProgressLine = Effect.fnUntraced(function* (printer: Printer) {
  const turn = yield* Semaphore.make(1)
  const shown = yield* Ref.make("")
  const ended = yield* Ref.make(false)
  const startedAt = yield* monotonicMillis
  const clear = Effect.gen(function* () {
    if ((yield* Ref.get(shown)) !== "") yield* printer.err(CLEAR)
  })
  const line: ProgressLine = {
    above: (print) =>
      turn.withPermit(
        Effect.gen(function* () {
          yield* clear
          yield* print
          const text = yield* Ref.get(shown)
          if (text !== "") yield* printer.err(text)
        })
      ),
    show: (text) =>
      turn.withPermit(
        Effect.gen(function* () {
          if (!printer.interactive || (yield* Ref.get(ended))) return
          yield* clear
          yield* Ref.set(shown, text)
          yield* printer.err(text)
        })
      ),
    end: turn.withPermit(
      Effect.gen(function* () {
        yield* Ref.set(ended, true)
        yield* clear
        yield* Ref.set(shown, "")
      })
    ),
    elapsedSeconds: Effect.map(monotonicMillis, (now) => Math.floor((now - startedAt) / 1000))
  }
  return line
})
