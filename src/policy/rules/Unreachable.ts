import { type DocumentProblem, warning } from "../DocumentProblem.ts"
import { hasWildcard, matchesGlob } from "../Glob.ts"
import { baseName } from "./DenyPattern.ts"
import { ANYTHING, coversHosts, hostSteps, sampleOf } from "./HostCover.ts"
import { splitPattern } from "./PatternPiece.ts"
import { type Rule, ruleName } from "./Rule.ts"
import { makeWorkBudget, type WorkBudget } from "./WorkBudget.ts"

/** Rules that are told, at most. */
const MAX_TOLD = 50

const nameOf = (text: string): string => text.split(" ", 1)[0] ?? ""

/** The text with its program without a directory, as a deny rule looks at it. */
const withBaseName = (text: string): string => `${baseName(nameOf(text))}${text.slice(nameOf(text).length)}`

/** A pattern as one text: blanks collapsed and quotes removed. */
const textOf = (source: string): string =>
  splitPattern(source)
    .map((piece) => piece.text)
    .join(" ")

/** Words alone and with any others behind them. */
const withRest = (words: ReadonlyArray<string>): ReadonlyArray<string> => [
  words.join(" "),
  [...words, ANYTHING].join(" ")
]

/** Texts in which `ANYTHING` stands for what a wildcard covers: a glob that matches all of them covers the pattern. */
const samplesOfPattern = (source: string): ReadonlyArray<string> => {
  const text = textOf(source)
  const name = text.replace(/\*+$/, "")
  // A star behind the program's name stands for its arguments.
  return name !== text && name !== "" && !text.includes(" ") ? withRest([sampleOf(name)]) : [sampleOf(text)]
}

/** For each way of an allow rule to match: samples of the commands that it may allow, never fewer than it does. */
const allowedSamples = (rule: Rule): ReadonlyArray<ReadonlyArray<string>> => [
  ...(rule.commands ?? []).map(samplesOfPattern),
  ...(rule.commands_regex ?? []).map(() => [ANYTHING]),
  ...(rule.simple_binaries ?? []).map((name) => (rule.simple_max_args === 0 ? [name] : withRest([name]))),
  ...(rule.binary === undefined ? [] : [withRest([rule.binary, ...(rule.arg_prefix ?? [])])])
]

/** Globs on a command's text of which a deny rule certainly denies every match, never more than it does. */
const deniedGlobs = (rule: Rule): ReadonlyArray<string> => {
  const patterns = (rule.commands ?? []).map((source) => textOf(source))
  const simple =
    rule.simple_max_args === undefined ? (rule.simple_binaries ?? []).flatMap((name) => [name, `${name} *`]) : []
  const exact = [rule.binary ?? "", ...(rule.arg_prefix ?? [])]
  const prefixed =
    rule.binary !== undefined && exact.length > 1 && rule.path_args === undefined && rule.allow_extra_args !== false
      ? [exact.join(" "), `${exact.join(" ")} *`]
      : []
  const words = [...simple, ...prefixed].filter((glob) => !/[*?[]/.test(glob.replace(/ \*$/, "")))
  const globs = [...patterns.filter((glob) => glob !== "" && !/[?[]/.test(glob)), ...words]
  // Of a denied path only the base name counts, unless it holds a wildcard.
  return globs.map((glob) => (hasWildcard(nameOf(glob)) ? glob : withBaseName(glob)))
}

/** A deny rule, and a glob of what it denies. */
interface DeniedGlob {
  readonly rule: Rule
  readonly index: number
  readonly glob: string
}

const indexByProgram = (rules: ReadonlyArray<Rule>): ReadonlyMap<string, ReadonlyArray<DeniedGlob>> => {
  const found = new Map<string, Array<DeniedGlob>>()
  for (const [index, rule] of rules.entries()) {
    if (rule.action === "allow") continue
    for (const glob of deniedGlobs(rule)) {
      const program = nameOf(glob)
      const key = hasWildcard(program) ? "*" : program
      const globs = found.get(key) ?? []
      globs.push({ rule, index, glob })
      found.set(key, globs)
    }
  }
  return found
}

/** The first deny rule for the same hosts that denies every command of a sample. */
const denierOf = (
  denied: ReadonlyMap<string, ReadonlyArray<DeniedGlob>>,
  rule: Rule,
  sample: string,
  budget: WorkBudget
): DeniedGlob | undefined => {
  if (budget.isSpent()) return undefined
  const text = withBaseName(sample)
  return [...(denied.get(nameOf(text)) ?? []), ...(denied.get("*") ?? [])].find(
    (each) =>
      budget.take(each.glob.length * text.length) &&
      matchesGlob(each.glob, text) &&
      budget.take(hostSteps(each.rule, rule)) &&
      coversHosts(each.rule, rule)
  )
}

/** The deny rules that together leave an allow rule nothing to allow, or none. */
const deniersOf = (
  denied: ReadonlyMap<string, ReadonlyArray<DeniedGlob>>,
  rule: Rule,
  budget: WorkBudget
): ReadonlyArray<DeniedGlob> | undefined => {
  const samples = allowedSamples(rule).flat()
  const deniers: Array<DeniedGlob> = []
  for (const sample of samples) {
    const denier = denierOf(denied, rule, sample, budget)
    if (denier === undefined) return undefined
    deniers.push(denier)
  }
  return samples.length === 0 ? undefined : deniers
}

const denials = (rules: ReadonlyArray<Rule>, budget: WorkBudget): ReadonlyArray<DocumentProblem> => {
  const denied = indexByProgram(rules)
  return rules.flatMap((rule, index) => {
    const deniers = rule.action === "allow" ? deniersOf(denied, rule, budget) : undefined
    const [first] = deniers ?? []
    if (deniers === undefined || first === undefined) return []
    const names = new Set(deniers.map((each) => ruleName(each.rule, each.index)))
    const others = names.size > 1 ? ` and ${names.size - 1} more` : ""
    const verb = names.size > 1 ? "deny" : "denies"
    return [
      warning(
        ["rules", index],
        `${ruleName(rule, index)} never allows anything: ${ruleName(first.rule, first.index)}${others} ${verb} it`
      )
    ]
  })
}

const words = (rule: Rule): ReadonlyArray<string> =>
  rule.binary === undefined
    ? []
    : [JSON.stringify([rule.binary, rule.arg_prefix ?? [], rule.path_args ?? 0, rule.allow_extra_args ?? true])]

/** Every way of a rule to match, spelt so that equal ways are equal texts. */
const waysOf = (rule: Rule): ReadonlySet<string> =>
  new Set([
    ...(rule.commands ?? []).map((text) => `commands ${/['"]/.test(text) ? text : text.trim().replace(/\s+/g, " ")}`),
    ...(rule.commands_regex ?? []).map((text) => `regex ${text}`),
    ...(rule.simple_binaries ?? []).map((name) => `simple ${rule.simple_max_args ?? ""} ${name}`),
    ...words(rule)
  ])

const sorted = (list: ReadonlyArray<string> | undefined): ReadonlyArray<string> => (list ?? []).toSorted()

/** What a rule does besides allowing, spelt so that equal effects are equal texts. */
const effectsOf = (rule: Rule): string =>
  JSON.stringify([
    Object.entries(rule.limits ?? {}).toSorted(([one], [other]) => (one < other ? -1 : 1)),
    sorted(rule.redirect_write),
    sorted(rule.redirect_read),
    sorted(rule.env),
    rule.unsafe_args === true
  ])

/** Earlier rules with one of the same ways that a rule is compared with, at most. */
const MAX_EARLIER = 20

const repetitions = (rules: ReadonlyArray<Rule>, budget: WorkBudget): ReadonlyArray<DocumentProblem> => {
  const ways = rules.map((rule) => (rule.action === "allow" ? waysOf(rule) : new Set<string>()))
  const earlier = new Map<string, Array<number>>()
  return rules.flatMap((rule, index) => {
    const own = [...(ways[index] ?? [])]
    const same = (earlier.get(own[0] ?? "") ?? []).find((other) => {
      const before = rules[other]
      if (before === undefined || !budget.take(own.length + hostSteps(before, rule))) return false
      return (
        own.every((way) => ways[other]?.has(way) === true) &&
        effectsOf(before) === effectsOf(rule) &&
        coversHosts(before, rule)
      )
    })
    for (const way of own) {
      const indices = earlier.get(way) ?? []
      if (indices.length < MAX_EARLIER) earlier.set(way, [...indices, index])
    }
    const before = same === undefined ? undefined : rules[same]
    return same === undefined || before === undefined
      ? []
      : [warning(["rules", index], `${ruleName(rule, index)} has no effect: ${ruleName(before, same)} allows the same`)]
  })
}

/**
 * Warns of allow rules that change nothing: deny rules for the same hosts deny all that they allow, or an earlier rule
 * allows the same with the same effects. Told only where it is certain from the texts; says so when there was too much to compare.
 */
export const checkUnreachable = (rules: ReadonlyArray<Rule>): ReadonlyArray<DocumentProblem> => {
  const budget = makeWorkBudget()
  const found = [...denials(rules, budget), ...repetitions(rules, budget)]
  return [
    ...found.slice(0, MAX_TOLD),
    ...(budget.isSpent() || found.length > MAX_TOLD
      ? [warning(["rules"], "too many patterns to compare: not every rule without an effect is told")]
      : [])
  ]
}
