import { RE2JS } from "re2js"
import { Effect, Option, Result } from "effect"
import { formatProblem, type Problem } from "../config/Problem.ts"
import { decodePolicy, RegexEngineLoader } from "../config/PolicyFile.ts"
import { parseYamlFile } from "../config/YamlFile.ts"
import type { PolicyDocument } from "../policy/PolicyDocument.ts"
import { makeRegexEngine } from "../policy/rules/Re2.ts"
import { commandHash } from "../policy/shell/ShellCommand.ts"
import type { LoggedEvent } from "./world/EventLog.ts"
import { drawFaultKinds, drawFaultPlan, type FaultLevel } from "./hosts/Faults.ts"
import { plainHost } from "./hosts/HostPlan.ts"
import type { Scenario, ScenarioHost, Step } from "./workload/Scenario.ts"
import { seededRandom } from "./world/SeededRandom.ts"
import { runScenario, type ScenarioOutcome } from "./RunScenario.ts"

/** A host of one's own fleet. */
export interface RehearsedHost {
  readonly alias: string
  readonly tags?: ReadonlyArray<string>
  /** The address that servers.yml names, which the network policy is asked about; one in 10.0.0.0/8 when absent. */
  readonly address?: string
  /** The alias of the host to go through, which comes earlier and has no `jump` of its own. */
  readonly jump?: string
}

/** A command, and where it is to run. */
export type RehearsedCommand =
  | { readonly command: string; readonly tag: string }
  | { readonly command: string; readonly alias: string }

/** A fleet of one's own, under a policy of one's own, and what is run on it. */
export interface Rehearsal {
  /** Unsigned, 32 bits. */
  readonly seed: number
  readonly policy: PolicyDocument
  readonly hosts: ReadonlyArray<RehearsedHost>
  /** Run one after the other, 5 minutes apart. */
  readonly commands: ReadonlyArray<RehearsedCommand>
  /** `none` when absent. */
  readonly faults?: FaultLevel
}

/** What became of a command on all hosts that it was meant for, in tasks. */
export interface CommandReport {
  readonly command: string
  readonly completed: number
  readonly failed: number
  readonly timeout: number
  readonly cancelled: number
  /** Denied by the rules or by the network policy, with the number of hosts for each reason. */
  readonly denied: number
  readonly reasons: Readonly<Record<string, number>>
  /** Virtual seconds from the first decision to the last end. */
  readonly seconds: number
}

/** What a rehearsal came to. */
export interface RehearsalReport {
  /** The run itself; its violations are empty when the server kept its word. */
  readonly outcome: ScenarioOutcome
  /** One for each different command, in the order of their first use. */
  readonly commands: ReadonlyArray<CommandReport>
}

/** Between the beginnings of two commands, in milliseconds: past `sync_wait_seconds` and the usual `max_seconds`. */
const APART = 300_000

const regexEngine = Effect.succeed(makeRegexEngine({ RE2JS }))

/**
 * The document of a policy.yml, checked as the server checks it. Fails with the problems of one that cannot be used, as
 * `check` prints them. Waits for nothing: `Effect.runSync` runs it.
 */
export const policyFromYaml = Effect.fn("Rehearsal.policyFromYaml")(function* (
  text: string
): Effect.fn.Return<PolicyDocument, ReadonlyArray<string>> {
  const failed = (problems: ReadonlyArray<Problem>) =>
    Effect.fail(problems.filter(({ severity }) => severity === "error").map(formatProblem))
  const file = parseYamlFile("policy.yml", new TextEncoder().encode(text))
  if (Result.isFailure(file)) return yield* failed(file.failure)
  const { problems, value } = yield* Effect.provideService(decodePolicy(file.success), RegexEngineLoader, regexEngine)
  return Option.isSome(value) ? value.value.document : yield* failed(problems)
})

const hostOf = (
  rehearsal: Rehearsal,
  { address, alias, jump, tags = [] }: RehearsedHost,
  index: number
): ScenarioHost => {
  const random = seededRandom(rehearsal.seed)
  const faults = rehearsal.faults ?? "none"
  const plain = plainHost(alias, index)
  return {
    ...plain,
    addresses: address === undefined ? plain.addresses : [address],
    configured: "address",
    tags,
    ...(jump === undefined ? {} : { jump }),
    latencyMillis: 1 + random.fork(`latency of ${alias}`).below(80),
    faults: drawFaultPlan(random.fork(`faults of ${alias}`), faults, drawFaultKinds(random.fork("kinds"), faults))
  }
}

const stepOf = (one: RehearsedCommand, index: number): Step => {
  const shared = { at: index * APART, key: index, program: { _tag: "Text", text: one.command }, blanks: 1 } as const
  return "tag" in one ? { _tag: "RunOnTag", ...shared, tag: one.tag } : { _tag: "Start", ...shared, alias: one.alias }
}

/** The scenario of a rehearsal: to be run, shrunk or made a replay token like any other. */
export const rehearsalScenario = (rehearsal: Rehearsal): Scenario => {
  const { known_hosts_path: _notRead, ...policy } = rehearsal.policy
  return {
    seed: rehearsal.seed,
    policy,
    hosts: rehearsal.hosts.map((host, index) => hostOf(rehearsal, host, index)),
    steps: rehearsal.commands.map(stepOf)
  }
}

const ENDS = ["completed", "failed", "timeout", "cancelled"] as const

/** What the events of a run say about one command, told by its hash. Fan-outs are no hosts and do not count. */
const reportOf = (command: string, events: ReadonlyArray<LoggedEvent>, aliases: ReadonlySet<string>): CommandReport => {
  const hash = commandHash(command)
  const reasons = new Map<string, number>()
  const ends = new Map<string, number>()
  const count = (counts: Map<string, number>, key: string) => counts.set(key, (counts.get(key) ?? 0) + 1)
  let first: number | undefined
  let last = 0
  for (const { at, event } of events) {
    if ((event._tag !== "Decision" && event._tag !== "Transition") || event.hash !== hash) continue
    if (!aliases.has(event.alias)) continue
    first ??= at
    last = at
    if (event._tag === "Transition") count(ends, event.to)
    else if (!event.allowed) count(reasons, event.reason)
  }
  const [completed, failed, timeout, cancelled] = ENDS.map((end) => ends.get(end) ?? 0)
  return {
    command,
    completed: completed ?? 0,
    failed: failed ?? 0,
    timeout: timeout ?? 0,
    cancelled: cancelled ?? 0,
    denied: [...reasons.values()].reduce((sum, each) => sum + each, 0),
    reasons: Object.fromEntries(reasons),
    seconds: (last - (first ?? last)) / 1000
  }
}

/** Runs one's own commands on a simulated fleet under one's own policy. The same rehearsal gives the same report. */
export const rehearse = (rehearsal: Rehearsal): RehearsalReport => {
  const outcome = runScenario(rehearsalScenario(rehearsal))
  const aliases = new Set(rehearsal.hosts.map(({ alias }) => alias))
  const commands = [...new Set(rehearsal.commands.map(({ command }) => command.trim()))]
  return { outcome, commands: commands.map((command) => reportOf(command, outcome.events, aliases)) }
}
