import { Option, Schema } from "effect"
import { firstAddress, formatAddress, parseCidr } from "./network/Address.ts"
import { type DocumentProblem, warning } from "./DocumentProblem.ts"
import { LimitsPatch } from "./Limits.ts"
import { NetworkDocument } from "./network/Network.ts"
import type { RegexEngine } from "./rules/RegexEngine.ts"
import { Rule } from "./rules/Rule.ts"
import { checkDenySubstrings, checkRules } from "./rules/RuleCheck.ts"
import { checkRuleOrder } from "./rules/RuleOrder.ts"
import { checkTranslation } from "./rules/Translation.ts"
import { checkUnreachable } from "./rules/Unreachable.ts"

export type { DocumentProblem } from "./DocumentProblem.ts"

/** Limits as policy.yml holds them: with the two booleans of the original project, which have no effect. */
export const LimitsDocument = LimitsPatch.pipe(
  Schema.fieldsAssign({
    /** Accepted for the original's files; `false` is a warning, since host keys are always verified. */
    require_known_host: Schema.optionalKey(Schema.Boolean),
    /** Accepted for the original's files; `true` is a warning, since unknown keys are never added. */
    host_key_auto_add: Schema.optionalKey(Schema.Boolean)
  })
)
export type LimitsDocument = typeof LimitsDocument.Type

/**
 * The whole of policy.yml, decoded with `onExcessProperty: "error"`: an unknown key anywhere is an error. What one key
 * alone cannot say is checked by `checkPolicyDocument`.
 */
export const PolicyDocument = Schema.Struct({
  /**
   * Informational: the rule language is told by the keys of the rules. With 3 the file was written for this project, so
   * that nothing is noted about what the original would have made of it.
   */
  version: Schema.optionalKey(Schema.Literals([1, 2, 3])),
  /** The known_hosts file to verify host keys with. */
  known_hosts_path: Schema.optionalKey(Schema.NonEmptyString.check(Schema.isMaxLength(500))),
  /** Limits of every host. */
  limits: Schema.optionalKey(LimitsDocument),
  /** Which addresses may be connected to. */
  network: Schema.optionalKey(NetworkDocument),
  /** What may run, and what may not: at most 10,000 rules. Nothing runs unless a rule allows it. */
  rules: Schema.optionalKey(Schema.Array(Rule).check(Schema.isMaxLength(10_000))),
  /** Limits by alias and by tag. */
  overrides: Schema.optionalKey(
    Schema.Struct({
      aliases: Schema.optionalKey(Schema.Record(Schema.String, LimitsDocument)),
      tags: Schema.optionalKey(Schema.Record(Schema.String, LimitsDocument))
    })
  )
})
export type PolicyDocument = typeof PolicyDocument.Type

const checkHostKeyFlags = (
  path: ReadonlyArray<string>,
  flags: { readonly require_known_host?: boolean; readonly host_key_auto_add?: boolean } | undefined
): ReadonlyArray<DocumentProblem> => [
  ...(flags?.host_key_auto_add === true
    ? [warning([...path, "host_key_auto_add"], "has no effect: unknown host keys are never added")]
    : []),
  ...(flags?.require_known_host === false
    ? [warning([...path, "require_known_host"], "has no effect: host keys are always verified")]
    : [])
]

const checkLimits = (
  path: ReadonlyArray<string>,
  limits: LimitsDocument | undefined
): ReadonlyArray<DocumentProblem> => [
  ...checkHostKeyFlags(path, limits),
  ...checkDenySubstrings([...path, "deny_substrings"], limits?.deny_substrings)
]

const checkOverrides = (
  kind: "aliases" | "tags",
  overrides: Readonly<Record<string, LimitsDocument>> | undefined
): ReadonlyArray<DocumentProblem> =>
  Object.entries(overrides ?? {}).flatMap(([name, limits]) => checkLimits(["overrides", kind, name], limits))

const NETWORK_LISTS = ["allow_ips", "allow_cidrs", "block_ips", "block_cidrs"] as const

const checkNetwork = (network: NetworkDocument | undefined): ReadonlyArray<DocumentProblem> => [
  ...checkHostKeyFlags(["network"], network),
  ...NETWORK_LISTS.flatMap((list) =>
    (network?.[list] ?? []).flatMap((text, index) =>
      Option.match(parseCidr(text), {
        onNone: () => [],
        onSome: (cidr) => {
          const first = firstAddress(cidr)
          return first.value === cidr.network.value
            ? []
            : [
                warning(
                  ["network", list, index],
                  `has bits below its prefix and means ${formatAddress(first)}/${cidr.prefix}`
                )
              ]
        }
      })
    )
  )
]

/**
 * What no single key of policy.yml can say: rules that mix the two languages or can never match, examples that a rule does
 * not keep, rules that allow more than they seem to, or nothing, keys without effect, and what the original decided otherwise.
 * Without an engine every regular expression is an error. In no order; `check` sorts them by place.
 */
export const checkPolicyDocument = (document: PolicyDocument, engine?: RegexEngine): ReadonlyArray<DocumentProblem> => [
  ...checkLimits(["limits"], document.limits),
  ...checkNetwork(document.network),
  ...checkRules(document.rules ?? [], engine),
  ...checkRuleOrder(document.rules ?? []),
  ...checkUnreachable(document.rules ?? []),
  ...(document.version === 3 ? [] : (document.rules ?? []).flatMap(checkTranslation)),
  ...checkOverrides("aliases", document.overrides?.aliases),
  ...checkOverrides("tags", document.overrides?.tags)
]
