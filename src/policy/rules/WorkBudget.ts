/** How much comparing one lint may still do: what a lint costs is bounded whatever the file holds. */
export interface WorkBudget {
  /** Takes the cost of one comparison, in steps of a matcher; false once the budget is spent. */
  readonly take: (steps: number) => boolean
  /** Whether the budget is spent, so that something may have been left out. */
  readonly isSpent: () => boolean
}

/** Steps that a lint may take, at most: well under a second. */
const MAX_STEPS = 20_000_000

/** What a comparison costs besides the steps of its matcher. */
const OVERHEAD = 10

/** Makes a full budget. */
export const makeWorkBudget = (): WorkBudget => {
  let left = MAX_STEPS
  return {
    take: (steps) => {
      if (left > 0) left -= OVERHEAD + steps
      return left > 0
    },
    isSpent: () => left <= 0
  }
}
