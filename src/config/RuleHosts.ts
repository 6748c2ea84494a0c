import { matchesGlob } from "../policy/Glob.ts"
import { type Rule, ruleName } from "../policy/rules/Rule.ts"
import { makeWorkBudget, type WorkBudget } from "../policy/rules/WorkBudget.ts"
import { problemAt } from "./Decoded.ts"
import type { Host } from "./Host.ts"
import type { Problem } from "./Problem.ts"
import type { YamlFile } from "./YamlFile.ts"

/** Globs that a warning names, at most, and characters of each. */
const MAX_NAMED = 3
const MAX_SHOWN = 60

const shown = (globs: ReadonlyArray<string>): string =>
  globs
    .slice(0, MAX_NAMED)
    .map((glob) => JSON.stringify(glob.slice(0, MAX_SHOWN)))
    .join(", ")

/** Whether a name may match a glob: also when the budget is spent, since a warning needs certainty. */
const mayMatch = (budget: WorkBudget, glob: string, name: string): boolean =>
  !budget.take(glob.length * name.length) || matchesGlob(glob, name)

/** Answers, each worked out once, whether a glob matches any of some names. */
const makeLookup = (budget: WorkBudget, names: ReadonlyArray<string>) => {
  const known = new Map<string, boolean>(names.map((name) => [name, true]))
  return (glob: string): boolean => {
    const answer = known.get(glob) ?? names.some((name) => mayMatch(budget, glob, name))
    known.set(glob, answer)
    return answer
  }
}

/** Whether one host has one of a rule's aliases and one of its tags. */
const meetsHost = (budget: WorkBudget, rule: Rule, hosts: ReadonlyArray<Host>): boolean => {
  const { aliases = [], tags = [] } = rule
  return (
    aliases.length === 0 ||
    tags.length === 0 ||
    hosts.some(
      (host) =>
        aliases.some((glob) => mayMatch(budget, glob, host.alias)) &&
        tags.some((glob) => host.tags.some((tag) => mayMatch(budget, glob, tag)))
    )
  )
}

/**
 * Warns of rules that are about no host of servers.yml: a deny rule of this kind protects nothing. Without hosts there is
 * nothing to tell. Bounded: with too many names to compare it says so.
 */
export const checkRuleHosts = (
  file: YamlFile,
  rules: ReadonlyArray<Rule>,
  hosts: ReadonlyArray<Host>
): ReadonlyArray<Problem> => {
  if (hosts.length === 0) return []
  const budget = makeWorkBudget()
  const isAlias = makeLookup(
    budget,
    hosts.map(({ alias }) => alias)
  )
  const isTag = makeLookup(budget, [...new Set(hosts.flatMap((host) => host.tags))])
  const report = problemAt(file)
  const problems = rules.flatMap((rule, index): ReadonlyArray<Problem> => {
    const { aliases = [], tags = [] } = rule
    const missed = (key: string, message: string) =>
      report(
        "warning",
        ["rules", index, ...(key === "" ? [] : [key])],
        `${ruleName(rule, index)} is about no host: ${message}`
      )
    if (aliases.length > 0 && !aliases.some(isAlias)) return [missed("aliases", `no alias is ${shown(aliases)}`)]
    if (tags.length > 0 && !tags.some(isTag)) return [missed("tags", `no tag is ${shown(tags)}`)]
    return meetsHost(budget, rule, hosts) ? [] : [missed("", "none has one of its aliases and one of its tags")]
  })
  return budget.isSpent()
    ? [...problems, report("warning", ["rules"], "too many hosts to compare: not every rule without a host is told")]
    : problems
}
