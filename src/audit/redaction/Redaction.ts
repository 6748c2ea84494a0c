import {
  type Anchors,
  candidatesAt,
  type Candidates,
  firstBeginning,
  makeAnchors,
  MAX_ANCHOR_AT,
  mayFollow,
  nextAnchor
} from "./RedactionAnchors.ts"
import { keyBody } from "./RedactionKeyBody.ts"
import { longestNeedle, makeNeedles, type Needles } from "./RedactionNeedles.ts"
import { type RedactionKind, type Shape, SHAPES } from "./RedactionShapes.ts"
import { type ByteClass, runEnd, runSteps } from "./RedactionStep.ts"

/**
 * Masks secrets in a text that comes in pieces. What is masked depends on the text alone, never on where it was cut:
 * every place is looked at, also inside what is masked already, and masks that overlap become one.
 */
export interface Redaction {
  readonly anchors: Anchors
  readonly needles: Needles
}

/** What may go on in the bytes that come next. */
type Open =
  | { readonly _tag: "Run"; readonly set: ByteClass }
  /** A private key of which at most `budget` bytes more are masked. */
  | { readonly _tag: "KeyBody"; readonly budget: number }

/** A secret that was found; places count from the first byte that is held, those before it are negative. */
interface Mark {
  readonly kind: RedactionKind
  /** Where what was recognised begins: a name or a prefix may come before what is masked. */
  readonly at: number
  readonly from: number
  readonly to: number
  readonly open: Open | undefined
}

/** What is carried from one piece of a text to the next. */
export interface RedactionState {
  /** What may be the beginning of a secret, not shown yet: at most 512 bytes. */
  readonly held: Uint8Array
  /** The byte before it, -1 at the beginning of the text. */
  readonly before: number
  readonly marks: ReadonlyArray<Mark>
}

/** What one piece of a text came to. */
export interface Redacted {
  readonly state: RedactionState
  /** What can be shown; the very bytes that were given when nothing is masked or held. */
  readonly shown: Uint8Array
  /** How many masks are in it. */
  readonly masked: number
}

/** Bytes of a private key that are masked at most; one of RSA with 16,384 bits has 13 KiB. */
const MAX_KEY_BODY = 32 * 1024

const EMPTY = new Uint8Array(0)

/** The state at the beginning of a text. */
export const initialRedactionState: RedactionState = { held: EMPTY, before: -1, marks: [] }

/** What stands in place of a secret. */
export const maskText = (kind: RedactionKind): string => `[redacted:${kind}]`

/**
 * Looks for `secrets` (those of at least `MIN_NEEDLE` bytes, see `makeNeedles`) and, when asked, for the well-known
 * shapes of secrets. None when there is nothing to look for.
 */
export const makeRedaction = (options: {
  readonly secrets: ReadonlyArray<string>
  readonly shapes: boolean
}): Redaction | undefined => {
  const needles = makeNeedles(options.secrets)
  if (needles.length === 0 && !options.shapes) return undefined
  return { needles, anchors: makeAnchors(needles, options.shapes ? SHAPES : []) }
}

/** The bytes of a chunk with what was held back before it. */
interface Piece {
  readonly bytes: Uint8Array
  readonly before: number
  /** Nothing comes after it. */
  readonly final: boolean
}

/** Follows what may go on to its end, or to the end of the bytes. */
const follow = (mark: Mark, { bytes, final }: Piece): Mark => {
  if (mark.open === undefined) return mark
  if (mark.open._tag === "Run") {
    const to = runEnd(bytes, mark.to, mark.open.set, bytes.length)
    return { ...mark, to, open: to === bytes.length && !final ? mark.open : undefined }
  }
  const body = keyBody(bytes, mark.to, mark.open.budget, final)
  const budget = mark.open.budget - (body.to - mark.to)
  return { ...mark, to: body.to, open: body.open ? { _tag: "KeyBody", budget } : undefined }
}

const openOf = ({ rest }: Shape): Open | undefined =>
  rest === undefined
    ? undefined
    : rest === "key-body"
      ? { _tag: "KeyBody", budget: MAX_KEY_BODY }
      : { _tag: "Run", set: rest }

const sameRun = (left: Open | undefined, right: Open | undefined): boolean =>
  left?._tag === "Run" && right?._tag === "Run" && left.set === right.set

/**
 * Adds a mark, followed to its end, unless the one before covers it. One that begins inside a run of the same set ends
 * with it, which keeps a text that is full of such beginnings from being read again for each.
 */
const addMark = (marks: Array<Mark>, runs: Map<ByteClass, Mark>, found: Mark, piece: Piece): Mark => {
  const run = found.open?._tag === "Run" ? runs.get(found.open.set) : undefined
  const within = run !== undefined && found.from >= run.from && found.to <= run.to
  const mark = within ? run : follow(found, piece)
  if (within) return mark
  if (found.open?._tag === "Run") runs.set(found.open.set, mark)
  const last = marks.at(-1)
  const covered =
    last !== undefined &&
    mark.from >= last.from &&
    mark.to <= last.to &&
    (mark.open === undefined || sameRun(mark.open, last.open))
  if (!covered) marks.push(mark)
  return mark
}

/** The first place from which on something may still turn out to be a secret, and the marks that begin before it. */
interface Scan {
  readonly marks: Array<Mark>
  readonly decided: number
}

/** Calls `found` for what the anchor at `place` belongs to. The first place that is not decided, or the length. */
const marksAt = (
  { needles }: Redaction,
  { needles: range, shapes }: Candidates,
  { before, bytes, final }: Piece,
  place: number,
  found: (mark: Mark) => void
): number => {
  let decided = bytes.length
  if (range.low < range.high) {
    const to = longestNeedle(needles, range, bytes, place, final)
    if (to === -2) decided = place
    else if (to !== -1) found({ kind: "known-secret", at: place, from: place, to, open: undefined })
  }
  for (const shape of shapes) {
    const at = place - shape.anchorAt
    if (at < 0 || !mayFollow(at === 0 ? before : (bytes[at - 1] as number), shape.notAfter)) continue
    const match = runSteps(shape.steps, bytes, at, final)
    if (match._tag === "Undecided") decided = Math.min(decided, at)
    else if (match._tag === "Found") {
      found({ kind: shape.kind, at, from: match.from, to: match.to, open: openOf(shape) })
    }
  }
  return decided
}

const scan = (redaction: Redaction, piece: Piece, known: ReadonlyArray<Mark>): Scan => {
  const { anchors } = redaction
  const { before, bytes, final } = piece
  const marks = known.map((mark) => follow(mark, piece))
  const runs = new Map<ByteClass, Mark>()
  for (const [i, mark] of known.entries()) {
    const followed = marks[i]
    if (mark.open?._tag === "Run" && followed !== undefined) runs.set(mark.open.set, followed)
  }
  const undecidedKey = (mark: Mark): number => (mark.open?._tag === "KeyBody" ? mark.to : bytes.length)
  let decided = marks.reduce((least, mark) => Math.min(least, undecidedKey(mark)), bytes.length)
  const add = (mark: Mark): void => {
    decided = Math.min(decided, undecidedKey(addMark(marks, runs, mark, piece)))
  }
  let place = nextAnchor(anchors, bytes, 0)
  // What is found beyond what is decided is found again when more has come.
  while (place < Math.min(bytes.length, decided + MAX_ANCHOR_AT)) {
    const candidates = candidatesAt(anchors, bytes, place)
    if (candidates !== undefined) {
      const least = marksAt(redaction, candidates, piece, place, add)
      decided = Math.min(decided, least)
    }
    place = nextAnchor(anchors, bytes, place + 1)
  }
  if (!final) decided = Math.min(decided, firstBeginning(anchors, bytes, before))
  return { marks, decided }
}

/** The bytes up to what is decided, with the masks that begin there. */
const render = (
  bytes: Uint8Array,
  { decided, marks }: Scan
): { readonly shown: Uint8Array; readonly masked: number } => {
  const parts: Array<Uint8Array> = []
  let covered = 0
  let masked = 0
  for (const mark of marks.toSorted((a, b) => a.from - b.from || a.at - b.at)) {
    if (mark.from >= decided) break
    if (mark.from >= covered) {
      parts.push(bytes.subarray(covered, mark.from), Buffer.from(maskText(mark.kind)))
      masked++
    }
    covered = Math.max(covered, mark.to)
  }
  parts.push(bytes.subarray(Math.min(covered, decided), decided))
  return { shown: Buffer.concat(parts), masked }
}

/** The marks that reach into what is held, or begin there although what announces them comes before. */
const carried = ({ decided, marks }: Scan): ReadonlyArray<Mark> =>
  marks
    .filter(({ at, open, to }) => at < decided && (to > decided || open !== undefined))
    .map((mark) => ({ ...mark, at: mark.at - decided, from: mark.from - decided, to: mark.to - decided }))

const step = (redaction: Redaction, state: RedactionState, chunk: Uint8Array, final: boolean): Redacted => {
  const bytes = state.held.length === 0 ? chunk : Buffer.concat([state.held, chunk])
  const found = scan(redaction, { bytes, before: state.before, final }, state.marks)
  const { decided } = found
  const before = decided === 0 ? state.before : (bytes[decided - 1] as number)
  if (bytes === chunk && decided === bytes.length && found.marks.length === 0) {
    return { state: { held: EMPTY, before, marks: [] }, shown: chunk, masked: 0 }
  }
  return {
    // A copy: the chunk is not ours to keep.
    state: { held: Uint8Array.from(bytes.subarray(decided)), before, marks: carried(found) },
    ...render(bytes, found)
  }
}

/**
 * Takes one more piece of a text, of whole UTF-8 characters. At most 512 bytes are held back: those that may begin a
 * secret.
 */
export const redact = (redaction: Redaction, state: RedactionState, chunk: Uint8Array): Redacted =>
  chunk.length === 0 ? { state, shown: chunk, masked: 0 } : step(redaction, state, chunk, false)

/** What is left at the end of the text. */
export const flushRedaction = (redaction: Redaction, state: RedactionState): Redacted =>
  step(redaction, state, EMPTY, true)
