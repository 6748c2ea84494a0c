import { type DocumentProblem, error, warning } from "../DocumentProblem.ts"
import { isProgramName } from "../shell/ProgramName.ts"
import { compileAllowPattern } from "./AllowPattern.ts"
import { checkBreadth } from "./BroadRules.ts"
import { checkPermissions } from "./PermissionCheck.ts"
import type { RegexEngine } from "./RegexEngine.ts"
import { checkRegexes } from "./RegexCheck.ts"
import { type Rule, ruleLanguage, ruleName } from "./Rule.ts"
import { checkExamples } from "./RuleExamples.ts"

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

const checkAllowPatterns = (rule: Rule, index: number): ReadonlyArray<DocumentProblem> =>
  (rule.action === "allow" ? (rule.commands ?? []) : []).flatMap((source, place) => {
    const path = ["rules", index, "commands", place]
    const pattern = compileAllowPattern(source)
    if (pattern === undefined) return [warning(path, "never matches: the program's name may not hold a wildcard")]
    return pattern.program === undefined || isProgramName(pattern.program)
      ? []
      : [warning(path, "never matches: a program's name holds no . or .. segment and no //")]
  })

const LISTS = [
  "aliases",
  "tags",
  "commands",
  "commands_regex",
  "simple_binaries",
  "redirect_write",
  "redirect_read",
  "env"
] as const

/** One warning for each list that says something twice. */
const checkDuplicates = (rule: Rule, index: number): ReadonlyArray<DocumentProblem> =>
  LISTS.flatMap((key) => {
    const seen = new Set<string>()
    const place = (rule[key] ?? []).findIndex((entry) => seen.size === seen.add(entry).size)
    return place < 0
      ? []
      : [warning(["rules", index, key, place], `${JSON.stringify(rule[key]?.[place])} is in the list already`)]
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

const checkRule = (rule: Rule, index: number, engine?: RegexEngine): ReadonlyArray<DocumentProblem> => {
  const path = ["rules", index]
  return [
    ...(ruleLanguage(rule) === "none" && (rule.commands_regex?.length ?? 0) === 0
      ? [warning(path, `${ruleName(rule, index)} never matches: it names no commands`)]
      : []),
    ...checkDenySubstrings([...path, "limits", "deny_substrings"], rule.limits?.deny_substrings),
    ...checkAllowPatterns(rule, index),
    ...checkBreadth(rule, index),
    ...checkWords(rule, index),
    ...checkDuplicates(rule, index),
    ...checkPermissions(rule, index),
    ...checkExamples(rule, index, engine)
  ]
}

/** The problems of the `rules` list, rule by rule and among them. Without an engine a regular expression is an error. */
export const checkRules = (rules: ReadonlyArray<Rule>, engine?: RegexEngine): ReadonlyArray<DocumentProblem> => [
  ...checkLanguages(rules),
  ...checkIds(rules),
  ...checkRegexes(rules, engine),
  ...rules.flatMap((rule, index) => checkRule(rule, index, engine))
]
