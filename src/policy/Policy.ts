import { Result } from "effect"
import { check, checkContext } from "./CommandCheck.ts"
import { holdsDeniedText } from "./DeniedText.ts"
import type { CompiledRule, HostFacts } from "./rules/CompiledRule.ts"
import type { RegexEngine } from "./rules/RegexEngine.ts"
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
import { type CheckedCommand, commandHash, parseCommand, type Refusal } from "./shell/ShellCommand.ts"
import { staticWord, type Words } from "./shell/Word.ts"

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

/** Compiles a decoded policy.yml, with the engine for its regular expressions. Total; a document with error problems (`checkPolicyDocument`) is not to be used. */
export const compilePolicy = (document: PolicyDocument, engine?: RegexEngine): CompiledPolicy => {
  const rules = makeRuleBook(document.rules ?? [], engine)
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

const deniedText: Pick<PlannedCommand, "allowed" | "code" | "reason"> = {
  allowed: false,
  code: "deny-substring",
  reason: "The command holds a text that is denied on this host."
}

const asWords = (argv: ReadonlyArray<string>): Words => [staticWord(argv[0] ?? ""), ...argv.slice(1).map(staticWord)]

const unique = (rules: ReadonlyArray<CompiledRule>): ReadonlyArray<CompiledRule> => [...new Set(rules)]

/**
 * Decides whether a command may run on a host: the one function behind plan, run and audit. Pure and total; it denies
 * whatever it is not certain about.
 */
export const decide = (policy: CompiledPolicy, host: HostFacts, command: string): Decision => {
  const limits = limitsFor(policy, host)
  const parsed = parseCommand(command)
  if (Result.isFailure(parsed)) return refused(trimCommand(command), limits, parsed.failure)
  const checkedCommand = parsed.success
  const { canonical, commands, hash, requested } = checkedCommand
  if (commands.length === 0) return refused(requested, limits, { code: "no-rule", reason: "The text runs no command." })
  const builtins = limits.deny_substrings === BUILTIN_DENY_SUBSTRINGS
  const context = checkContext(policy.rules, host, builtins)
  const checked = commands.map((each) => check(context, each, 0))
  const rules = unique(checked.flatMap((each) => each.rules))
  const texts = [
    ...(builtins ? [] : limits.deny_substrings),
    ...rules.flatMap((rule) => rule.limits.deny_substrings ?? [])
  ]
  const decided = checked.flatMap((each) => each.parts)
  const parts = holdsDeniedText(texts, checkedCommand, decided)
    ? decided.map((part) => (part.allowed ? { text: part.text, argv: part.argv, ...deniedText } : part))
    : decided
  const denied = parts.find((part) => !part.allowed)
  if (denied === undefined) {
    return {
      _tag: "Allowed",
      command: checkedCommand,
      parts,
      rule: rules.map((rule) => rule.name).join(","),
      limits: rules.reduce((lowered, rule) => lowerLimits(lowered, rule.limits), limits)
    }
  }
  return {
    _tag: "Denied",
    requested,
    hash,
    parts,
    code: denied.code ?? "no-rule",
    detail: denied.reason ?? WHY,
    why: commands.length > 1 ? `Policy blocked command in chain: '${denied.text}'` : WHY,
    deniedCommand: denied.text,
    normalized: canonical,
    ...(denied.rule === undefined ? {} : { rule: denied.rule }),
    nearest: denied.code === "deny-substring" ? [] : nearestRules(policy.rules, host, asWords(denied.argv)),
    limits
  }
}
