import type { LimitsPatch } from "../../policy/Limits.ts"
import type { NetworkDocument } from "../../policy/network/Network.ts"
import type { PolicyDocument } from "../../policy/PolicyDocument.ts"
import type { Rule } from "../../policy/rules/Rule.ts"
import { PROGRAM_NAMES } from "./Program.ts"
import type { SeededRandom } from "../world/SeededRandom.ts"

/** Tags of drawn fleets; the first is on every host. */
export const TAGS = ["all", "web", "db", "edge"] as const

/**
 * The values that a limit is drawn from: the smallest that means something, some at which two limits meet, and the
 * default. Without an end of its own (`max_seconds` 0) a command lasts as long as its program.
 */
const LIMIT_VALUES = {
  max_seconds: [1, 2, 5, 30, 60, 0],
  max_output_bytes: [1, 64, 1_000, 10_000, 65_536, 1_048_576],
  task_result_ttl: [1, 5, 30, 300],
  task_progress_interval: [1, 5],
  max_concurrent_tasks: [1, 2, 3, 8, 64],
  max_tasks_per_host: [1, 2, 3, 8, 12],
  max_queued_tasks: [0, 1, 4, 1_000],
  connect_timeout_seconds: [1, 5, 15],
  sync_wait_seconds: [1, 5, 45],
  max_result_bytes: [1_024, 4_096, 65_536],
  redact_output: [true, false]
} as const satisfies { readonly [K in keyof LimitsPatch]: ReadonlyArray<LimitsPatch[K]> }

type LimitKey = keyof typeof LIMIT_VALUES

const LIMIT_KEYS = Object.keys(LIMIT_VALUES) as ReadonlyArray<LimitKey>

/** Some limits, each named with the probability `p`. */
const drawLimits = (random: SeededRandom, p: number, keys: ReadonlyArray<LimitKey> = LIMIT_KEYS): LimitsPatch =>
  Object.fromEntries(
    keys.filter(() => random.chance(p)).map((key) => [key, random.pick<number | boolean>(LIMIT_VALUES[key])])
  )

/** Limits that a rule can lower without changing who may start. */
const RULE_KEYS: ReadonlyArray<LimitKey> = ["max_seconds", "max_output_bytes", "task_result_ttl", "max_result_bytes"]

const pattern = (program: string): string => `${program} *`

const ALLOWED = PROGRAM_NAMES.filter((name) => name !== "forbidden")

const drawRules = (random: SeededRandom): ReadonlyArray<Rule> => {
  const everywhere = random.chance(0.7) ? ALLOWED : ALLOWED.filter(() => random.chance(0.7))
  const some = ALLOWED.filter(() => random.chance(0.3))
  const denied = ALLOWED.filter(() => random.chance(0.2))
  const limits = drawLimits(random, 0.3, RULE_KEYS)
  return [
    ...(everywhere.length === 0
      ? []
      : [{ id: "everywhere", action: "allow" as const, commands: everywhere.map(pattern) }]),
    ...(some.length === 0 || random.chance(0.5)
      ? []
      : [{ id: "by-tag", action: "allow" as const, tags: [random.pick(TAGS)], commands: some.map(pattern), limits }]),
    ...(denied.length === 0 || random.chance(0.6)
      ? []
      : [{ id: "denied", action: "deny" as const, tags: [random.pick(TAGS)], commands: denied.map(pattern) }])
  ]
}

/** The addresses of drawn fleets are in 10.0.0.0/8 and fd00::/96; a block of one hits one of the first hosts, or none. */
const drawNetwork = (random: SeededRandom): NetworkDocument => {
  switch (random.below(4)) {
    case 0:
      return { allow_cidrs: ["10.0.0.0/8", "fd00::/96"] }
    case 1:
      return { block_cidrs: [`10.0.0.${1 + random.below(4)}/32`, "169.254.0.0/16"] }
    default:
      return { block_cidrs: ["169.254.0.0/16"] }
  }
}

/** Draws a policy under which most commands of the workload may run. */
export const drawPolicy = (random: SeededRandom): PolicyDocument => {
  const limits = drawLimits(random.fork("limits"), random.pick([0, 0.3, 0.8]))
  const overrides = random.fork("overrides")
  return {
    version: 3,
    limits,
    network: drawNetwork(random.fork("network")),
    rules: drawRules(random.fork("rules")),
    ...(overrides.chance(0.7)
      ? {}
      : { overrides: { tags: { [overrides.pick(TAGS)]: drawLimits(overrides, 0.3, RULE_KEYS) } } })
  }
}
