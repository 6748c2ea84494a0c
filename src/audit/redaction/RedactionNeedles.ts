import { MIN_MASKED_SECRET } from "../../config/Credential.ts"

/** Bytes of the shortest needle, which the tables of `RedactionAnchors` take as one number of 32 bits. */
export const MIN_NEEDLE = MIN_MASKED_SECRET

/** Characters of a piece, when a secret is longer than a needle may be. */
const PIECE = 120

/** Bytes of the longest needle: what may have to be held back while it is not decided. */
export const MAX_NEEDLE = 4 * PIECE

/** The texts to look for, without repetition, in the order of their bytes. */
export type Needles = ReadonlyArray<Uint8Array>

/** A range of needles: from `low` to before `high`. */
export interface NeedleRange {
  readonly low: number
  readonly high: number
}

const piecesOf = (text: string): ReadonlyArray<string> => {
  if (Buffer.byteLength(text) <= MAX_NEEDLE) return [text]
  const characters = Array.from(text)
  const count = Math.ceil(characters.length / PIECE)
  // Of equal length, so that none is too short to be looked for.
  const length = Math.ceil(characters.length / count)
  return Array.from({ length: count }, (_, i) => characters.slice(i * length, (i + 1) * length).join(""))
}

const percentForm = (text: string): string => encodeURIComponent(text.toWellFormed())

/** A secret as it may stand in output: as it is, inside a JSON string, in a URL or a form. */
const formsOf = (secret: string): ReadonlyArray<string> => [
  secret,
  JSON.stringify(secret).slice(1, -1),
  percentForm(secret),
  percentForm(secret).replaceAll("%20", "+")
]

/**
 * What to look for to find `secrets`, in each of the forms that they may have. One that is longer than `MAX_NEEDLE` is
 * looked for in pieces; one that is shorter than `MIN_NEEDLE` bytes is left out.
 */
export const makeNeedles = (secrets: ReadonlyArray<string>): Needles => {
  const texts = new Set(secrets.flatMap(formsOf).flatMap(piecesOf))
  return Array.from(texts, (text) => Buffer.from(text))
    .filter(({ length }) => length >= MIN_NEEDLE)
    .sort((a, b) => Buffer.compare(a, b))
}

/** The first needle of a range whose byte at `depth` is `byte` or more. All of them are longer than `depth`. */
const lowerBound = (needles: Needles, range: NeedleRange, depth: number, byte: number): number => {
  let { high, low } = range
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((needles[middle]?.[depth] ?? 0) < byte) low = middle + 1
    else high = middle
  }
  return low
}

/**
 * Where the longest needle of `range` ends that stands at `at`, -1 for none, -2 when the bytes end before that is
 * decided. The needles of the range begin with the same `MIN_NEEDLE` bytes, which are known to stand there.
 */
export const longestNeedle = (
  needles: Needles,
  range: NeedleRange,
  bytes: Uint8Array,
  at: number,
  final: boolean
): number => {
  let { high, low } = range
  let longest = -1
  for (let depth = MIN_NEEDLE; low < high; depth++) {
    // The shortest comes first.
    if (needles[low]?.length === depth) {
      longest = at + depth
      low++
      if (low === high) break
    }
    const byte = bytes[at + depth]
    if (byte === undefined) return final ? longest : -2
    const first = lowerBound(needles, { low, high }, depth, byte)
    high = lowerBound(needles, { low: first, high }, depth, byte + 1)
    low = first
  }
  return longest
}
