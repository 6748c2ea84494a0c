import { Effect, Result } from "effect"
import { Base64Url } from "effect/encoding"
import { InvalidCursor } from "./errors.ts"

/** The opaque text of a position in a task's output: the number of the next line to read. */
export const encodeLineCursor = (line: number): string => Base64Url.encode(`line:${line}`)

/** The line that a cursor names. Only the very text that `encodeLineCursor` made is accepted. */
export const decodeLineCursor = (cursor: string): Effect.Effect<number, InvalidCursor> => {
  const text = Result.getOrElse(Base64Url.decodeString(cursor), () => "")
  const line = /^line:\d{1,15}$/.test(text) ? Number(text.slice(5)) : -1
  return line >= 0 && encodeLineCursor(line) === cursor ? Effect.succeed(line) : Effect.fail(new InvalidCursor())
}
