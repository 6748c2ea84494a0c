/**
 * A stream of pseudo-random numbers that is a function of its seed alone, on every machine: 32-bit integer arithmetic, no
 * floating point but for exact scaling. Not for secrets.
 */
export interface SeededRandom {
  /** The next number, 0 to 2^32 - 1. */
  readonly next: () => number
  /** An integer from 0 to `n` - 1, each equally likely; 0 when `n` is below 2. `n` is at most 2^32. */
  readonly below: (n: number) => number
  /** True with the probability `p`. Draws one number, whatever `p` is. */
  readonly chance: (p: number) => boolean
  /** One of the items, each equally likely; of a list that is known not to be empty, always one. */
  readonly pick: {
    <A>(items: readonly [A, ...ReadonlyArray<A>]): A
    <A>(items: ReadonlyArray<A>): A | undefined
  }
  /**
   * The stream of that name. It depends on this stream's own seed and the name alone: neither on what was drawn here, nor
   * on other forks, so that a draw that is added in one place changes nothing elsewhere.
   */
  readonly fork: (name: string) => SeededRandom
}

const TWO_32 = 0x1_0000_0000

/** The finalizer of MurmurHash3 (32 bits): each bit of the input changes half of the output's. */
const mix = (value: number): number => {
  let bits = value | 0
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b)
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35)
  return (bits ^ (bits >>> 16)) >>> 0
}

/** FNV-1a over UTF-16 code units, begun at `basis`. */
const hashText = (text: string, basis: number): number => {
  let hash = basis
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  return mix(hash)
}

/** The stream of two words of key: sfc32 (PractRand, "small fast counting"), 128 bits of state. */
const stream = (high: number, low: number): SeededRandom => {
  let a = high | 0
  let b = low | 0
  let c = mix(high ^ 0x9e3779b9) | 0
  let counter = 1

  const next = (): number => {
    const drawn = (((a + b) | 0) + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = ((c << 21) | (c >>> 11)) + drawn
    return drawn >>> 0
  }
  // The first numbers still show the key.
  for (let round = 0; round < 12; round++) next()

  const below = (n: number): number => {
    if (n < 2) return 0
    // Numbers from the last, incomplete run of `n` would make small results likelier.
    const limit = TWO_32 - (TWO_32 % n)
    let drawn = next()
    while (drawn >= limit) drawn = next()
    return drawn % n
  }

  return {
    next,
    below,
    chance: (p) => next() < p * TWO_32,
    pick: <A>(items: ReadonlyArray<A>) => items[below(items.length)] as A,
    fork: (name) => stream(hashText(name, mix(high ^ 0x811c9dc5)), hashText(name, mix(low ^ 0xcbf29ce4)))
  }
}

/** The root stream of a seed: any safe integer, of which all 53 bits count. */
export const seededRandom = (seed: number): SeededRandom =>
  stream(mix(Math.floor(seed / TWO_32) ^ 0x5bd1e995), mix((seed % TWO_32) ^ 0x27d4eb2f))
