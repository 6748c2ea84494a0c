import { appliesTo, type CompiledRule, compileRule, type HostFacts, type Matcher } from "./CompiledRule.ts"
import { type Argv, baseName, type Coverage } from "./Pattern.ts"
import type { Rule } from "./Rule.ts"

/** One way of one rule to match. */
interface Entry {
  readonly rule: CompiledRule
  readonly matcher: Matcher
}

/** A rule that allows a command, and what of the command it names literally. */
export interface Match extends Entry {
  readonly coverage: Coverage
}

/** Rules by the program they are about, so that a decision looks at few of them however many there are. */
interface Index {
  readonly byProgram: ReadonlyMap<string, ReadonlyArray<Entry>>
  readonly anyProgram: ReadonlyArray<Entry>
}

/** The rules of a policy, compiled and indexed. */
export interface RuleBook {
  readonly allow: Index
  readonly deny: Index
  readonly count: number
}

const makeIndex = (rules: ReadonlyArray<CompiledRule>): Index => {
  const byProgram = new Map<string, Array<Entry>>()
  const anyProgram: Array<Entry> = []
  for (const rule of rules) {
    for (const matcher of rule.matchers) {
      const { program } = matcher
      const entries = program === undefined ? anyProgram : (byProgram.get(program) ?? [])
      entries.push({ rule, matcher })
      if (program !== undefined) byProgram.set(program, entries)
    }
  }
  return { byProgram, anyProgram }
}

/** Compiles the rules of a file. A rule without an action denies. */
export const makeRuleBook = (rules: ReadonlyArray<Rule>): RuleBook => {
  const compiled = rules.map((rule, index) => ({ allows: rule.action === "allow", rule: compileRule(rule, index) }))
  return {
    allow: makeIndex(compiled.filter((each) => each.allows).map((each) => each.rule)),
    deny: makeIndex(compiled.filter((each) => !each.allows).map((each) => each.rule)),
    count: rules.length
  }
}

const literalWords = (coverage: Coverage): number => coverage.filter((literal) => literal).length

/** The allow rule that certainly matches and names the most words literally; the first in the file of equals. */
export const findAllow = (book: RuleBook, host: HostFacts, argv: Argv): Match | undefined => {
  let best: Match | undefined
  for (const entries of [book.allow.byProgram.get(argv[0]) ?? [], book.allow.anyProgram]) {
    for (const { matcher, rule } of entries) {
      const coverage = matcher.match(argv)
      if (coverage === undefined || !appliesTo(rule, host)) continue
      const gain = literalWords(coverage) - (best === undefined ? -1 : literalWords(best.coverage))
      if (gain > 0 || (gain === 0 && best !== undefined && rule.index < best.rule.index)) {
        best = { rule, matcher, coverage }
      }
    }
  }
  return best
}

/** The first deny rule that may match. */
export const findDeny = (book: RuleBook, host: HostFacts, argv: Argv): CompiledRule | undefined => {
  const entries = [...(book.deny.byProgram.get(baseName(argv[0])) ?? []), ...book.deny.anyProgram]
  return entries.find(({ matcher, rule }) => matcher.match(argv) !== undefined && appliesTo(rule, host))?.rule
}

/** An allow rule that is close to a denied command. */
export interface Nearest {
  readonly rule: string
  readonly pattern: string
}

/** Rules that a denial shows, at most. */
const MAX_NEAREST = 3

/** Whether two names differ by one edit: a letter more, less, other, or two swapped. */
const isOneEdit = (left: string, right: string): boolean => {
  const [short, long] = left.length <= right.length ? [left, right] : [right, left]
  if (long.length - short.length > 1) return false
  let start = 0
  while (start < short.length && short[start] === long[start]) start++
  const [a, b] = [short.slice(start), long.slice(start)]
  if (a.length < b.length) return a === b.slice(1)
  return a.slice(1) === b.slice(1) || (a[0] === b[1] && a[1] === b[0] && a.slice(2) === b.slice(2))
}

/**
 * Allow rules of this host for the same program, those with the most leading words in common first; without any, for a
 * program that is one edit away. Never a rule of another host, and never a deny rule.
 */
export const nearestRules = (book: RuleBook, host: HostFacts, argv: Argv): ReadonlyArray<Nearest> => {
  const program = baseName(argv[0])
  const same = book.allow.byProgram.get(program)
  const entries =
    same ??
    [...book.allow.byProgram].flatMap(([name, each]) => (name.length > 1 && isOneEdit(name, program) ? each : []))
  const inCommon = (source: string): number => {
    const words = source.split(/\s+/)
    const at = argv.findIndex((word, index) => words[index] !== word)
    return at < 0 ? argv.length : at
  }
  const visible = entries
    .filter(({ rule }) => appliesTo(rule, host))
    .map(({ matcher, rule }) => ({ rule: rule.name, pattern: matcher.source, common: inCommon(matcher.source) }))
  return visible
    .sort((left, right) => right.common - left.common)
    .slice(0, MAX_NEAREST)
    .map(({ pattern, rule }) => ({ rule, pattern }))
}
