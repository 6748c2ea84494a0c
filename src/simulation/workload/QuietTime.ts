import { isSubmit, type Scenario } from "./Scenario.ts"
import type { WorldBounds } from "../world/SimulatedWorld.ts"

/** Seconds that the longest task takes, with all its waits: for a slot, a connection, its program's end, its stop. */
const LONGEST_TASK_SECONDS = 3 * 3600

/** Turns that a run may take whatever its scenario, and for each task and each other step: some ten times what is usual. */
const TURNS = { run: 2_000_000, task: 2_000, step: 200 }

/** What is set as a result's TTL anywhere in a part of a policy, at most; 0 when nothing is. */
const longestTtl = (part: unknown): number => {
  if (typeof part !== "object" || part === null) return 0
  return Object.entries(part).reduce(
    (longest, [key, value]) =>
      Math.max(longest, key === "task_result_ttl" && typeof value === "number" ? value : longestTtl(value)),
    0
  )
}

/** How long all tasks of a scenario and their TTLs may take to be over, from its last step on, in virtual seconds. */
export const quietWithinSeconds = ({ policy, steps }: Scenario): number =>
  steps.reduce(
    (longest, step) =>
      step._tag === "Reload" && step.change._tag === "NewPolicy"
        ? Math.max(longest, longestTtl(step.change.policy))
        : longest,
    longestTtl(policy)
  ) + LONGEST_TASK_SECONDS

/** The bounds that a run of this scenario keeps unless it is caught in something. */
export const boundsOf = (scenario: Scenario): WorldBounds => {
  const { hosts, steps } = scenario
  const seconds = 2 * quietWithinSeconds(scenario)
  const maxMillis = (steps.at(-1)?.at ?? 0) + seconds * 1000
  const maxTurns = steps.reduce(
    (turns, step) =>
      turns + TURNS.step + (isSubmit(step) ? TURNS.task * (step._tag === "RunOnTag" ? hosts.length : 1) : 0),
    TURNS.run + maxMillis / 100
  )
  return { maxTurns, maxMillis }
}
