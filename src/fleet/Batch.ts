import { Option } from "effect"
import { parseAmount } from "./Amount.ts"

/**
 * The hosts of one batch: a percentage of `total` rounds up, and a batch has at least one host. A size that cannot be
 * read counts as one host, the most careful one.
 */
const batchSize = (text: string, total: number): number =>
  Option.match(parseAmount(text), {
    onNone: () => 1,
    onSome: (amount) =>
      // In hundredths of a percent, so that 0.07 × 100 is not more than 7.
      Math.max(
        1,
        amount._tag === "Count" ? amount.count : Math.ceil((Math.round(amount.percent * 100) * total) / 10_000)
      )
  })

/**
 * Splits hosts into successive batches: the sizes in order (each a count or a percentage of all hosts), the last one
 * repeating. Without sizes all hosts are one batch. The batches hold every host once, in order, and none is empty.
 */
export const splitBatches = <A>(
  hosts: ReadonlyArray<A>,
  sizes: ReadonlyArray<string> | undefined
): ReadonlyArray<ReadonlyArray<A>> => {
  const batches: Array<ReadonlyArray<A>> = []
  const last = sizes?.at(-1)
  let at = 0
  for (let i = 0; at < hosts.length; i++) {
    const size = last === undefined ? hosts.length : batchSize(sizes?.[i] ?? last, hosts.length)
    batches.push(hosts.slice(at, at + size))
    at += size
  }
  return batches
}
