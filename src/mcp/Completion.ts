/** Values that one completion answer holds (MCP 2025-11-25, server/utilities/completion). */
const MAX_VALUES = 100

/** Values that a partly typed text can become. */
export interface Completion {
  /** At most 100, in the order in which they were offered. */
  readonly values: ReadonlyArray<string>
  /** How many there are, those left out included. */
  readonly total: number
  /** Whether `total` is more than `values`. */
  readonly hasMore: boolean
}

/** The completion of what has none. */
export const noCompletion: Completion = { values: [], total: 0, hasMore: false }

/** Those of `candidates` that begin with `prefix`; case counts, as in aliases. */
export const completePrefix = (candidates: ReadonlyArray<string>, prefix: string): Completion => {
  const matching = candidates.filter((candidate) => candidate.startsWith(prefix))
  const values = matching.slice(0, MAX_VALUES)
  return { values, total: matching.length, hasMore: matching.length > values.length }
}
