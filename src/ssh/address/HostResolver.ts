import { Cache, Clock, Context, Duration, Effect, Exit, Layer, Option, Result, Schema } from "effect"
import { formatAddress, parseAddress } from "../../policy/network/Address.ts"
import type { Address } from "../../policy/network/Address.ts"
import { checkAddress } from "../../policy/network/Network.ts"
import type { NetworkPolicy } from "../../policy/network/Network.ts"
import { byMonotonicClock } from "../MonotonicTime.ts"
import { DnsLookup } from "./DnsLookup.ts"

/** A host resolves to no address, or to none that policy.network allows. */
export class NetworkDenied extends Schema.TaggedError<NetworkDenied>()("NetworkDenied", {
  /** What a client is told: `DNS resolution failed` or `No resolved IPs allowed by policy.network`. */
  detail: Schema.String,
  /** The addresses that were refused, for the log and the plan; empty when nothing was resolved. */
  addresses: Schema.Array(Schema.String)
}) {}

/** Names whose addresses are remembered. */
const CAPACITY = 1_000
const TTL = Duration.seconds(60)
const FAILURE_TTL = Duration.seconds(5)
/** A resolver that does not answer is given up on, so that it cannot hold a task's whole connect budget. */
const LOOKUP_TIMEOUT = Duration.seconds(10)
/** Addresses of a name that are looked at. */
const MAX_ADDRESSES = 16

/** Where a host is connected from: here, or by the jump host that it is behind. */
export type Route = "direct" | "jump"

/** What a host came to. */
export interface Resolved {
  /** The allowed addresses. When the jump host is to resolve the name: that name alone. */
  readonly addresses: readonly [string, ...Array<string>]
  readonly resolvedBy: "here" | "jump host"
}

const resolutionFailed = new NetworkDenied({ detail: "DNS resolution failed", addresses: [] })

/** IPv4 inside `::ffff:0:0/96` is IPv4 (RFC 4291 §2.5.5.2): one spelling, so that the pool sees one target. */
const normalise = (address: Address): Address =>
  address.family === 6 && address.value >> 32n === 0xffffn ? { family: 4, value: address.value & 0xffffffffn } : address

/** `0.0.0.0` and `::` are no destination; the kernel would take them to this machine, past any loopback block. */
const isUnspecified = (address: Address): boolean => address.value === 0n

const isNonEmpty = (addresses: ReadonlyArray<string>): addresses is Resolved["addresses"] => addresses.length > 0

/**
 * Turns a host into the addresses that may be connected to. The answer is what is connected to: nothing resolves the
 * name again, so what was checked is what is reached.
 */
export class HostResolver extends Context.Service<
  HostResolver,
  {
    /**
     * The allowed addresses of `host`, in the resolver's order, at most 16. A literal address needs no lookup. A name's
     * answer is remembered for 60 s and its failure for 5 s, which bounds the lookups; the policy is asked every time.
     *
     * A name behind a jump host that does not resolve here is left to the jump host when the network policy lists
     * nothing: with a list, an address that nobody checked would be reached.
     */
    readonly resolve: (host: string, network: NetworkPolicy, route?: Route) => Effect.Effect<Resolved, NetworkDenied>
  }
>()("mcp-ssh-orchestrator/ssh/HostResolver") {
  /** Resolves with the `DnsLookup` in the environment. */
  static readonly layer: Layer.Layer<HostResolver, never, DnsLookup> = Layer.effect(
    HostResolver,
    Effect.gen(function* () {
      const dns = yield* DnsLookup
      const clock = yield* Clock.Clock
      // Whatever the resolver answers is parsed again: a text that is no address (a zone id, say) cannot be checked.
      const lookup = (name: string): Effect.Effect<ReadonlyArray<Address>, NetworkDenied> =>
        dns.lookup(name).pipe(
          Effect.timeout(LOOKUP_TIMEOUT),
          Effect.map((answers) => answers.flatMap((answer) => Option.toArray(parseAddress(answer)))),
          Effect.filterOrFail((addresses) => addresses.length > 0),
          Effect.tapError((error) => Effect.logDebug("name resolution failed", error)),
          Effect.mapError(() => resolutionFailed),
          Effect.provideService(Clock.Clock, clock)
        )
      const names = yield* Cache.makeWith(lookup, {
        capacity: CAPACITY,
        timeToLive: (exit) => (Exit.isSuccess(exit) ? TTL : FAILURE_TTL)
      })

      const resolve = Effect.fn("HostResolver.resolve")(function* (
        host: string,
        network: NetworkPolicy,
        route: Route = "direct"
      ): Effect.fn.Return<Resolved, NetworkDenied> {
        const literal = parseAddress(host)
        const answer = Option.isSome(literal)
          ? Result.succeed([literal.value])
          : yield* Effect.result(byMonotonicClock(Cache.get(names, host.toLowerCase())))
        if (Result.isFailure(answer)) {
          const isUnlisted = network.allow.length === 0 && network.block.length === 0
          return route === "jump" && isUnlisted ? { addresses: [host], resolvedBy: "jump host" } : yield* answer.failure
        }
        const found = answer.success
        const addresses = [
          ...new Set(
            found
              .filter((address) => !isUnspecified(normalise(address)) && checkAddress(network, address))
              .map((address) => formatAddress(normalise(address)))
          )
        ].slice(0, MAX_ADDRESSES)
        if (isNonEmpty(addresses)) return { addresses, resolvedBy: "here" }
        return yield* new NetworkDenied({
          detail: "No resolved IPs allowed by policy.network",
          addresses: found.slice(0, MAX_ADDRESSES).map(formatAddress)
        })
      })
      return HostResolver.of({ resolve })
    })
  )
}
