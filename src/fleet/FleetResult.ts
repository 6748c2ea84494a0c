import { Schema } from "effect"
import { DenialReason } from "../policy/Denial.ts"
import { RunResult } from "../task/RunResult.ts"

/** Why a host of a fan-out did not run the command: as for one host, or the configuration does not let it take part. */
export const HostDenialReason = Schema.Literals([...DenialReason.literals, "config"])
export type HostDenialReason = typeof HostDenialReason.Type

/** A host of a fan-out on which the command was not run. */
export const DeniedHost = Schema.Struct({
  alias: Schema.String,
  denied: Schema.Literal(true),
  reason: HostDenialReason,
  hint: Schema.String
})
export type DeniedHost = typeof DeniedHost.Type

/** What one host of a fan-out came to. */
export const HostResult = Schema.Union([RunResult, DeniedHost])
export type HostResult = typeof HostResult.Type

/** A text that several hosts wrote. */
export const OutputGroup = Schema.Struct({ hosts: Schema.Array(Schema.String), output: Schema.String })
export type OutputGroup = typeof OutputGroup.Type

/** How many hosts of a fan-out ended in which way; hosts that were not started are in `total_hosts` only. */
export const FleetSummary = Schema.Struct({
  total_hosts: Schema.Int,
  successful: Schema.Int,
  failed: Schema.Int,
  cancelled: Schema.Int,
  timeout: Schema.Int,
  denied: Schema.Int
})
export type FleetSummary = typeof FleetSummary.Type

/** What one command on many hosts came to. */
export const FleetResult = Schema.Struct({
  task_id: Schema.optionalKey(Schema.String),
  tag: Schema.String,
  command: Schema.optionalKey(Schema.String),
  hosts_matched: Schema.optionalKey(Schema.Int),
  results: Schema.Array(HostResult),
  /** Hosts whose output is the same text, when two or more share it; their results then hold no output. */
  groups: Schema.optionalKey(Schema.Array(OutputGroup)),
  /** Hosts that can be passed back as `only` to try just those again. */
  failed_hosts: Schema.optionalKey(Schema.Array(Schema.String)),
  not_started: Schema.optionalKey(Schema.Array(Schema.String)),
  summary: Schema.optionalKey(FleetSummary),
  note: Schema.optionalKey(Schema.String)
})
export type FleetResult = typeof FleetResult.Type
