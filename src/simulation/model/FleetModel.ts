import { Schema } from "effect"
import { FleetResult } from "../../fleet/FleetResult.ts"
import type { Facts } from "./Facts.ts"

const isFleetResult = Schema.is(FleetResult)

/** What is wrong with the result of a fan-out by itself: hosts that are missing, or counted twice. */
export const checkFleetResult = ({ hosts }: Pick<Facts, "hosts">, value: unknown): ReadonlyArray<string> => {
  if (!isFleetResult(value) || value.summary === undefined) return []
  const { not_started: notStarted = [], results, summary, tag } = value
  const problems: Array<string> = []
  const { cancelled, denied, failed, successful, timeout, total_hosts: total } = summary
  const aliases = results.map(({ alias }) => alias)
  const all = [...aliases, ...notStarted]
  if (new Set(all).size !== all.length) problems.push(`a host is twice in the result on ${tag}`)
  if (all.length !== total) problems.push(`the result on ${tag} has ${all.length} hosts of ${total}`)
  if (successful + failed + cancelled + timeout + denied !== results.length) {
    problems.push(`the summary on ${tag} does not add up to ${results.length} results`)
  }
  const strangers = results.filter(
    (result) => !("denied" in result) && hosts.get(result.alias)?.tags.includes(tag) !== true
  )
  for (const { alias } of strangers) problems.push(`${alias} ran a command for the tag ${tag}, which it does not have`)
  const completed = results.filter((result) => !("denied" in result) && result.status === "completed").length
  if (completed !== successful)
    problems.push(`the summary on ${tag} says ${successful} successful, ${completed} completed`)
  return problems
}
