import { Option, Result } from "effect"
import { Base64Url } from "effect/encoding"

/** Which list a cursor belongs to: a cursor of one is never valid for another. */
export type CursorKind = "hosts" | "resources" | "tasks"

/** The opaque text of a position in a list. */
export const encodeCursor = (kind: CursorKind, position: string): string => Base64Url.encode(`${kind}:${position}`)

/** The position that `encodeCursor` put into `cursor`, or none when it was not made for this list. */
export const decodeCursor = (kind: CursorKind, cursor: string): Option.Option<string> =>
  Option.filterMap(Result.getSuccess(Base64Url.decodeString(cursor)), (text) =>
    text.startsWith(`${kind}:`) ? Result.succeed(text.slice(kind.length + 1)) : Result.fail(undefined)
  )
