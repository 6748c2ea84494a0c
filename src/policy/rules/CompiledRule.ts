import { matchesGlob } from "../Glob.ts"
import type { LimitsPatch } from "../Limits.ts"
import type { Words } from "../shell/Word.ts"
import { compileAllowPattern, type Coverage, matchAllowPattern } from "./AllowPattern.ts"
import { compileDenyPattern, mayMatchDenyPattern } from "./DenyPattern.ts"
import type { RegexEngine } from "./RegexEngine.ts"
import { compileRegexPattern, matchRegexPattern, mayMatchRegexPattern, regexProgram } from "./RegexPattern.ts"
import { type Rule, ruleName } from "./Rule.ts"
import {
  compileNamedProgram,
  matchNamedProgram,
  matchSimpleProgram,
  mayMatchNamedProgram,
  mayMatchSimpleProgram
} from "./WordRule.ts"

/** What a rule may know of the host that a command is for. */
export interface HostFacts {
  readonly alias: string
  /** In the order of the inventory, which decides between overrides by tag. */
  readonly tags: ReadonlyArray<string>
}

/** A rule ready to match. */
export interface CompiledRule {
  readonly name: string
  /** Its place in the file. */
  readonly index: number
  readonly aliases: ReadonlyArray<string>
  readonly tags: ReadonlyArray<string>
  readonly limits: LimitsPatch
  readonly matchers: ReadonlyArray<Matcher>
  /** Paths, or globs of them, that its commands may write to and read from by redirection. */
  readonly redirectWrite: ReadonlyArray<string>
  readonly redirectRead: ReadonlyArray<string>
  /** Names of variables, or globs of them, that may be set for its commands besides the harmless ones. */
  readonly env: ReadonlyArray<string>
  /** Whether the argument guards are off for its commands. */
  readonly unsafeArgs: boolean
}

/** One way for a rule to match a command: a pattern, a regular expression, or words of the newer language. */
export interface Matcher {
  /** How a plan shows it. */
  readonly source: string
  /** The exact program that it is about, to look it up by; none means that any program may match. */
  readonly program: string | undefined
  /** Of an allow rule, whether it certainly matches; of a deny rule, whether it may, and then every word is covered. */
  readonly match: (words: Words) => Coverage | undefined
}

/** Whether a rule is about a host: any of its aliases, and any of its tags for any tag of the host; empty is every host. */
export const appliesTo = (rule: CompiledRule, host: HostFacts): boolean =>
  (rule.aliases.length === 0 || rule.aliases.some((glob) => matchesGlob(glob, host.alias))) &&
  (rule.tags.length === 0 || rule.tags.some((glob) => host.tags.some((tag) => matchesGlob(glob, tag))))

const allowMatchers = (rule: Rule, engine: RegexEngine | undefined): ReadonlyArray<Matcher> => {
  const named = compileNamedProgram(rule)
  return [
    ...(rule.commands ?? []).flatMap((source) => {
      const pattern = compileAllowPattern(source)
      if (pattern === undefined) return []
      return [{ source, program: pattern.program, match: (words: Words) => matchAllowPattern(pattern, words) }]
    }),
    ...(rule.commands_regex ?? []).map((source) => {
      const pattern = compileRegexPattern(source, engine)
      return { source, program: regexProgram(pattern), match: (words: Words) => matchRegexPattern(pattern, words) }
    }),
    ...(rule.simple_binaries ?? []).map((program) => {
      const simple = { program, maximum: rule.simple_max_args }
      return { source: program, program, match: (words: Words) => matchSimpleProgram(simple, words) }
    }),
    ...(named === undefined
      ? []
      : [{ source: named.source, program: named.program, match: (words: Words) => matchNamedProgram(named, words) }])
  ]
}

const denyMatcher = (source: string, program: string | undefined, mayMatch: (words: Words) => boolean): Matcher => ({
  source,
  program,
  match: (words) => (mayMatch(words) ? words.map(() => true) : undefined)
})

const denyMatchers = (rule: Rule, engine: RegexEngine | undefined): ReadonlyArray<Matcher> => {
  const named = compileNamedProgram(rule)
  return [
    ...(rule.commands ?? []).flatMap((source) => {
      const pattern = compileDenyPattern(source)
      return pattern === undefined
        ? []
        : [denyMatcher(source, pattern.program, (words) => mayMatchDenyPattern(pattern, words))]
    }),
    ...(rule.commands_regex ?? []).map((source) => {
      const pattern = compileRegexPattern(source, engine)
      const program = regexProgram(pattern)
      // Denials are looked up by base name, and an expression that begins with a path is about another name.
      return denyMatcher(source, program?.includes("/") === true ? undefined : program, (words) =>
        mayMatchRegexPattern(pattern, words)
      )
    }),
    ...(rule.simple_binaries ?? []).map((program) => {
      const simple = { program, maximum: rule.simple_max_args }
      return denyMatcher(program, program, (words) => mayMatchSimpleProgram(simple, words))
    }),
    ...(named === undefined
      ? []
      : [denyMatcher(named.source, named.program, (words) => mayMatchNamedProgram(named, words))])
  ]
}

/** A program given by path is no program of the newer language. */
const withoutPaths = (rule: Rule): Rule => {
  const { binary, ...others } = rule
  const simple = rule.simple_binaries?.filter((program) => !program.includes("/")) ?? []
  return { ...others, simple_binaries: simple, ...(binary === undefined || binary.includes("/") ? {} : { binary }) }
}

/** Compiles a decoded rule. Total: what can never match becomes no matcher; regular expressions need the engine. */
export const compileRule = (rule: Rule, index: number, engine?: RegexEngine): CompiledRule => ({
  name: ruleName(rule, index),
  index,
  aliases: rule.aliases ?? [],
  tags: rule.tags ?? [],
  limits: rule.limits ?? {},
  matchers: (rule.action === "allow" ? allowMatchers : denyMatchers)(withoutPaths(rule), engine),
  redirectWrite: rule.redirect_write ?? [],
  redirectRead: rule.redirect_read ?? [],
  env: rule.env ?? [],
  unsafeArgs: rule.unsafe_args ?? false
})
