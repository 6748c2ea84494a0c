import { DEFAULT_LIMITS, type LimitsPatch } from "../../policy/Limits.ts"
import { matchingRules } from "./ExpectedDecision.ts"
import type { ConfigState } from "../workload/ScenarioConfig.ts"

/** The limits that the model looks at. */
export type LimitName =
  | "max_seconds"
  | "max_output_bytes"
  | "task_result_ttl"
  | "sync_wait_seconds"
  | "max_concurrent_tasks"
  | "max_tasks_per_host"
  | "max_queued_tasks"

/** Between what a limit is, where the model cannot tell which configuration, or which of several rules, counted. */
export interface Bounds {
  readonly lowest: number
  readonly highest: number
}

/** Whom the limit is for: a host and its command, or a fan-out, which has only a tag. */
export interface Subject {
  readonly alias: string
  readonly tags: ReadonlyArray<string>
  readonly command: string
}

/** 0 seconds mean no limit. */
const asNumber = (name: LimitName, value: number): number =>
  name === "max_seconds" && value === 0 ? Number.POSITIVE_INFINITY : value

/** Of a host: alias override, then the last tag override, then `limits`, then the default. */
const ofHost = ({ policy }: ConfigState, name: LimitName, { alias, tags }: Subject): number => {
  const { limits, overrides } = policy
  const patches: ReadonlyArray<LimitsPatch | undefined> = [
    overrides?.aliases?.[alias],
    ...tags.toReversed().map((tag) => overrides?.tags?.[tag]),
    limits
  ]
  return asNumber(
    name,
    patches.map((patch) => patch?.[name]).find((value) => value !== undefined) ?? DEFAULT_LIMITS[name]
  )
}

/** What a limit is for the subject under any of some configurations. Rules that match can only lower it. */
export const expectLimit = (states: ReadonlyArray<ConfigState>, name: LimitName, subject: Subject): Bounds => {
  const values = states.flatMap((state) => {
    const base = ofHost(state, name, subject)
    const lowered = matchingRules(state.policy, subject.tags, subject.command).map(({ limits }) =>
      Math.min(base, asNumber(name, limits?.[name] ?? Number.POSITIVE_INFINITY))
    )
    // Which of several rules that match count is the policy's business: any of them, or all.
    return lowered.length === 1 ? lowered : [base, ...lowered]
  })
  return { lowest: Math.min(...values), highest: Math.max(...values) }
}

/** The largest value that any part of the configurations gives to a limit of the whole process, or of a host. */
export const highestLimit = (states: ReadonlyArray<ConfigState>, name: LimitName): number =>
  Math.max(
    ...states.flatMap(({ policy: { limits, overrides } }) => [
      limits?.[name] ?? DEFAULT_LIMITS[name],
      ...Object.values(overrides?.aliases ?? {}).map((patch) => patch[name] ?? 0),
      ...Object.values(overrides?.tags ?? {}).map((patch) => patch[name] ?? 0)
    ])
  )
