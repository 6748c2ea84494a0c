import { Schema } from "effect"
import { LimitsPatch } from "../Limits.ts"
import { MAX_REGEX_LENGTH } from "./RegexEngine.ts"

/** A text in a rule; the length bounds the time of one match. */
const Text = Schema.NonEmptyString.check(Schema.isMaxLength(1_000))

/** A list in a rule, at most 1,000 entries. */
const Texts = Schema.optionalKey(Schema.Array(Text).check(Schema.isMaxLength(1_000)))

/** A regular expression of a rule; what is longer is better written as patterns, and slow. */
const Regex = Schema.NonEmptyString.check(Schema.isMaxLength(MAX_REGEX_LENGTH))

/** Which arguments must match a pattern: indices into argv (0 is the program), each against any of the patterns. */
export const PathArgs = Schema.Struct({
  indices: Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1_000 }))).check(
    Schema.isMinLength(1),
    Schema.isMaxLength(100)
  ),
  patterns: Schema.Array(Text).check(Schema.isMinLength(1), Schema.isMaxLength(1_000))
})

/**
 * One entry of `rules` in policy.yml, in either of the original's two languages: `commands` (patterns), or
 * `simple_binaries` and `binary` (exact words). The languages are not mixed in one file; `checkPolicyDocument` says so.
 */
export const Rule = Schema.Struct({
  /** Name shown in plans and in the audit; without one a rule is called by its place, `rules[3]`. */
  id: Schema.optionalKey(Schema.NonEmptyString.check(Schema.isMaxLength(100), Schema.isPattern(/^[\w./:@-]+$/))),
  /** What a match means; missing is `deny`. */
  action: Schema.optionalKey(Schema.Literals(["allow", "deny"])),
  /** Globs of host aliases; empty or missing is every host. */
  aliases: Texts,
  /** Globs of tags, of which any one tag of the host must match; empty or missing is every host. */
  tags: Texts,
  /** Command patterns, matched word by word (see `AllowPattern` and `DenyPattern`). */
  commands: Texts,
  /** Regular expressions (RE2, whole text) on the canonical text of one simple command. */
  commands_regex: Schema.optionalKey(Schema.Array(Regex).check(Schema.isMaxLength(1_000))),
  /** Exact program names. */
  simple_binaries: Texts,
  /** Arguments that a program of `simple_binaries` may have; without it any number. */
  simple_max_args: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 10_000 }))),
  /** An exact program name, with at least one of `arg_prefix` and `path_args`. */
  binary: Schema.optionalKey(Text),
  /** Exact leading arguments of `binary`. */
  arg_prefix: Texts,
  /** Arguments of `binary` that must match a pattern. */
  path_args: Schema.optionalKey(PathArgs),
  /** Whether arguments beyond the named ones may follow; missing is true. */
  allow_extra_args: Schema.optionalKey(Schema.Boolean),
  /** Whole texts that this rule alone must match; checked when the file is loaded. */
  match: Texts,
  /** Whole texts that this rule alone must not match; checked when the file is loaded. */
  not_match: Texts,
  /** Globs of paths that a command which this rule allows may redirect output to; missing is none but /dev/null. */
  redirect_write: Texts,
  /** Globs of paths that a command which this rule allows may redirect input from; missing is none but /dev/null. */
  redirect_read: Texts,
  /** Globs of variables that may be set before a command which this rule allows, besides the harmless ones. */
  env: Texts,
  /** Switches the argument guards off for the commands that this rule allows. */
  unsafe_args: Schema.optionalKey(Schema.Boolean),
  /** Limits of the commands that this rule allows; they can only lower the host's. */
  limits: Schema.optionalKey(LimitsPatch)
})
export type Rule = typeof Rule.Type

/** What plans and the audit call a rule: its `id`, or its place in the file. */
export const ruleName = (rule: Rule, index: number): string => rule.id ?? `rules[${index}]`

/**
 * Which of the original's two rule languages a rule uses; `none` when it uses neither. Regular expressions go with both,
 * since the original has none.
 */
export const ruleLanguage = (rule: Rule): "patterns" | "words" | "both" | "none" => {
  const patterns = (rule.commands?.length ?? 0) > 0
  const words = (rule.simple_binaries?.length ?? 0) > 0 || rule.binary !== undefined
  return patterns ? (words ? "both" : "patterns") : words ? "words" : "none"
}
