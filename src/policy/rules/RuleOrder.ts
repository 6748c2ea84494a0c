import { type DocumentProblem, warning } from "../DocumentProblem.ts"
import { matchesGlob } from "../Glob.ts"
import { type Rule, ruleLanguage, ruleName } from "./Rule.ts"

/** A command text of a rule, as far as the comparison of two rules needs it. */
interface Source {
  readonly rule: Rule
  readonly index: number
  readonly text: string
}

/** Steps of comparing all texts, and pairs of rules that are told, at most: the warning is advice, not a decision. */
const MAX_STEPS = 50_000_000
const MAX_TOLD = 50

const sourcesOf = (rule: Rule, index: number): ReadonlyArray<Source> => {
  const binary = rule.binary === undefined ? [] : [[rule.binary, ...(rule.arg_prefix ?? []), "*"].join(" ")]
  const texts = [...(rule.commands ?? []), ...(rule.simple_binaries ?? []).map((name) => `${name}*`), ...binary]
  return texts.map((text) => ({ rule, index, text }))
}

const overlap = (left: string, right: string): boolean => matchesGlob(left, right) || matchesGlob(right, left)

const anyOverlap = (left: ReadonlyArray<string> | undefined, right: ReadonlyArray<string> | undefined): boolean =>
  left === undefined ||
  right === undefined ||
  left.length === 0 ||
  right.length === 0 ||
  left.some((one) => right.some((other) => overlap(one, other)))

const lengthOf = (sources: ReadonlyArray<Source>): number => sources.reduce((total, { text }) => total + text.length, 0)

/** In the original the last match of `commands` rules won, and the first of the newer language. */
const allowWonInOriginal = (allow: Source, deny: Source): boolean =>
  ruleLanguage(allow.rule) === "words" ? allow.index < deny.index : allow.index > deny.index

/**
 * Warns of each deny rule that an allow rule beat in the original by its place in the file: here the deny rule wins. Which
 * texts overlap is told from the texts alone, so a pair may be missed.
 */
export const checkRuleOrder = (rules: ReadonlyArray<Rule>): ReadonlyArray<DocumentProblem> => {
  const sources = rules.flatMap(sourcesOf)
  const allows = sources.filter((source) => source.rule.action === "allow")
  const denies = sources.filter((source) => source.rule.action !== "allow")
  // Comparing two texts takes at most the product of their lengths, and so all pairs the product of the sums.
  if (lengthOf(allows) * lengthOf(denies) > MAX_STEPS) {
    return [warning(["rules"], "too many patterns to compare: whether the order mattered in the original is not told")]
  }
  const told = new Set<string>()
  const problems: Array<DocumentProblem> = []
  for (const deny of denies) {
    for (const allow of allows) {
      const pair = `${deny.index} ${allow.index}`
      if (told.has(pair) || problems.length >= MAX_TOLD || !allowWonInOriginal(allow, deny)) continue
      if (!overlap(allow.text, deny.text) || !anyOverlap(allow.rule.aliases, deny.rule.aliases)) continue
      told.add(pair)
      problems.push(
        warning(
          ["rules", deny.index],
          `${ruleName(deny.rule, deny.index)} now wins over ${ruleName(allow.rule, allow.index)}, which won by its place in the original: a deny rule always wins`
        )
      )
    }
  }
  return problems
}
