import { HashMap, Option } from "effect"
import type { FleetResult, HostResult } from "./FleetResult.ts"
import { tooManyFailures } from "./MaxFailures.ts"
import { fitOutputs, groupOutputs } from "./OutputShare.ts"

/** What is known of a fan-out: the results of the hosts that ended, in any order. Immutable. */
export interface FleetState {
  readonly results: HashMap.HashMap<string, HostResult>
  /** Bytes of output held, those that hosts share counted at least once: at most twice the budget. */
  readonly bytes: number
  /** Hosts that did not succeed. */
  readonly failures: number
}

/** A fan-out of which no host ended. */
export const emptyFleetState: FleetState = { results: HashMap.empty(), bytes: 0, failures: 0 }

/** How one host counts in the summary. */
const outcomeOf = (result: HostResult): "successful" | "failed" | "cancelled" | "timeout" | "denied" => {
  if ("denied" in result) return "denied"
  switch (result.status) {
    case "completed":
      return "successful"
    case "cancelled":
    case "timeout":
      return result.status
    case "failed":
    case "pending":
    case "running":
      return "failed"
  }
}

/** Makes equal outputs one string, and counts the bytes of those that are left. */
const share = (results: ReadonlyArray<HostResult>): Pick<FleetState, "results" | "bytes"> => {
  const outputs = new Map<string, string>()
  let bytes = 0
  const shared = results.map((result): readonly [string, HostResult] => {
    if ("denied" in result) return [result.alias, result]
    const known = outputs.get(result.output)
    if (known !== undefined) return [result.alias, { ...result, output: known }]
    outputs.set(result.output, result.output)
    bytes += Buffer.byteLength(result.output)
    return [result.alias, result]
  })
  return { results: HashMap.fromIterable(shared), bytes }
}

/**
 * Adds the result of a host. Once the outputs pass twice `budget` all are cut to their fair share, so that a fan-out
 * holds at most that much text however many hosts it has; a share only shrinks as hosts are added, so that nothing is
 * cut which the final result could show.
 */
export const addResult = (state: FleetState, result: HostResult, budget: number): FleetState => {
  const results = HashMap.set(state.results, result.alias, result)
  const failures = state.failures + (outcomeOf(result) === "successful" ? 0 : 1)
  const bytes = state.bytes + ("denied" in result ? 0 : Buffer.byteLength(result.output))
  if (bytes <= 2 * budget) return { results, bytes, failures }
  return { ...share(fitOutputs([...HashMap.values(results)], budget)), failures }
}

/** What names a fan-out in its result. */
export interface FleetSubject {
  readonly tag: string
  readonly command: string
  /** All hosts, in the order in which the result lists them. */
  readonly aliases: ReadonlyArray<string>
  /** How many of them the request matched, when not all: the others were named but do not have the tag. */
  readonly matched?: number
  /** An `AmountText`: once more hosts than that failed, no further one is started. */
  readonly maxFailures?: string
}

/** Why hosts were not started, when too many others failed, and how to go on. */
const stoppedNote = (notStarted: number): string =>
  `More hosts failed than max_failures allows, so ${notStarted} were not started. Look at failed_hosts first; then go on with not_started as \`only\`.`

/**
 * The result as far as it is known: hosts in their order, outputs within `budget` bytes together. A host without a
 * result is one that was not started.
 */
export const fleetResult = (subject: FleetSubject, state: FleetState, budget: number): FleetResult => {
  const results = subject.aliases.flatMap((alias) => Option.toArray(HashMap.get(state.results, alias)))
  const summary = {
    total_hosts: subject.aliases.length,
    successful: 0,
    failed: 0,
    cancelled: 0,
    timeout: 0,
    denied: 0
  }
  for (const result of results) summary[outcomeOf(result)]++
  const notStarted = subject.aliases.filter((alias) => !HashMap.has(state.results, alias))
  const stopped = notStarted.length > 0 && tooManyFailures(subject.maxFailures, state.failures, subject.aliases.length)
  return {
    tag: subject.tag,
    command: subject.command,
    hosts_matched: subject.matched ?? subject.aliases.length,
    ...groupOutputs(fitOutputs(results, budget)),
    failed_hosts: results.filter((result) => outcomeOf(result) !== "successful").map(({ alias }) => alias),
    not_started: notStarted,
    summary,
    ...(stopped ? { note: stoppedNote(notStarted.length) } : {})
  }
}
