import { Schema } from "effect"
import type { Limits } from "./Limits.ts"

/** One simple command of a planned text, with its own decision. */
export const PlannedCommand = Schema.Struct({
  text: Schema.String,
  argv: Schema.Array(Schema.String),
  allowed: Schema.Boolean,
  code: Schema.optionalKey(Schema.String),
  rule: Schema.optionalKey(Schema.String),
  pattern: Schema.optionalKey(Schema.String),
  reason: Schema.optionalKey(Schema.String)
})
export type PlannedCommand = typeof PlannedCommand.Type

/** The limits that a plan and a host description show. */
export const ShownLimits = Schema.Struct({
  max_seconds: Schema.Int,
  max_output_bytes: Schema.Int,
  task_result_ttl: Schema.Int,
  task_progress_interval: Schema.Int,
  sync_wait_seconds: Schema.Int,
  max_result_bytes: Schema.Int
})
export type ShownLimits = typeof ShownLimits.Type

/** What would happen to a command: the same decision that running it takes. */
export const Plan = Schema.Struct({
  alias: Schema.String,
  command: Schema.String,
  hash: Schema.String,
  allowed: Schema.Boolean,
  commands: Schema.Array(PlannedCommand),
  normalized: Schema.optionalKey(Schema.String),
  nearest: Schema.optionalKey(Schema.Array(Schema.Struct({ rule: Schema.String, pattern: Schema.String }))),
  why: Schema.optionalKey(Schema.String),
  hint: Schema.optionalKey(Schema.String),
  denied_command: Schema.optionalKey(Schema.String),
  network: Schema.Struct({
    allowed: Schema.Boolean,
    addresses: Schema.Array(Schema.String),
    reason: Schema.optionalKey(Schema.String)
  }),
  limits: ShownLimits
})
export type Plan = typeof Plan.Type

/** The part of a host's limits that a client may see. Deny texts are never shown. */
export const showLimits = (limits: Limits): ShownLimits => ({
  max_seconds: limits.max_seconds,
  max_output_bytes: limits.max_output_bytes,
  task_result_ttl: limits.task_result_ttl,
  task_progress_interval: limits.task_progress_interval,
  sync_wait_seconds: limits.sync_wait_seconds,
  max_result_bytes: limits.max_result_bytes
})
