import type { PolicyDocument } from "../../policy/PolicyDocument.ts"
import type { Rule } from "../../policy/rules/Rule.ts"
import { PROGRAM_NAMES } from "../workload/Program.ts"

/** What the policy has to say about a command, by rules that are simple enough to be sure. */
export type Expected = "allow" | "deny" | "unknown"

/** The keys of a rule that `expectDecision` understands. */
const KNOWN = new Set(["id", "action", "tags", "commands", "limits"])

/** The program of a command of the workload: its first word. */
const firstWord = (command: string): string => command.trim().split(/ +/)[0] ?? ""

/** The program that a pattern `NAME *` is about; every other pattern is beyond this model. */
const programOf = (pattern: string): string | undefined => /^([a-z]+) \*$/.exec(pattern)?.[1]

const isSimple = (rule: Rule): boolean =>
  Object.keys(rule).every((key) => KNOWN.has(key)) &&
  (rule.commands ?? []).every((pattern) => programOf(pattern) !== undefined) &&
  (rule.tags ?? []).every((tag) => /^[a-z]+$/.test(tag))

const matches = (rule: Rule, tags: ReadonlyArray<string>, program: string): boolean =>
  ((rule.tags ?? []).length === 0 || tags.some((tag) => rule.tags?.includes(tag))) &&
  (rule.commands ?? []).some((pattern) => programOf(pattern) === program)

/** The rules that name the command's program and a tag of its host. */
export const matchingRules = (
  { rules }: PolicyDocument,
  tags: ReadonlyArray<string>,
  command: string
): ReadonlyArray<Rule> => (rules ?? []).filter((rule) => matches(rule, tags, firstWord(command)))

/**
 * What the policy decides about a command of the workload on a host: deny overrides allow, and nothing runs unless a rule
 * allows it. A second, much simpler implementation of what `Policy.decide` does: `unknown` for a policy with more in it
 * than drawn ones have.
 */
export const expectDecision = (policy: PolicyDocument, tags: ReadonlyArray<string>, command: string): Expected => {
  const rules = policy.rules ?? []
  const isOurs = (PROGRAM_NAMES as ReadonlyArray<string>).includes(firstWord(command))
  if (!isOurs || !rules.every(isSimple) || policy.limits?.deny_substrings !== undefined) return "unknown"
  const matching = matchingRules(policy, tags, command)
  return matching.length > 0 && matching.every(({ action }) => action === "allow") ? "allow" : "deny"
}

const ipv4Number = (text: string): number | undefined => {
  const parts = text.split(".").map(Number)
  return parts.length === 4 && parts.every((part) => part >= 0 && part <= 255)
    ? parts.reduce((sum, part) => sum * 256 + part, 0)
    : undefined
}

/** Whether an IPv4 address is in a block; `undefined` for anything but IPv4. */
const isIn = (address: string, block: string): boolean | undefined => {
  const [network = "", bits = "32"] = block.split("/")
  const [a, n] = [ipv4Number(address), ipv4Number(network)]
  if (a === undefined || n === undefined) return undefined
  const size = 2 ** (32 - Number(bits))
  return Math.floor(a / size) === Math.floor(n / size)
}

/** Whether the network policy forbids an IPv4 address. Says no when it cannot be sure (IPv6). */
export const isForbidden = ({ network }: PolicyDocument, address: string): boolean => {
  const allow = [...(network?.allow_ips ?? []), ...(network?.allow_cidrs ?? [])]
  const block = [...(network?.block_ips ?? []), ...(network?.block_cidrs ?? [])]
  if (ipv4Number(address) === undefined) return false
  return (
    block.some((one) => isIn(address, one) === true) ||
    (allow.length > 0 && !allow.some((one) => isIn(address, one) === true))
  )
}
