/**
 * Makes the bytes of one output stream safe to show: UTF-8 with U+FFFD for what is not UTF-8, no control characters
 * but `\n` and `\t`, no terminal escape sequences (ECMA-48), no invisible characters that could hide or reorder text.
 * A pure machine: `clean` takes a state and returns the next one, so that any chunking gives the same text.
 */

/** Where the machine stands inside an escape sequence. */
type Position =
  /** Plain text. */
  | "ground"
  /** After ESC. */
  | "escape"
  /** After ESC and its intermediate characters (ECMA-35 §13). */
  | "intermediate"
  /** Inside a control sequence, CSI (ECMA-48 §5.4). */
  | "csi"
  /** Inside an operating system command, which BEL ends as well (xterm). */
  | "osc"
  /** Inside DCS, SOS, PM or APC: only ST ends it. */
  | "string"
  /** After ESC inside a string: `\` makes it ST. */
  | "oscEscape"
  | "stringEscape"

/** What is carried from one chunk to the next; at most 3 bytes and a counter. */
export interface CleanState {
  readonly position: Position
  /** Characters of the sequence so far. */
  readonly length: number
  /** The bytes of a character that is not complete yet: 0 to 3. */
  readonly pending: Uint8Array
}

/** Characters after which an escape sequence that has not ended is given up: what it swallowed stays dropped. */
const MAX_SEQUENCE = 4096

const EMPTY = new Uint8Array(0)

/** The state of a stream of which nothing was read. */
export const initialCleanState: CleanState = { position: "ground", length: 0, pending: EMPTY }

/**
 * What never leaves the machine: C0 but tab and line feed, DEL, C1, line and paragraph separators, interlinear
 * annotation, and what Unicode says is shown as nothing (UAX #44, Default_Ignorable_Code_Point): the bidirectional
 * controls of UAX #9, zero-width characters and fillers, variation selectors and tag characters, of which all can hide,
 * reorder or carry text.
 */
const FORBIDDEN =
  /[\u{0}-\u{8}\u{b}-\u{1f}\u{7f}-\u{9f}\u{2028}\u{2029}\u{fff9}-\u{fffb}\p{Default_Ignorable_Code_Point}]/gu

const FIRST_C1_STRING: Record<number, Position> = {
  0x90: "string",
  0x98: "string",
  0x9b: "csi",
  0x9d: "osc",
  0x9e: "string",
  0x9f: "string"
}

/** The same introducers as ESC and one character (ECMA-48 §5.3: C1 = ESC + (C1 − 0x40)). */
const introducer = (final: number): Position => FIRST_C1_STRING[final + 0x40] ?? "ground"

const ESC = 0x1b
const BACKSLASH = 0x5c
/** CAN and SUB abort any sequence. */
const aborts = (code: number): boolean => code === 0x18 || code === 0x1a

/** For each byte, 0 when it is text as it is: printable ASCII, tab, line feed. */
const SPECIAL = Uint8Array.from({ length: 256 }, (_, byte) =>
  (byte >= 0x20 && byte <= 0x7e) || byte === 0x0a || byte === 0x09 ? 0 : 1
)

const special = (bytes: Uint8Array, at: number): number => SPECIAL[bytes[at] as number] as number

/** Whether all of `bytes` is text as it is. Four at a time and without an early exit: the usual case is what counts. */
const isPlain = (bytes: Uint8Array): boolean => {
  let even = 0
  let odd = 0
  let i = 0
  for (const end = bytes.length - 3; i < end; i += 4) {
    even |= special(bytes, i) | special(bytes, i + 1)
    odd |= special(bytes, i + 2) | special(bytes, i + 3)
  }
  for (; i < bytes.length; i++) even |= special(bytes, i)
  return (even | odd) === 0
}

const view = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)

/**
 * Where to cut `bytes` so that no character is split: before a lead byte whose continuation bytes have not all come.
 * A decoder is between characters at every lead byte (RFC 3629 §3), so this cut never changes what is decoded.
 */
export const completeLength = (bytes: Uint8Array): number => {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back] as number
    if (byte < 0x80) return bytes.length
    if (byte >= 0xc0) {
      const needed = byte > 0xf4 ? 1 : byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2
      return needed > back ? bytes.length - back : bytes.length
    }
  }
  return bytes.length
}

/** The state after `code` inside a sequence, or `undefined` when the sequence is over and `code` is plain text again. */
const advance = (position: Position, code: number): Position | undefined => {
  if (aborts(code)) return "ground"
  switch (position) {
    case "ground":
      return undefined
    case "escape":
      if (code >= 0x20 && code <= 0x2f) return "intermediate"
      return code >= 0x30 && code <= 0x7e ? introducer(code) : undefined
    case "intermediate":
      if (code >= 0x20 && code <= 0x2f) return "intermediate"
      return code >= 0x30 && code <= 0x7e ? "ground" : undefined
    case "csi":
      if (code >= 0x20 && code <= 0x3f) return "csi"
      return code >= 0x40 && code <= 0x7e ? "ground" : undefined
    case "osc":
      if (code === 0x07 || code === 0x9c) return "ground"
      return code === ESC ? "oscEscape" : "osc"
    case "string":
      if (code === 0x9c) return "ground"
      return code === ESC ? "stringEscape" : "string"
    case "oscEscape":
    case "stringEscape":
      // ESC ends the string in any case; what follows it is a sequence of its own.
      return code === BACKSLASH ? "ground" : advance("escape", code)
  }
}

/** Runs decoded text through the machine. */
const strip = (state: CleanState, text: string): readonly [Position, number, string] => {
  let { length, position } = state
  let kept = ""
  let i = 0
  while (i < text.length) {
    if (position !== "ground") {
      const next: Position | undefined = length >= MAX_SEQUENCE ? undefined : advance(position, text.charCodeAt(i))
      if (next === undefined) {
        position = "ground"
      } else {
        length = next === "ground" ? 0 : length + 1
        position = next
        i++
        continue
      }
    }
    FORBIDDEN.lastIndex = i
    const found = FORBIDDEN.exec(text)
    if (found === null) {
      kept += text.slice(i)
      break
    }
    kept += text.slice(i, found.index)
    const code = text.charCodeAt(found.index)
    position = code === ESC ? "escape" : (FIRST_C1_STRING[code] ?? "ground")
    length = 0
    i = found.index + found[0].length
  }
  return [position, length, kept]
}

const decodeAndStrip = (state: CleanState, complete: Buffer, pending: Uint8Array): readonly [CleanState, string] => {
  const [position, length, kept] = strip(state, complete.toString("utf8"))
  return [{ position, length, pending }, kept]
}

/** For each byte, 0 when it is text as it is, 1 when it is dropped alone, 2 when more than the byte must be looked at. */
const KIND = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte >= 0x80 || byte === ESC ? 2 : SPECIAL[byte] === 0 ? 0 : 1
)

/** Room for the chunk that is being cleaned; a channel's packets hold at most 32 KiB. */
const scratch = Buffer.allocUnsafeSlow(32 * 1024)

/** ASCII without escape sequences, in which control characters are dropped one by one; none for anything else. */
const withoutControls = (bytes: Uint8Array): string | undefined => {
  const kept = bytes.length <= scratch.length ? scratch : Buffer.allocUnsafe(bytes.length)
  let length = 0
  let kinds = 0
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i] as number
    const kind = KIND[byte] as number
    kinds |= kind
    kept[length] = byte
    length += 1 - (kind & 1)
  }
  return kinds < 2 ? kept.toString("latin1", 0, length) : undefined
}

/**
 * Cleans one chunk: the next state, and the text that can be shown. `bytes` is not kept. The state that comes back is
 * the very one that was given exactly when the bytes are that text as they are.
 */
export const clean = (state: CleanState, bytes: Uint8Array): readonly [CleanState, string] => {
  if (state.position === "ground" && state.pending.length === 0) {
    if (isPlain(bytes)) return [state, view(bytes).toString("latin1")]
    // Zeros of a device, say: one character at a time they would cost twenty times as much.
    const text = withoutControls(bytes)
    if (text !== undefined) return [{ ...state }, text]
  }
  const all = state.pending.length === 0 ? view(bytes) : Buffer.concat([state.pending, bytes])
  const end = completeLength(all)
  return decodeAndStrip(state, all.subarray(0, end), Uint8Array.from(all.subarray(end)))
}

/** What is left at the end of the stream: U+FFFD for a character that never became complete. */
export const flush = (state: CleanState): readonly [CleanState, string] => {
  const [, text] = decodeAndStrip(state, view(state.pending), EMPTY)
  return [initialCleanState, text]
}
