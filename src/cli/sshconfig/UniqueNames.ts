/** Characters that an alias may have; `config/Names.ts` has the whole rule. */
const NOT_ALLOWED = /[^A-Za-z0-9._-]+/gu
/** Room for a number behind a name of at most 100 characters. */
const MAX_BASE = 90

/** Gives each name once: the first of the wishes that is free, else the last one with a number. */
export interface UniqueNames {
  readonly take: (wishes: readonly [string, ...ReadonlyArray<string>]) => string
}

/** A text as an alias: other characters become a dash, and none of these stands in front. */
export const asName = (text: string): string => {
  const name = text.replace(NOT_ALLOWED, "-").replace(/^-+/u, "").slice(0, MAX_BASE)
  return name === "" ? "x" : name
}

/** Names that are given out from now on, those that are in use already left aside. */
export const makeUniqueNames = (inUse: Iterable<string> = []): UniqueNames => {
  const taken = new Set(inUse)
  return {
    take: (wishes) => {
      const last = wishes.at(-1) ?? wishes[0]
      let name = wishes.find((wish) => !taken.has(wish)) ?? last
      for (let number = 2; taken.has(name); number++) name = `${last}-${number}`
      taken.add(name)
      return name
    }
  }
}
