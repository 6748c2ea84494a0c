import { Result } from "effect"
import { check, type CheckContext, type CheckedPart } from "./CommandCheck.ts"
import type { CompiledRule, HostFacts } from "./rules/CompiledRule.ts"
import { trimCommand } from "./shell/CommandText.ts"
import {
  BUILTIN_DENY_SUBSTRINGS,
  DEFAULT_LIMITS,
  type Limits,
  type LimitsPatch,
  lowerLimits,
  patchLimits
} from "./Limits.ts"
import { compileNetwork, type NetworkPolicy } from "./network/Network.ts"
import type { PlannedCommand } from "./Plan.ts"
import type { PolicyDocument } from "./PolicyDocument.ts"
import { makeRuleBook, type Nearest, nearestRules, type RuleBook } from "./rules/RuleBook.ts"
import {
  type CheckedCommand,
  checkedCommand,
  commandHash,
  parseCommand,
  type Refusal,
  simpleCommand
} from "./shell/ShellCommand.ts"

export type { HostFacts } from "./rules/CompiledRule.ts"

/** A policy ready to decide: made once per load of the configuration, never changed. */
export interface CompiledPolicy {
  /** Which addresses may be connected to. */
  readonly network: NetworkPolicy
  /** Rules in the file. */
  readonly ruleCount: number
  readonly rules: RuleBook
  /** Limits of every host that no override names. */
  readonly limits: Limits
  readonly aliasLimits: ReadonlyMap<string, LimitsPatch>
  readonly tagLimits: ReadonlyMap<string, LimitsPatch>
}

/** The command may run: `command.canonical` is the text to execute. */
export interface Allowed {
  readonly _tag: "Allowed"
  readonly command: CheckedCommand
  /** Every simple command of the text and every command inside a wrapper, each with its rule. */
  readonly parts: ReadonlyArray<PlannedCommand>
  /** The names of the rules that allowed it, joined by ",", for the audit. */
  readonly rule: string
  /** The host's limits, lowered by the matched rules. */
  readonly limits: Limits
}

/** The command may not run. */
export interface Denied {
  readonly _tag: "Denied"
  /** The caller's text, trimmed. */
  readonly requested: string
  readonly hash: string
  readonly parts: ReadonlyArray<PlannedCommand>
  /** A stable code: `no-rule`, `rule-deny`, `parse`, `construct/pipeline` and so on. */
  readonly code: string
  /** What is wrong, in a sentence fit for a client. */
  readonly detail: string
  readonly why: string
  /** The command among the parts that was denied. */
  readonly deniedCommand?: string
  /** The canonical text, when the command could be parsed. */
  readonly normalized?: string
  /** The deny rule that decided. */
  readonly rule?: string
  /** Up to three allow rules of this host that are close. */
  readonly nearest: ReadonlyArray<Nearest>
  readonly limits: Limits
}

/** Whether a command may run on a host, with every reason. */
export type Decision = Allowed | Denied

const toMap = (record: Readonly<Record<string, LimitsPatch>> | undefined): ReadonlyMap<string, LimitsPatch> =>
  new Map(Object.entries(record ?? {}))

/** Compiles a decoded policy.yml. Total; a document with error problems (`checkPolicyDocument`) is not to be used. */
export const compilePolicy = (document: PolicyDocument): CompiledPolicy => {
  const rules = makeRuleBook(document.rules ?? [])
  return {
    network: compileNetwork(document.network ?? {}),
    ruleCount: rules.count,
    rules,
    limits: patchLimits(DEFAULT_LIMITS, document.limits ?? {}),
    aliasLimits: toMap(document.overrides?.aliases),
    tagLimits: toMap(document.overrides?.tags)
  }
}

/** The policy without rules: it denies every command and leaves the network open, which nothing then uses. */
export const denyAll: CompiledPolicy = compilePolicy({})

/**
 * The limits of a host before any rule lowers them. Precedence per key: alias override, then tag overrides (a later tag of
 * the host beats an earlier), then `limits`, then the default.
 */
export const limitsFor = (policy: CompiledPolicy, host: HostFacts): Limits => {
  const patches = [...host.tags.map((tag) => policy.tagLimits.get(tag)), policy.aliasLimits.get(host.alias)]
  return patches.reduce<Limits>(
    (limits, patch) => (patch === undefined ? limits : patchLimits(limits, patch)),
    policy.limits
  )
}

const WHY = "Policy blocked this command."

const refused = (requested: string, limits: Limits, refusal: Refusal): Denied => {
  const text = refusal.text ?? requested.slice(0, 200)
  return {
    _tag: "Denied",
    requested,
    hash: commandHash(requested),
    parts: [{ text, argv: [], allowed: false, code: refusal.code, reason: refusal.reason }],
    code: refusal.code,
    detail: refusal.reason,
    why: WHY,
    nearest: [],
    limits
  }
}

/** Whether a configured text occurs in a command: in its raw, blank-collapsed, canonical or decoded form. */
const holdsDeniedText = (texts: ReadonlyArray<string>, command: CheckedCommand): boolean => {
  if (texts.length === 0) return false
  const forms = [
    command.requested,
    command.requested.replace(/\s+/g, " "),
    command.canonical,
    ...command.commands.map((each) => each.argv.join(" "))
  ]
  return texts.some((text) => forms.some((form) => form.includes(text)))
}

const deniedText: Pick<PlannedCommand, "allowed" | "code" | "reason"> = {
  allowed: false,
  code: "deny-substring",
  reason: "The command holds a text that is denied on this host."
}

/** The command with the words that the check arrived at: shell text inside a wrapper in its canonical form. */
const rewrite = (command: CheckedCommand, checked: ReadonlyArray<CheckedPart>): CheckedCommand =>
  checkedCommand(
    command.requested,
    command.commands.map((each, index) => simpleCommand(checked[index]?.argv ?? each.argv, each.span))
  )

const unique = (rules: ReadonlyArray<CompiledRule>): ReadonlyArray<CompiledRule> => [...new Set(rules)]

const whyOf = (command: CheckedCommand, text: string): string =>
  command.commands.length > 1 ? `Policy blocked command in chain: '${text}'` : WHY

/**
 * Decides whether a command may run on a host: the one function behind plan, run and audit. Pure and total; it denies
 * whatever it is not certain about.
 */
export const decide = (policy: CompiledPolicy, host: HostFacts, command: string): Decision => {
  const limits = limitsFor(policy, host)
  const parsed = parseCommand(command)
  if (Result.isFailure(parsed)) return refused(trimCommand(command), limits, parsed.failure)
  const builtins = limits.deny_substrings === BUILTIN_DENY_SUBSTRINGS
  const context: CheckContext = { book: policy.rules, host, builtins }
  const checked = parsed.success.commands.map((each) => check(context, each.argv, 0))
  const final = rewrite(parsed.success, checked)
  const rules = unique(checked.flatMap((each) => each.rules))
  const texts = [
    ...(builtins ? [] : limits.deny_substrings),
    ...rules.flatMap((rule) => rule.limits.deny_substrings ?? [])
  ]
  const blocked = holdsDeniedText(texts, parsed.success) || holdsDeniedText(texts, final)
  const parts = checked
    .flatMap((each) => each.parts)
    .map((part): PlannedCommand =>
      blocked && part.allowed ? { text: part.text, argv: part.argv, ...deniedText } : part
    )
  const denied = parts.find((part) => !part.allowed)
  if (denied === undefined) {
    return {
      _tag: "Allowed",
      command: final,
      parts,
      rule: rules.map((rule) => rule.name).join(","),
      limits: rules.reduce((lowered, rule) => lowerLimits(lowered, rule.limits), limits)
    }
  }
  const [program = "", ...args] = denied.argv
  return {
    _tag: "Denied",
    requested: final.requested,
    hash: final.hash,
    parts,
    code: denied.code ?? "no-rule",
    detail: denied.reason ?? WHY,
    why: whyOf(final, denied.text),
    deniedCommand: denied.text,
    normalized: final.canonical,
    ...(denied.rule === undefined ? {} : { rule: denied.rule }),
    nearest: denied.code === "deny-substring" ? [] : nearestRules(policy.rules, host, [program, ...args]),
    limits
  }
}
