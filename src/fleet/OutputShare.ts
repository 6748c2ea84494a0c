import { shorten } from "../task/CutText.ts"
import { encodeLineCursor } from "../task/LineCursor.ts"
import type { FleetResult, HostResult, OutputGroup } from "./FleetResult.ts"

const outputOf = (result: HostResult): string => ("denied" in result ? "" : result.output)

/** Hosts by their output, for output that is not empty. */
const byOutput = (results: ReadonlyArray<HostResult>): ReadonlyMap<string, ReadonlyArray<string>> => {
  const hosts = new Map<string, Array<string>>()
  for (const result of results) {
    const output = outputOf(result)
    if (output === "") continue
    const same = hosts.get(output)
    if (same === undefined) hosts.set(output, [result.alias])
    else same.push(result.alias)
  }
  return hosts
}

/** What a group saves in a result: the repeated text, less what the group itself takes. */
const saves = (output: string, hosts: ReadonlyArray<string>): boolean =>
  JSON.stringify(output).length * (hosts.length - 1) > JSON.stringify({ hosts, output: "" }).length

/** The texts that the hosts share, where telling them once saves bytes. */
const groupsOf = (results: ReadonlyArray<HostResult>): ReadonlyArray<OutputGroup> =>
  Array.from(byOutput(results), ([output, hosts]) => ({ output, hosts })).filter(
    ({ hosts, output }) => hosts.length > 1 && saves(output, hosts)
  )

/**
 * The size up to which a text may go so that all fit in `budget`: small ones are whole, and what they leave is shared
 * evenly by the others.
 */
export const fairShare = (sizes: ReadonlyArray<number>, budget: number): number => {
  const sorted = [...sizes].sort((a, b) => a - b)
  let left = budget
  for (const [i, size] of sorted.entries()) {
    const share = Math.floor(left / (sorted.length - i))
    if (size > share) return share
    left -= size
  }
  return Infinity
}

/**
 * Cuts the outputs so that they fit in `budget` bytes together, fairly; a text that several hosts share counts once.
 * A host whose output is cut says where its own task reads on.
 */
export const fitOutputs = (results: ReadonlyArray<HostResult>, budget: number): ReadonlyArray<HostResult> => {
  const shared = new Set(groupsOf(results).map(({ output }) => output))
  const sizes: Array<number> = [...shared].map((output) => Buffer.byteLength(output))
  for (const result of results) {
    const output = outputOf(result)
    if (!shared.has(output)) sizes.push(Buffer.byteLength(output))
  }
  const share = fairShare(sizes, budget)
  const cut = new Map<string, ReturnType<typeof shorten>>()
  return results.map((result) => {
    if ("denied" in result || Buffer.byteLength(result.output) <= share) return result
    const key = `${result.truncated} ${result.output}`
    const short = cut.get(key) ?? shorten(result.output, result.truncated, share)
    cut.set(key, short)
    return {
      ...result,
      output: short.output,
      truncated: true,
      next_cursor: encodeLineCursor(short.headLines)
    }
  })
}

/** Tells texts that several hosts share once, in `groups`; the results of those hosts then hold no output. */
export const groupOutputs = (results: ReadonlyArray<HostResult>): Pick<FleetResult, "results" | "groups"> => {
  const groups = groupsOf(results)
  if (groups.length === 0) return { results }
  const shared = new Set(groups.map(({ output }) => output))
  return {
    results: results.map((result) =>
      "denied" in result || !shared.has(result.output) ? result : { ...result, output: "" }
    ),
    groups
  }
}
