import { Option, Schema } from "effect"

/** A number of hosts: a count, or a percentage of all hosts of the fan-out. */
export type Amount =
  | { readonly _tag: "Count"; readonly count: number }
  | { readonly _tag: "Percent"; readonly percent: number }

const PATTERN = /^(?:0|[1-9]\d{0,5}|(?:100|[1-9]?\d)(?:\.\d{1,2})?%)$/

/** How an amount is written: `10`, `25%`, `2.5%`. At most 999999, at most 100%. */
export const AmountText = Schema.String.check(
  Schema.isMaxLength(8),
  Schema.isPattern(PATTERN, { message: "must be a count or a percentage of at most 100%" })
)

/** Reads an amount; none when it is not written like `AmountText` says. */
export const parseAmount = (text: string): Option.Option<Amount> => {
  if (!PATTERN.test(text)) return Option.none()
  if (!text.endsWith("%")) return Option.some({ _tag: "Count", count: Number(text) })
  const percent = Number(text.slice(0, -1))
  return percent > 100 ? Option.none() : Option.some({ _tag: "Percent", percent })
}
