import { bytesOf, runEnd } from "./RedactionStep.ts"

/**
 * The body of a PEM or OpenSSH private key after its first line (RFC 7468 §3, RFC 4716 §3.3), also on one line with
 * `\n` written out as JSON and shells have it. Whatever does not look like it ends the body, so that a key that was cut
 * short hides nothing else.
 */

const BASE64 = bytesOf("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=")
const SEPARATOR = bytesOf("\n\t \\")
const LABEL = bytesOf("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 ")
const HEADER_VALUE = bytesOf("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789,-")
/** What may follow a line of the body. */
const AFTER_LINE = bytesOf("\n\t \\\"',")

const END = Buffer.from("-----END ", "latin1")
const DASHES = Buffer.from("-----", "latin1")
/** Of the encrypted form (RFC 1421 §4.6). */
const HEADERS = ["Proc-Type: ", "DEK-Info: "].map((text) => Buffer.from(text, "latin1"))

const BACKSLASH = 0x5c

/** A base64 run this long is a line of the body wherever it ends; a key on one single line is taken in such steps. */
const LONG_RUN = 128
const STEP = 64

/** A shorter run is part of the body only as its last line. */
const LEAST_RUN = 16

/** Separators between two lines, indentation included. */
const MAX_SEPARATORS = 64

const MAX_LABEL = 40
const MAX_HEADER = 64

/** What came of one more piece of a body that goes on at `at`. */
type Piece =
  /** The body is over; what is before `to` belongs to it. */
  | { readonly _tag: "Over"; readonly to: number }
  | { readonly _tag: "Part"; readonly to: number }
  | { readonly _tag: "Undecided" }

const over = (to: number): Piece => ({ _tag: "Over", to })
const part = (to: number): Piece => ({ _tag: "Part", to })
const UNDECIDED: Piece = { _tag: "Undecided" }

/** Skips separators, with the letter after a written-out escape. */
const skipSeparators = (bytes: Uint8Array, at: number): number => {
  const limit = Math.min(bytes.length, at + MAX_SEPARATORS)
  let end = at
  while (end < limit && SEPARATOR[bytes[end] as number] === 1) {
    const isEscape = bytes[end] === BACKSLASH
    end++
    const letter = bytes[end]
    // n, r, t
    if (isEscape && (letter === 0x6e || letter === 0x72 || letter === 0x74)) end++
  }
  return end
}

/** Whether `text` stands at `at`; undefined when the bytes end first. */
const standsAt = (bytes: Uint8Array, at: number, text: Uint8Array): boolean | undefined => {
  const length = Math.min(text.length, bytes.length - at)
  for (let i = 0; i < length; i++) if (bytes[at + i] !== text[i]) return false
  return length === text.length ? true : undefined
}

/** The last line, `-----END … -----`, at `at`. */
const lastLine = (bytes: Uint8Array, at: number, final: boolean): number | undefined => {
  const begins = standsAt(bytes, at, END)
  if (begins === false) return -1
  if (begins === undefined) return final ? -1 : undefined
  const label = runEnd(bytes, at + END.length, LABEL, MAX_LABEL)
  const ends = standsAt(bytes, label, DASHES)
  if (ends === undefined) return final ? label : undefined
  return ends ? label + DASHES.length : label
}

/** The piece at `at`: separators and one line of base64, a header, or the last line. */
const piece = (bytes: Uint8Array, at: number, final: boolean): Piece => {
  const start = skipSeparators(bytes, at)
  if (start >= at + MAX_SEPARATORS) return over(at)
  // An escape may go on in the next chunk.
  if (start >= bytes.length) return final ? over(at) : UNDECIDED
  const last = lastLine(bytes, start, final)
  if (last === undefined) return UNDECIDED
  if (last !== -1) return over(last)
  for (const header of HEADERS) {
    const stands = standsAt(bytes, start, header)
    if (stands === undefined && !final) return UNDECIDED
    if (stands !== true) continue
    const end = runEnd(bytes, start + header.length, HEADER_VALUE, MAX_HEADER)
    return end === bytes.length && end < start + header.length + MAX_HEADER && !final ? UNDECIDED : part(end)
  }
  const end = runEnd(bytes, start, BASE64, LONG_RUN)
  if (end - start === LONG_RUN) return part(start + STEP)
  if (end === start) return over(at)
  if (end === bytes.length) return final ? over(end) : UNDECIDED
  if (end - start >= LEAST_RUN && AFTER_LINE[bytes[end] as number] === 1) return part(end)
  const next = skipSeparators(bytes, end)
  if (next === bytes.length) return final ? over(at) : UNDECIDED
  const ending = lastLine(bytes, next, final)
  if (ending === undefined) return UNDECIDED
  return over(ending === -1 ? at : ending)
}

/** A body as far as it can be told: what is before `to` belongs to it, and whether what comes after may as well. */
export interface KeyBody {
  readonly to: number
  readonly open: boolean
}

/**
 * Follows a body from `at` on, over at most `budget` bytes. When it is open, the bytes after `to` are to be looked at
 * again together with what comes next; they are at most some 200.
 */
export const keyBody = (bytes: Uint8Array, at: number, budget: number, final: boolean): KeyBody => {
  let to = at
  while (to - at < budget) {
    const next = piece(bytes, to, final)
    if (next._tag === "Undecided") return { to, open: true }
    to = next.to
    if (next._tag === "Over") return { to, open: false }
  }
  return { to, open: false }
}
