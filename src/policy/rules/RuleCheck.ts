import { Result } from "effect"
import { compileRule } from "./CompiledRule.ts"
import { type DocumentProblem, error, warning } from "../DocumentProblem.ts"
import { compileAllowPattern } from "./Pattern.ts"
import { type Rule, ruleLanguage, ruleName } from "./Rule.ts"
import { parseCommand } from "../shell/ShellCommand.ts"

const INTERPRETERS: ReadonlySet<string> = new Set(
  (
    "python python2 python3 perl ruby node nodejs deno bun lua php tclsh guile Rscript psql mysql mariadb sqlite3 " +
    "mongosh redis-cli vi vim nvim nano ed emacs less more man make gdb ftp sftp"
  ).split(" ")
)

/** Keys that are decoded, so that a file for a later version loads, and do nothing yet. */
const WITHOUT_EFFECT = ["redirect_write", "redirect_read", "env"] as const

/** A `*` in a denied text is no wildcard, which the original's own pages get wrong. */
export const checkDenySubstrings = (
  path: ReadonlyArray<string | number>,
  texts: ReadonlyArray<string> | undefined
): ReadonlyArray<DocumentProblem> =>
  (texts ?? []).flatMap((text, index) =>
    text.includes("*")
      ? [warning([...path, index], `${JSON.stringify(text)} is literal text: * matches only the character *`)]
      : []
  )

const checkLanguages = (rules: ReadonlyArray<Rule>): ReadonlyArray<DocumentProblem> => {
  const both = rules.findIndex((rule) => ruleLanguage(rule) === "both")
  const patterns = rules.findIndex((rule) => ruleLanguage(rule) === "patterns")
  const words = rules.findIndex((rule) => ruleLanguage(rule) === "words")
  const name = (index: number): string => {
    const rule = rules[index]
    return rule === undefined ? `rules[${index}]` : ruleName(rule, index)
  }
  if (both >= 0) {
    return [
      error(["rules", both], `${name(both)} mixes commands with simple_binaries or binary: use one language in a file`)
    ]
  }
  if (patterns < 0 || words < 0) return []
  return [
    error(
      ["rules", Math.max(patterns, words)],
      `${name(patterns)} uses commands and ${name(words)} uses simple_binaries or binary: use one language in a file`
    )
  ]
}

const checkIds = (rules: ReadonlyArray<Rule>): ReadonlyArray<DocumentProblem> => {
  const seen = new Map<string, number>()
  return rules.flatMap(({ id }, index) => {
    if (id === undefined) return []
    const first = seen.get(id)
    if (first === undefined) seen.set(id, index)
    return first === undefined ? [] : [error(["rules", index, "id"], `rules[${first}] has the same id ${id}`)]
  })
}

/** Examples are matched by the rule alone: what other rules, hosts and guards say about them is not its business. */
const checkExamples = (rule: Rule, index: number): ReadonlyArray<DocumentProblem> => {
  const { matchers } = compileRule(rule, index)
  const matches = (example: string): boolean => {
    const parsed = parseCommand(example)
    return (
      Result.isSuccess(parsed) &&
      parsed.success.commands.every(({ argv }) => matchers.some((matcher) => matcher.match(argv) !== undefined))
    )
  }
  const problem = (key: "match" | "not_match", place: number, example: string): DocumentProblem =>
    error(
      ["rules", index, key, place],
      `${ruleName(rule, index)} ${key === "match" ? "does not match" : "matches"} its example ${JSON.stringify(example)}`
    )
  return [
    ...(rule.match ?? []).flatMap((each, place) => (matches(each) ? [] : [problem("match", place, each)])),
    ...(rule.not_match ?? []).flatMap((each, place) => (matches(each) ? [problem("not_match", place, each)] : []))
  ]
}

const checkAllowPatterns = (rule: Rule, index: number): ReadonlyArray<DocumentProblem> =>
  (rule.action === "allow" ? (rule.commands ?? []) : []).flatMap((source, place) => {
    const path = ["rules", index, "commands", place]
    const pattern = compileAllowPattern(source)
    if (pattern === undefined) return [warning(path, "never matches: the program's name may not hold a wildcard")]
    return pattern.rest !== "none" && pattern.program !== undefined && INTERPRETERS.has(pattern.program)
      ? [warning(path, `allows any code that ${pattern.program} can run`)]
      : []
  })

const checkWords = (rule: Rule, index: number): ReadonlyArray<DocumentProblem> => {
  const path = ["rules", index]
  const named = (rule.arg_prefix?.length ?? 0) > 0 || rule.path_args !== undefined
  return [
    ...(rule.binary !== undefined && !named
      ? [warning([...path, "binary"], "never matches alone: add arg_prefix or path_args, or use simple_binaries")]
      : []),
    ...(rule.binary === undefined && named
      ? [warning(path, "arg_prefix and path_args have no effect without binary")]
      : []),
    ...[...(rule.simple_binaries ?? []), ...(rule.binary === undefined ? [] : [rule.binary])]
      .filter((program) => program.includes("/"))
      .map((program) => warning(path, `${program} never matches: name the program without its path`))
  ]
}

const checkRule = (rule: Rule, index: number): ReadonlyArray<DocumentProblem> => {
  const path = ["rules", index]
  return [
    ...((rule.commands_regex?.length ?? 0) > 0
      ? [error([...path, "commands_regex"], "regular expressions are not supported yet: use commands")]
      : []),
    ...(ruleLanguage(rule) === "none" && (rule.commands_regex?.length ?? 0) === 0
      ? [warning(path, `${ruleName(rule, index)} never matches: it names no commands`)]
      : []),
    ...WITHOUT_EFFECT.filter((key) => (rule[key]?.length ?? 0) > 0).map((key) =>
      warning([...path, key], "has no effect yet")
    ),
    ...(rule.unsafe_args === true ? [warning([...path, "unsafe_args"], "has no effect yet")] : []),
    ...checkDenySubstrings([...path, "limits", "deny_substrings"], rule.limits?.deny_substrings),
    ...checkAllowPatterns(rule, index),
    ...checkWords(rule, index),
    ...checkExamples(rule, index)
  ]
}

/** The problems of the `rules` list, rule by rule and among them. */
export const checkRules = (rules: ReadonlyArray<Rule>): ReadonlyArray<DocumentProblem> => [
  ...checkLanguages(rules),
  ...checkIds(rules),
  ...rules.flatMap(checkRule)
]
