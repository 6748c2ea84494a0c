import { appliesTo, type CompiledRule, compileRule, type HostFacts, type Matcher } from "./CompiledRule.ts"
import type { Coverage } from "./AllowPattern.ts"
import { baseName } from "./DenyPattern.ts"
import type { RegexEngine } from "./RegexEngine.ts"
import type { Rule } from "./Rule.ts"
import { isText, staticText, type Words } from "../shell/Word.ts"

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

/** Compiles the rules of a file. A rule without an action denies. Regular expressions need the engine. */
export const makeRuleBook = (rules: ReadonlyArray<Rule>, engine?: RegexEngine): RuleBook => {
  const compiled = rules.map((rule, index) => ({
    allows: rule.action === "allow",
    rule: compileRule(rule, index, engine)
  }))
  return {
    allow: makeIndex(compiled.filter((each) => each.allows).map((each) => each.rule)),
    deny: makeIndex(compiled.filter((each) => !each.allows).map((each) => each.rule)),
    count: rules.length
  }
}

const literalWords = (coverage: Coverage): number => {
  let count = 0
  for (const literal of coverage) if (literal) count++
  return count
}

/** Matches that a decision looks at, at most. */
const MAX_MATCHES = 8

/** The allow rules that certainly match, the best first: those that name the most words literally, then in file order. */
export const findAllows = (book: RuleBook, host: HostFacts, words: Words): ReadonlyArray<Match> => {
  const name = staticText(words[0])
  if (name === undefined) return []
  const found: Array<Match & { readonly literals: number }> = []
  for (const entries of [book.allow.byProgram.get(name) ?? [], book.allow.anyProgram]) {
    for (const { matcher, rule } of entries) {
      const coverage = matcher.match(words)
      if (coverage === undefined || !appliesTo(rule, host)) continue
      found.push({ rule, matcher, coverage, literals: literalWords(coverage) })
    }
  }
  return found
    .sort((left, right) => right.literals - left.literals || left.rule.index - right.rule.index)
    .slice(0, MAX_MATCHES)
    .map(({ coverage, matcher, rule }) => ({ rule, matcher, coverage }))
}

const deniersOf = (book: RuleBook, words: Words): ReadonlyArray<Entry> => {
  const name = staticText(words[0])
  const named = name === undefined ? [...book.deny.byProgram.values()].flat() : book.deny.byProgram.get(baseName(name))
  return [...(named ?? []), ...book.deny.anyProgram]
}

/** The first deny rule that may match. A name that is not certain may be any. */
export const findDeny = (book: RuleBook, host: HostFacts, words: Words): CompiledRule | undefined =>
  deniersOf(book, words).find(({ matcher, rule }) => matcher.match(words) !== undefined && appliesTo(rule, host))?.rule

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
export const nearestRules = (book: RuleBook, host: HostFacts, words: Words): ReadonlyArray<Nearest> => {
  const name = staticText(words[0])
  if (name === undefined) return []
  const program = baseName(name)
  const same = book.allow.byProgram.get(program)
  const entries =
    same ??
    [...book.allow.byProgram].flatMap(([name, each]) => (name.length > 1 && isOneEdit(name, program) ? each : []))
  const inCommon = (source: string): number => {
    const given = source.split(/\s+/)
    const at = words.findIndex((word, index) => !isText(word, given[index] ?? ""))
    return at < 0 ? words.length : at
  }
  const visible = entries
    .filter(({ rule }) => appliesTo(rule, host))
    .map(({ matcher, rule }) => ({ rule: rule.name, pattern: matcher.source, common: inCommon(matcher.source) }))
  return visible
    .sort((left, right) => right.common - left.common)
    .slice(0, MAX_NEAREST)
    .map(({ pattern, rule }) => ({ rule, pattern }))
}
