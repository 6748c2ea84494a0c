import { Duration, Effect, Option, Result, type Scope } from "effect"
import { type ConfigSnapshot, type HostEntry, jumpHosts } from "../config/Inventory.ts"
import { formatProblem } from "../config/Problem.ts"
import { limitsFor } from "../policy/Policy.ts"
import type { SshError } from "../ssh/errors.ts"
import { HostKeyScan } from "../ssh/trust/HostKeyScan.ts"
import { HostResolver } from "../ssh/address/HostResolver.ts"
import type { HostIdentity } from "../ssh/trust/KnownHosts.ts"
import { Target } from "../ssh/Target.ts"
import { type Connection, Transport } from "../ssh/Transport.ts"
import { type CliFailure, failed } from "./CliFailure.ts"
import { printable } from "./Table.ts"

/** A jump host that is connected to: verified and logged in as for any command. */
interface Jump {
  readonly target: Target
  readonly connection: Connection
}

/** What a host was found to have. */
export interface Scanned {
  readonly keys: ReadonlyArray<Uint8Array>
  /** How known_hosts is asked about the host. */
  readonly identity: HostIdentity
  /** Where the keys come from, for a person. */
  readonly from: string
}

/** Does it for the first address with which it succeeds, or says why it does with none. */
const firstOf = Effect.fnUntraced(function* <A, R>(
  what: string,
  addresses: ReadonlyArray<string>,
  attempt: (address: string) => Effect.Effect<A, SshError, R>
): Effect.fn.Return<A, CliFailure, R> {
  const failures: Array<string> = []
  for (const address of addresses) {
    const result = yield* Effect.result(attempt(address))
    if (Result.isSuccess(result)) return result.success
    failures.push(`${address}: ${result.failure.failure}: ${printable(result.failure.detail)}`)
  }
  return yield* failed([`${what}:`, ...failures].join("\n"))
})

const addressesOf = Effect.fnUntraced(function* (snapshot: ConfigSnapshot, { host }: HostEntry, isBehind: boolean) {
  const resolver = yield* HostResolver
  const { addresses } = yield* resolver
    .resolve(host.host, snapshot.policy.network, isBehind ? "jump" : "direct")
    .pipe(
      Effect.mapError(({ addresses, detail }) =>
        failed(`Denied (network): ${host.alias}: ${[detail, ...addresses].join(" ")}`)
      )
    )
  return addresses
})

const connectJump = Effect.fnUntraced(function* (
  snapshot: ConfigSnapshot,
  entry: HostEntry,
  budget: Duration.Duration,
  before: Jump | undefined
): Effect.fn.Return<Jump, CliFailure, HostResolver | Transport | Scope.Scope> {
  const transport = yield* Transport
  const { alias, host: hostname, port } = entry.host
  if (Result.isFailure(entry.login)) return yield* failed(formatProblem(entry.login.failure))
  const login = entry.login.success
  const addresses = yield* addressesOf(snapshot, entry, before !== undefined)
  return yield* firstOf(`The jump host ${alias} cannot be used`, addresses, (address) => {
    const via = before?.target
    const target = new Target({ alias, hostname, address, port, login, hostKeys: snapshot.hostKeys, via })
    return Effect.map(transport.connect(target, budget, before?.connection), (connection) => ({ target, connection }))
  })
})

/**
 * Fetches the keys of a host from the first of its addresses that answers, through its jump hosts where it has any:
 * those are verified, so that each is to be trusted before what is behind it. Each step has the host's connect timeout.
 */
export const scanHost = Effect.fn("cli.trust.scan")(function* (snapshot: ConfigSnapshot, entry: HostEntry) {
  const scanner = yield* HostKeyScan
  const { alias, host: hostname, port } = entry.host
  const budget = Duration.seconds(limitsFor(snapshot.policy, entry.host).connect_timeout_seconds)
  const jumps = jumpHosts(snapshot, entry)
  if (Option.isNone(jumps)) return yield* failed(`A jump host of ${alias} is missing`)
  let jump: Jump | undefined
  for (const each of jumps.value) jump = yield* connectJump(snapshot, each, budget, jump)
  const addresses = yield* addressesOf(snapshot, entry, jump !== undefined)
  const through = jump === undefined ? {} : { through: jump.connection }
  return yield* firstOf("No host key could be fetched", addresses, (address) =>
    Effect.map(scanner.scan({ alias, address, port, ...through }, budget), (keys): Scanned => ({
      keys,
      identity: { hostname, address: jump === undefined ? address : undefined, port },
      from: `${address === hostname ? "" : ` at ${address}`}${jump === undefined ? "" : ` through ${jump.target.alias}`}`
    }))
  )
}, Effect.scoped)
