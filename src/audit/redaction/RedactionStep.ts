/**
 * The language in which shapes of secrets are written: a sequence of steps, each of which takes what it can and never
 * gives any back. So a match costs at most as many steps as the shape has bytes, whatever the text holds.
 */

/** A set of bytes: 1 for each member. */
export type ByteClass = Uint8Array

/** The set of the characters of `text`, which is ASCII. */
export const bytesOf = (text: string): ByteClass => {
  const set = new Uint8Array(256)
  for (const byte of Buffer.from(text, "latin1")) set[byte] = 1
  return set
}

/** Every byte that is not in `set`. */
export const complementOf = (set: ByteClass): ByteClass => set.map((member) => 1 - member)

/** One step of a shape. */
export type Step =
  /** Exactly one of these texts (no text begins with another); `fold` makes ASCII case count for nothing. */
  | { readonly _tag: "OneOf"; readonly texts: ReadonlyArray<Uint8Array>; readonly fold: boolean }
  /** As many members as there are up to `max`, and at least `min`. */
  | { readonly _tag: "Many"; readonly set: ByteClass; readonly min: number; readonly max: number }
  /** No member comes next; the end of the text is fine. Takes nothing. */
  | { readonly _tag: "Not"; readonly set: ByteClass }
  /** Up to the last `stop` in a run of at most `max` members, of which there is one before it; `stop` is not taken. */
  | { readonly _tag: "UpToLast"; readonly set: ByteClass; readonly stop: number; readonly max: number }
  /** What is masked begins here. Without this step it begins with the shape. */
  | { readonly _tag: "Mask" }

/** A step for a fixed text. */
export const literal = (...texts: ReadonlyArray<string>): Step => ({
  _tag: "OneOf",
  texts: texts.map((text) => Buffer.from(text, "latin1")),
  fold: false
})

/** A step for a fixed text, given in lower case, in which ASCII case counts for nothing. */
export const anyCase = (...texts: ReadonlyArray<string>): Step => ({
  _tag: "OneOf",
  texts: texts.map((text) => Buffer.from(text, "latin1")),
  fold: true
})

/** A step for a run of `min` to `max` members. */
export const many = (set: ByteClass, min: number, max: number = min): Step => ({ _tag: "Many", set, min, max })

/** A step for a border: no member comes next. */
export const not = (set: ByteClass): Step => ({ _tag: "Not", set })

/** The step from which on a shape is masked. */
export const mask: Step = { _tag: "Mask" }

/** What a shape came to at one place. */
export type Match =
  | { readonly _tag: "None" }
  /** The bytes end before it is decided. */
  | { readonly _tag: "Undecided" }
  /** What is to be masked: from `from` to before `to`. */
  | { readonly _tag: "Found"; readonly from: number; readonly to: number }

const NONE: Match = { _tag: "None" }
const UNDECIDED: Match = { _tag: "Undecided" }

const folded = (byte: number): number => (byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte)

/** How many bytes of `text` stand at `at`: all of them, or those up to the end of `bytes`; -1 when another byte does. */
const common = (bytes: Uint8Array, at: number, text: Uint8Array, fold: boolean): number => {
  const length = Math.min(text.length, bytes.length - at)
  for (let i = 0; i < length; i++) {
    const byte = bytes[at + i] as number
    if ((fold ? folded(byte) : byte) !== text[i]) return -1
  }
  return length
}

/** Where a run of members that begins at `at` ends, at most `max` further on. */
export const runEnd = (bytes: Uint8Array, at: number, set: ByteClass, max: number): number => {
  const limit = Math.min(bytes.length, at + max)
  let end = at
  while (end < limit && set[bytes[end] as number] === 1) end++
  return end
}

/** Where a step ends that begins at `at`; -1 when it fails, -2 when the bytes end before it is decided. */
const take = (step: Step, bytes: Uint8Array, at: number, final: boolean): number => {
  const cut = final ? -1 : -2
  switch (step._tag) {
    case "OneOf": {
      for (const text of step.texts) {
        const length = common(bytes, at, text, step.fold)
        if (length === text.length) return at + length
        if (length !== -1) return cut
      }
      return -1
    }
    case "Many": {
      const end = runEnd(bytes, at, step.set, step.max)
      if (end === bytes.length && end < at + step.max && !final) return -2
      return end - at < step.min ? -1 : end
    }
    case "Not":
      if (at === bytes.length) return final ? at : -2
      return step.set[bytes[at] as number] === 1 ? -1 : at
    case "UpToLast": {
      const end = runEnd(bytes, at, step.set, step.max)
      if (end === bytes.length && end < at + step.max && !final) return -2
      const stop = bytes.subarray(at, end).lastIndexOf(step.stop)
      return stop < 1 ? -1 : at + stop
    }
    case "Mask":
      return at
  }
}

/** Runs `steps` from `at`. `final` says that nothing comes after `bytes`. */
export const runSteps = (steps: ReadonlyArray<Step>, bytes: Uint8Array, at: number, final: boolean): Match => {
  let from = at
  let end = at
  for (const step of steps) {
    const next = take(step, bytes, end, final)
    if (next === -1) return NONE
    if (next === -2) return UNDECIDED
    if (step._tag === "Mask") from = end
    end = next
  }
  return { _tag: "Found", from, to: end }
}
