/** A small deterministic generator of pseudo-random choices; the same seed gives the same choices on every machine. */
export interface Random {
  /** An integer from 0 up to and without `bound`. */
  readonly below: (bound: number) => number
  /** True in `percent` of 100 cases. */
  readonly chance: (percent: number) => boolean
  /** One of the items; the list may not be empty. */
  readonly pick: <A>(items: readonly [A, ...ReadonlyArray<A>]) => A
  /** One of the alternatives, each as likely as its weight says. */
  readonly weighted: <A>(alternatives: readonly [Weighted<A>, ...ReadonlyArray<Weighted<A>>]) => A
}

/** An alternative and how often it is taken, relative to the other weights of its list. */
export type Weighted<A> = readonly [weight: number, make: () => A]

/** Mixes the seed of a run and the index of a script, so that a script can be made again without those before it. */
export const mixSeed = (seed: number, index: number): number => {
  const mixed = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(index + 1, 0xc2b2ae35)
  return Math.imul(mixed ^ (mixed >>> 15), 0x27d4eb2f) >>> 0
}

/** Starts the generator (mulberry32) at a seed. */
export const makeRandom = (seed: number): Random => {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000
  }
  const below = (bound: number): number => Math.floor(next() * bound)
  return {
    below,
    chance: (percent) => next() * 100 < percent,
    pick: (items) => items[below(items.length)] ?? items[0],
    weighted: (alternatives) => {
      let left = below(alternatives.reduce((sum, [weight]) => sum + weight, 0))
      const found = alternatives.find(([weight]) => (left -= weight) < 0) ?? alternatives[0]
      return found[1]()
    }
  }
}
