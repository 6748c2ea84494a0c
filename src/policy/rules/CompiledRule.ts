import { hasWildcard, matchesGlob } from "../Glob.ts"
import type { LimitsPatch } from "../Limits.ts"
import {
  type AllowPattern,
  type Argv,
  baseName,
  compileAllowPattern,
  compileDenyPattern,
  type Coverage,
  type DenyPattern,
  matchAllowPattern,
  mayMatchDenyPattern
} from "./Pattern.ts"
import { type Rule, ruleName } from "./Rule.ts"

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
}

/** One way for a rule to match a command: a pattern, or words of the newer language. */
export interface Matcher {
  /** How a plan shows it. */
  readonly source: string
  /** The exact program that it is about, to look it up by; none means that any program may match. */
  readonly program: string | undefined
  readonly match: (argv: Argv) => Coverage | undefined
}

/** Whether a rule is about a host: any of its aliases, and any of its tags for any tag of the host; empty is every host. */
export const appliesTo = (rule: CompiledRule, host: HostFacts): boolean =>
  (rule.aliases.length === 0 || rule.aliases.some((glob) => matchesGlob(glob, host.alias))) &&
  (rule.tags.length === 0 || rule.tags.some((glob) => host.tags.some((tag) => matchesGlob(glob, tag))))

const allowPatternMatcher = (pattern: AllowPattern): Matcher => ({
  source: pattern.source,
  program: pattern.program,
  match: (argv) => matchAllowPattern(pattern, argv)
})

const denyPatternMatcher = (pattern: DenyPattern): Matcher => ({
  source: pattern.source,
  program: pattern.program,
  match: (argv) => (mayMatchDenyPattern(pattern, argv) ? argv.map(() => true) : undefined)
})

const simpleBinaryMatcher = (program: string, maximum: number | undefined): Matcher => ({
  source: program,
  program,
  match: (argv) =>
    argv[0] === program && (maximum === undefined || argv.length - 1 <= maximum)
      ? argv.map((_, index) => index === 0)
      : undefined
})

/** Whether any pattern matches an argument; a wildcard never covers a `..` segment. Tells if a literal did. */
const matchPathArg = (patterns: ReadonlyArray<string>, word: string): "literal" | "glob" | undefined => {
  if (patterns.includes(word)) return "literal"
  if (word.split("/").includes("..")) return undefined
  return patterns.some((pattern) => hasWildcard(pattern) && matchesGlob(pattern, word)) ? "glob" : undefined
}

const binaryMatcher = (rule: Rule, program: string): Matcher | undefined => {
  const prefix = rule.arg_prefix ?? []
  const indices = rule.path_args?.indices ?? []
  const patterns = rule.path_args?.patterns ?? []
  if (prefix.length === 0 && indices.length === 0) return undefined
  const named = new Set([...prefix.map((_, index) => index + 1), ...indices])
  named.delete(0)
  const extra = rule.allow_extra_args ?? true
  return {
    source: [program, ...prefix, ...(indices.length > 0 ? patterns.slice(0, 1) : []), ...(extra ? ["*"] : [])].join(
      " "
    ),
    program,
    match: (argv) => {
      if (argv[0] !== program || (!extra && argv.length - 1 !== named.size)) return undefined
      if (!prefix.every((word, index) => argv[index + 1] === word)) return undefined
      const covered = argv.map((_, index) => index <= prefix.length)
      for (const index of indices) {
        const word = argv[index]
        const match = word === undefined ? undefined : matchPathArg(patterns, word)
        if (match === undefined) return undefined
        covered[index] ||= match === "literal"
      }
      return covered
    }
  }
}

/** A deny rule of exact words sees the program's base name, and its arguments also without the options between them. */
const widen = (matcher: Matcher): Matcher => ({
  ...matcher,
  match: ([name, ...args]) => {
    const program = baseName(name)
    return (
      matcher.match([program, ...args]) ?? matcher.match([program, ...args.filter((word) => !word.startsWith("-"))])
    )
  }
})

const isMatcher = (matcher: Matcher | undefined): matcher is Matcher => matcher !== undefined

const wordMatchers = (rule: Rule): ReadonlyArray<Matcher> => [
  ...(rule.simple_binaries ?? []).map((program) => simpleBinaryMatcher(program, rule.simple_max_args)),
  ...[rule.binary === undefined ? undefined : binaryMatcher(rule, rule.binary)].filter(isMatcher)
]

const patternMatchers = (rule: Rule): ReadonlyArray<Matcher> =>
  rule.action === "allow"
    ? (rule.commands ?? []).flatMap((source) => {
        const pattern = compileAllowPattern(source)
        return pattern === undefined ? [] : [allowPatternMatcher(pattern)]
      })
    : (rule.commands ?? []).flatMap((source) => {
        const pattern = compileDenyPattern(source)
        return pattern === undefined ? [] : [denyPatternMatcher(pattern)]
      })

/** Compiles a decoded rule. Total: what can never match becomes no matcher. */
export const compileRule = (rule: Rule, index: number): CompiledRule => ({
  name: ruleName(rule, index),
  index,
  aliases: rule.aliases ?? [],
  tags: rule.tags ?? [],
  limits: rule.limits ?? {},
  matchers: [
    ...patternMatchers(rule),
    // A program given by path is no program of the newer language.
    ...wordMatchers(rule)
      .filter((matcher) => matcher.program?.includes("/") === false)
      .map((matcher) => (rule.action === "allow" ? matcher : widen(matcher)))
  ]
})
