import { Effect } from "effect"
import { type DnsLookup, DnsLookupFailed } from "../../ssh/address/DnsLookup.ts"
import type { HostObserver } from "./HostEvent.ts"
import { FORBIDDEN_ADDRESS } from "./HostPlan.ts"
import type { SimulatedHost } from "./SimulatedHost.ts"

/** What a resolver needs to know of the fleet. */
export interface DnsOptions {
  readonly observe: HostObserver
  /** The host of a name, in lower case. */
  readonly find: (name: string) => SimulatedHost | undefined
}

/** Makes a resolver that knows the names of a fleet, and is at fault as the hosts' plans say. */
export const makeSimulatedDns = ({ find, observe }: DnsOptions): DnsLookup["Service"] => ({
  lookup: Effect.fnUntraced(function* (name: string) {
    const host = find(name.toLowerCase())
    const notFound = Effect.suspend(() => {
      observe({ _tag: "NameNotResolved", name })
      return Effect.fail(new DnsLookupFailed({ name, detail: "ENOTFOUND" }))
    })
    if (host === undefined) return yield* notFound
    const { chances, plan } = host
    const fault = chances.next("dns")
    if (fault !== undefined) chances.struck(fault)
    if (fault?.kind === "dns-failure") return yield* notFound
    yield* Effect.sleep(fault?.kind === "dns-hang" || fault?.kind === "slow-answer" ? fault.millis : plan.latencyMillis)
    const addresses = fault?.kind === "dns-forbidden-address" ? [FORBIDDEN_ADDRESS] : plan.addresses
    if (addresses.length === 0) return yield* notFound
    observe({ _tag: "NameResolved", name, addresses })
    return addresses
  })
})
