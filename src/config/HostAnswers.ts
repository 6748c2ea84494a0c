import { Schema } from "effect"
import { ShownLimits } from "../policy/Plan.ts"

/** Whether a host can be reached: connected and authenticated, nothing run. */
export const HostStatus = Schema.Struct({
  status: Schema.Literals(["reachable", "unreachable", "denied"]),
  alias: Schema.String,
  target_ip: Schema.String,
  latency_ms: Schema.Int,
  error: Schema.optionalKey(Schema.String)
})
export type HostStatus = typeof HostStatus.Type

/** A page of the inventory: 500 aliases in inventory order. */
export const HostList = Schema.Struct({
  hosts: Schema.Array(Schema.String),
  count: Schema.Int,
  tags: Schema.Record(Schema.String, Schema.Int),
  next_cursor: Schema.optionalKey(Schema.String)
})
export type HostList = typeof HostList.Type

/** One host as a client may see it; never a credential. */
export const HostDescription = Schema.Struct({
  alias: Schema.String,
  host: Schema.String,
  port: Schema.Int,
  tags: Schema.Array(Schema.String),
  description: Schema.String,
  has_credentials: Schema.Boolean,
  jump: Schema.optionalKey(Schema.Array(Schema.String)),
  limits: ShownLimits,
  network: Schema.Struct({ allowed: Schema.Boolean })
})
export type HostDescription = typeof HostDescription.Type
