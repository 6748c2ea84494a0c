import { type NeedleRange, type Needles, MIN_NEEDLE } from "./RedactionNeedles.ts"
import type { Shape } from "./RedactionShapes.ts"
import type { ByteClass } from "./RedactionStep.ts"

/** What four given bytes may belong to: needles begin with them, shapes `Shape.anchorAt` bytes before them. */
export interface Candidates {
  readonly needles: NeedleRange
  readonly shapes: ReadonlyArray<Shape>
}

/** What may stand anywhere, by four of its bytes: made to find nothing in a text quickly. */
export interface Anchors {
  /**
   * By two bytes: how far an anchor's end is at least from there. A bad-character table over pairs (Wu and Manber, "A
   * fast algorithm for multi-pattern searching", 1994): usually one look-up for three bytes of text.
   */
  readonly shift: Uint8Array
  /** By a hash of four bytes: whether they may be an anchor. */
  readonly filter: Uint8Array
  /** By the four bytes as one number. */
  readonly candidates: ReadonlyMap<number, Candidates>
  /**
   * By the first bytes, up to `MAX_BEGINNING`, of what has not come as far as the end of its anchor: the sets of which
   * the byte before must be in none, for each thing that may begin so.
   */
  readonly beginnings: ReadonlyMap<number, ReadonlySet<ByteClass | undefined>>
}

/** How far into a shape its anchor may begin. */
export const MAX_ANCHOR_AT = 3

/** Bytes of the longest beginning: an anchor without its last byte, and what comes before it. */
const MAX_BEGINNING = MAX_ANCHOR_AT + MIN_NEEDLE - 1

const NO_NEEDLES: NeedleRange = { low: 0, high: 0 }

const keyAt = (bytes: Uint8Array, at: number): number =>
  ((bytes[at] as number) << 24) |
  ((bytes[at + 1] as number) << 16) |
  ((bytes[at + 2] as number) << 8) |
  (bytes[at + 3] as number)

/** A multiplicative hash (Knuth, TAOCP 6.4) to 16 bits. */
const hash = (key: number): number => Math.imul(key, 0x9e3779b1) >>> 16

/** The first `length` bytes at `at` as one number, in which also the length is. */
const beginningAt = (bytes: Uint8Array, at: number, length: number): number => {
  let key = length
  for (let i = 0; i < length; i++) key = key * 256 + (bytes[at + i] as number)
  return key
}

/** Makes the tables for `needles` and `shapes`; 128 KiB and what the needles take. */
export const makeAnchors = (needles: Needles, shapes: ReadonlyArray<Shape>): Anchors => {
  const shift = new Uint8Array(65_536).fill(MIN_NEEDLE - 1)
  const filter = new Uint8Array(65_536)
  const candidates = new Map<number, Candidates>()
  const beginnings = new Map<number, Set<ByteClass | undefined>>()

  const add = (text: Uint8Array, anchorAt: number, notAfter: ByteClass | undefined): number => {
    for (let i = 0; i < MIN_NEEDLE - 1; i++) {
      const pair = ((text[anchorAt + i] as number) << 8) | (text[anchorAt + i + 1] as number)
      shift[pair] = Math.min(shift[pair] as number, MIN_NEEDLE - 2 - i)
    }
    for (let length = 1; length < anchorAt + MIN_NEEDLE; length++) {
      const beginning = beginningAt(text, 0, length)
      const known = beginnings.get(beginning)
      if (known === undefined) beginnings.set(beginning, new Set([notAfter]))
      else known.add(notAfter)
    }
    const key = keyAt(text, anchorAt)
    filter[hash(key)] = 1
    return key
  }

  for (const [index, needle] of needles.entries()) {
    const key = add(needle, 0, undefined)
    const { low } = candidates.get(key)?.needles ?? { low: index }
    candidates.set(key, { needles: { low, high: index + 1 }, shapes: [] })
  }
  for (const shape of shapes) {
    for (const anchor of shape.anchors) {
      const key = add(Buffer.from(anchor, "latin1"), shape.anchorAt, shape.notAfter)
      const { needles: range, shapes: others } = candidates.get(key) ?? { needles: NO_NEEDLES, shapes: [] }
      if (!others.includes(shape)) candidates.set(key, { needles: range, shapes: [...others, shape] })
    }
  }
  return { shift, filter, candidates, beginnings }
}

const pairAt = (bytes: Uint8Array, end: number): number => ((bytes[end - 1] as number) << 8) | (bytes[end] as number)

/** The first place from `from` on where an anchor may stand; the length if there is none. */
export const nextAnchor = ({ filter, shift }: Anchors, bytes: Uint8Array, from: number): number => {
  const { length } = bytes
  let end = from + MIN_NEEDLE - 1
  while (end < length) {
    // Four look-ups that do not wait for each other, as long as nothing is near: the usual case is what counts.
    while (
      end + 9 < length &&
      (shift[pairAt(bytes, end)] as number) +
        (shift[pairAt(bytes, end + 3)] as number) +
        (shift[pairAt(bytes, end + 6)] as number) +
        (shift[pairAt(bytes, end + 9)] as number) ===
        12
    ) {
      end += 12
    }
    if (end >= length) break
    const step = shift[pairAt(bytes, end)] as number
    if (step !== 0) end += step
    else if (filter[hash(keyAt(bytes, end - 3))] === 1) return end - 3
    else end++
  }
  return length
}

/** What an anchor that stands at `at` may belong to. */
export const candidatesAt = ({ candidates }: Anchors, bytes: Uint8Array, at: number): Candidates | undefined =>
  candidates.get(keyAt(bytes, at))

/** Whether something may come after `before`, a byte or -1 for none. */
export const mayFollow = (before: number, notAfter: ByteClass | undefined): boolean =>
  notAfter === undefined || before === -1 || notAfter[before] === 0

/**
 * The first place of `bytes` where something may begin of which the anchor has not come to its end; the length if there
 * is none. `before` is the byte before all of them.
 */
export const firstBeginning = ({ beginnings }: Anchors, bytes: Uint8Array, before: number): number => {
  const { length } = bytes
  for (let at = Math.max(0, length - MAX_BEGINNING); at < length; at++) {
    const known = beginnings.get(beginningAt(bytes, at, length - at))
    if (known === undefined) continue
    const previous = at === 0 ? before : (bytes[at - 1] as number)
    for (const notAfter of known) if (mayFollow(previous, notAfter)) return at
  }
  return length
}
