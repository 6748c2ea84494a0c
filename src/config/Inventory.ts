import { Option, Result } from "effect"
import type { CompiledPolicy } from "../policy/Policy.ts"
import type { Login } from "./Credential.ts"
import type { Host } from "./Host.ts"
import type { HostKeyPolicy } from "./HostKeyPolicy.ts"
import type { Problem } from "./Problem.ts"

/** A host of the inventory and how to log in to it. */
export interface HostEntry {
  readonly host: Host
  /** Failure: this host is disabled, and why (a key or a secret is missing, or it has no way to authenticate). */
  readonly login: Result.Result<Login, Problem>
}

/** The decoded, cross-checked configuration at one moment. Immutable: a running task keeps the one it started with. */
export interface ConfigSnapshot {
  /** By alias, in the order of servers.yml. */
  readonly hosts: ReadonlyMap<string, HostEntry>
  readonly policy: CompiledPolicy
  readonly hostKeys: HostKeyPolicy
  /** Errors first. A client may see them. */
  readonly problems: ReadonlyArray<Problem>
  /** False: the files had a structural error at start, so that the inventory is empty and the policy denies all. */
  readonly usable: boolean
}

/** The host of this alias. */
export const findHost = (snapshot: ConfigSnapshot, alias: string): Option.Option<HostEntry> =>
  Option.fromUndefinedOr(snapshot.hosts.get(alias))

/** Jump hosts between us and a host, those of the jump hosts included. */
export const MAX_JUMPS = 8

/**
 * The aliases to go through to a host, the one that is connected to directly first. As in ssh(1), `jump` names the route
 * from its first host on, so that only the first one's own `jump` comes before it. Undefined above `MAX_JUMPS`.
 */
export const jumpRoute = (
  host: Host,
  jumpOf: (alias: string) => ReadonlyArray<string> | undefined
): ReadonlyArray<string> | undefined => {
  let route = host.jump
  // Bounded also for a route that leads back to itself.
  while (route.length <= MAX_JUMPS) {
    const before = route[0] === undefined ? undefined : jumpOf(route[0])
    if (before === undefined || before.length === 0) return route
    route = [...before, ...route]
  }
  return undefined
}

/**
 * The jump hosts of a host in the order of `jumpRoute`, empty for a direct connection. None, which the cross-check of a
 * configuration rules out, when the route is not whole: never to be taken for a direct connection.
 */
export const jumpHosts = (snapshot: ConfigSnapshot, entry: HostEntry): Option.Option<ReadonlyArray<HostEntry>> => {
  const route = jumpRoute(entry.host, (alias) => snapshot.hosts.get(alias)?.host.jump)
  return route === undefined ? Option.none() : Option.all(route.map((alias) => findHost(snapshot, alias)))
}

/** The hosts that carry this tag, in inventory order. */
export const hostsByTag = (snapshot: ConfigSnapshot, tag: string): ReadonlyArray<HostEntry> =>
  [...snapshot.hosts.values()].filter((entry) => entry.host.tags.includes(tag))

/** Hosts per tag. The object has no prototype, so that a tag named `constructor` is only a tag. */
export const tagCounts = (snapshot: ConfigSnapshot): Record<string, number> => {
  const counts: Record<string, number> = Object.create(null)
  for (const { host } of snapshot.hosts.values()) {
    for (const tag of new Set(host.tags)) counts[tag] = (counts[tag] ?? 0) + 1
  }
  return counts
}

/** What a reload changed, by alias. */
export interface InventoryChange {
  readonly added: ReadonlyArray<string>
  readonly removed: ReadonlyArray<string>
  readonly modified: ReadonlyArray<string>
}

const fingerprint = ({ host, login }: HostEntry): string =>
  JSON.stringify([
    host.host,
    host.port,
    host.credentials,
    host.tags,
    host.description,
    host.jump,
    Result.match(login, { onSuccess: ({ digest }) => digest, onFailure: ({ key, message }) => `! ${key} ${message}` })
  ])

/** The hosts that differ between two snapshots, login material included (a new key with the same name counts). */
export const compareInventories = (before: ConfigSnapshot, after: ConfigSnapshot): InventoryChange => ({
  added: [...after.hosts.keys()].filter((alias) => !before.hosts.has(alias)),
  removed: [...before.hosts.keys()].filter((alias) => !after.hosts.has(alias)),
  modified: [...after.hosts].flatMap(([alias, entry]) => {
    const previous = before.hosts.get(alias)
    return previous !== undefined && fingerprint(previous) !== fingerprint(entry) ? [alias] : []
  })
})
