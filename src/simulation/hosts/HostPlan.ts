import { Schema } from "effect"
import { FaultPlan } from "./Faults.ts"

/** An address that no simulated host has: what a name resolves to under the fault `dns-forbidden-address`. */
export const FORBIDDEN_ADDRESS = "169.254.169.254"

const Whole = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))

/** One simulated host: what it is to the network and to sshd, and what goes wrong with it. */
export const HostPlan = Schema.Struct({
  alias: Schema.String,
  /** Its name, which simulated DNS resolves; a literal address is one of `addresses`. */
  hostname: Schema.String,
  /** In the resolver's order, in the spelling of RFC 5952. Empty: the name resolves only for the hosts before it. */
  addresses: Schema.Array(Schema.String),
  port: Whole(1, 65_535),
  /** What the login shell is, as `LoginShell` has it. */
  shell: Schema.Literals(["posix", "other", "foreign"]),
  /** sshd's MaxSessions (sshd_config(5)). */
  maxSessions: Whole(1, 1_000),
  /** A round trip to it, from where the connection begins. */
  latencyMillis: Whole(0, 60_000),
  faults: FaultPlan
})
export type HostPlan = typeof HostPlan.Type

/**
 * The address of the n-th host of a fleet, from 0: one of its own in 10.0.0.0/8, for 16 million hosts. The same number in
 * `fd00::/96` is its IPv6 address, which `ipv6Of` gives.
 */
export const ipv4Of = (index: number): string => {
  const n = index + 1
  return `10.${(n >>> 16) & 0xff}.${(n >>> 8) & 0xff}.${n & 0xff}`
}

/** The IPv6 address of the n-th host, from 0, as RFC 5952 writes it. */
export const ipv6Of = (index: number): string => {
  const n = index + 1
  const [high, low] = [n >>> 16, n & 0xffff]
  return high === 0 ? `fd00::${low.toString(16)}` : `fd00::${high.toString(16)}:${low.toString(16)}`
}

/** A host without faults, reachable by its own IPv4 address under the name `ALIAS.sim`. */
export const plainHost = (alias: string, index: number): HostPlan => ({
  alias,
  hostname: `${alias.toLowerCase()}.sim`,
  addresses: [ipv4Of(index)],
  port: 22,
  shell: "posix",
  maxSessions: 10,
  latencyMillis: 2,
  faults: []
})
