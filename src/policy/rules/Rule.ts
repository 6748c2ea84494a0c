import { Schema } from "effect"
import { LimitsPatch } from "../Limits.ts"

/** A text in a rule; the length bounds the time of one match. */
const Text = Schema.NonEmptyString.check(Schema.isMaxLength(1_000))

/** A list in a rule, at most 1,000 entries. */
const Texts = Schema.optionalKey(Schema.Array(Text).check(Schema.isMaxLength(1_000)))

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
  /** Command patterns, matched word by word (see `Pattern`). */
  commands: Texts,
  /** Regular expressions on the canonical text: refused for now. */
  commands_regex: Texts,
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
  /** Commands that this rule must match; checked when the file is loaded. */
  match: Texts,
  /** Commands that this rule must not match; checked when the file is loaded. */
  not_match: Texts,
  /** Paths that output may be redirected to: no effect yet. */
  redirect_write: Texts,
  /** Paths that input may be redirected from: no effect yet. */
  redirect_read: Texts,
  /** Names of variables that may be set before the command: no effect yet. */
  env: Texts,
  /** Switches the argument guards off: no effect yet. */
  unsafe_args: Schema.optionalKey(Schema.Boolean),
  /** Limits of the commands that this rule allows; they can only lower the host's. */
  limits: Schema.optionalKey(LimitsPatch)
})
export type Rule = typeof Rule.Type

/** What plans and the audit call a rule: its `id`, or its place in the file. */
export const ruleName = (rule: Rule, index: number): string => rule.id ?? `rules[${index}]`

/** Which of the original's two rule languages a rule uses; `none` when it can never match. */
export const ruleLanguage = (rule: Rule): "patterns" | "words" | "both" | "none" => {
  const patterns = (rule.commands?.length ?? 0) > 0
  const words = (rule.simple_binaries?.length ?? 0) > 0 || rule.binary !== undefined
  return patterns ? (words ? "both" : "patterns") : words ? "words" : "none"
}
