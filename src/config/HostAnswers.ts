import { Schema } from "effect"
import { ShownLimits } from "../policy/Plan.ts"
import { decide, limitsFor } from "../policy/Policy.ts"
import type { ConfigSnapshot, HostEntry } from "./Inventory.ts"

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

/** One host as the resources show it; never a credential, only whether one is named. */
export const HostRecord = Schema.Struct({
  alias: Schema.String,
  host: Schema.String,
  port: Schema.Int,
  tags: Schema.Array(Schema.String),
  description: Schema.String,
  has_credentials_ref: Schema.Boolean
})
export type HostRecord = typeof HostRecord.Type

/** What may be done with a host, without its rules and denied texts: those are never shown. */
export const HostCapabilities = Schema.Struct({
  alias: Schema.String,
  tags: Schema.Array(Schema.String),
  limits: Schema.Struct({
    max_seconds: Schema.Int,
    max_output_bytes: Schema.Int,
    require_known_host: Schema.Literal(true),
    host_key_auto_add: Schema.Literal(false),
    task_result_ttl: Schema.Int,
    task_progress_interval: Schema.Int,
    deny_patterns_enabled: Schema.Boolean
  }),
  /** Some commands that are often allowed, with the decision that running them would take. */
  policy_probes: Schema.Array(Schema.Struct({ probe: Schema.String, command: Schema.String, allowed: Schema.Boolean })),
  network: Schema.Struct({
    require_known_host: Schema.Literal(true),
    allowlist_enabled: Schema.Boolean,
    blocklist_enabled: Schema.Boolean
  }),
  features: Schema.Struct({ supports_async: Schema.Literal(true), supports_cancellation: Schema.Literal(true) })
})
export type HostCapabilities = typeof HostCapabilities.Type

/** The record of a host. */
export const hostRecord = ({ host }: HostEntry): HostRecord => ({
  alias: host.alias,
  host: host.host,
  port: host.port,
  tags: host.tags,
  description: host.description,
  has_credentials_ref: host.credentials !== undefined
})

const PROBES: ReadonlyArray<{ readonly probe: string; readonly command: string; readonly tag?: string }> = [
  { probe: "basic_diagnostics", command: "uptime" },
  { probe: "filesystem_overview", command: "df -h" },
  { probe: "docker_status", command: "docker ps", tag: "docker" }
]

/** What may be done with a host under the policy in force. Resolves no name and connects to nothing. */
export const hostCapabilities = ({ policy }: ConfigSnapshot, { host }: HostEntry): HostCapabilities => {
  const limits = limitsFor(policy, host)
  return {
    alias: host.alias,
    tags: host.tags,
    limits: {
      max_seconds: limits.max_seconds,
      max_output_bytes: limits.max_output_bytes,
      require_known_host: true,
      host_key_auto_add: false,
      task_result_ttl: limits.task_result_ttl,
      task_progress_interval: limits.task_progress_interval,
      deny_patterns_enabled: limits.deny_substrings.length > 0
    },
    policy_probes: PROBES.filter(({ tag }) => tag === undefined || host.tags.includes(tag)).map(
      ({ command, probe }) => ({ probe, command, allowed: decide(policy, host, command)._tag === "Allowed" })
    ),
    network: {
      require_known_host: true,
      allowlist_enabled: policy.network.allow.length > 0,
      blocklist_enabled: policy.network.block.length > 0
    },
    features: { supports_async: true, supports_cancellation: true }
  }
}
