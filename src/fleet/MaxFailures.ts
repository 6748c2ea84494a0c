import { Option } from "effect"
import { parseAmount } from "./Amount.ts"

/**
 * Whether more hosts failed than `maxFailures` (a count, or a percentage of `total`) tolerates, so that no further
 * host is started. Without it any number is tolerated; one that cannot be read tolerates none.
 */
export const tooManyFailures = (maxFailures: string | undefined, failures: number, total: number): boolean => {
  if (maxFailures === undefined) return false
  return Option.match(parseAmount(maxFailures), {
    onNone: () => failures > 0,
    onSome: (amount) =>
      amount._tag === "Count" ? failures > amount.count : failures * 10_000 > Math.round(amount.percent * 100) * total
  })
}
