import { Option, Result, Schema } from "effect"
import { checkHostname } from "../../config/Host.ts"
import { jumpRoute, MAX_JUMPS } from "../../config/Inventory.ts"
import { Alias } from "../../config/Names.ts"
import { type Endpoint, expandedHost, hopsOf, ownRoute } from "./Endpoint.ts"
import { type Facts, identityOf, identityPaths } from "./Identity.ts"
import { concreteNames, type HostSettings, isMatchAll, settingsFor } from "./HostSettings.ts"
import { type FileToPlace, type ImportedCredential, makeCredentials } from "./ImportedCredentials.ts"
import { isWithoutUse, lostSettings } from "./NotCarried.ts"
import { allLines, type Fault, type Item } from "./Tree.ts"
import { makeUniqueNames } from "./UniqueNames.ts"

/** An entry of servers.yml. */
export interface ImportedHost {
  readonly alias: string
  readonly host: string
  readonly port: number
  readonly credentials: string
  readonly jump: ReadonlyArray<string>
}

/** Something for a person to look at. */
export interface Remark extends Fault {
  /** The aliases that it is about; none when it is about the files. */
  readonly hosts: ReadonlyArray<string>
}

/** What ssh_config comes to here. */
export interface ImportedInventory {
  readonly hosts: ReadonlyArray<ImportedHost>
  readonly credentials: ReadonlyArray<ImportedCredential>
  /** Keys and certificates that are not in the keys directory yet, and what they are to be called there. */
  readonly files: ReadonlyArray<FileToPlace>
  readonly remarks: ReadonlyArray<Remark>
}

/** Hosts that are looked at: names and the jump hosts behind them. */
const MAX_HOSTS = 10_000

const isAlias = Schema.is(Alias)

/** Remarks of the same text are one, about all their hosts. */
const makeRemarks = () => {
  const found = new Map<string, { readonly fault: Fault; readonly hosts: Set<string> }>()
  return {
    add: (fault: Fault, host?: string): void => {
      const key = JSON.stringify([fault.place, fault.message])
      const entry = found.get(key) ?? { fault, hosts: new Set<string>() }
      if (host !== undefined) entry.hosts.add(host)
      found.set(key, entry)
    },
    all: (): ReadonlyArray<Remark> => [...found.values()].map(({ fault, hosts }) => ({ ...fault, hosts: [...hosts] }))
  }
}

/** The names that become hosts, each with its settings. */
const selectedNames = (items: ReadonlyArray<Item>) =>
  concreteNames(items).map((name) => ({ name, settings: settingsFor(items, name) }))

/** Every file of which it has to be known whether it exists before `importInventory`. */
export const pathsToLookAt = (items: ReadonlyArray<Item>, home: string, user: string): ReadonlyArray<string> => [
  ...new Set(
    [{ name: "", settings: settingsFor(items, "") }, ...selectedNames(items)].flatMap(({ name, settings }) =>
      identityPaths(settings, home, tokensOf(name, settings, home, user))
    )
  )
]

const tokensOf = (name: string, settings: HostSettings, home: string, user: string, endpoint?: Endpoint) => ({
  n: name,
  h: Result.getOrElse(expandedHost(name, settings), () => name),
  p: String(endpoint?.port ?? settings.values.get("port")?.words[0] ?? 22),
  r: endpoint?.user ?? settings.values.get("user")?.words[0] ?? user,
  u: user,
  d: home
})

/**
 * Carries the hosts of ssh_config over: every name that a `Host` line writes out, and every hop on the way to one. A
 * host that would be reached in another way than ssh reaches it (`ProxyCommand`) is left out, with those behind it.
 * Pure and total; all that is lost is a remark.
 */
export const importInventory = (items: ReadonlyArray<Item>, facts: Facts): ImportedInventory => {
  const remarks = makeRemarks()
  const names = concreteNames(items)
  const aliases = makeUniqueNames(names)
  const credentials = makeCredentials(facts.keysDirectory)
  const endpoints = new Map<string, Endpoint & { readonly alias: string }>()
  const settings = new Map<string, HostSettings>()
  const built = new Map<string, ImportedHost>()

  const settingsOf = (name: string): HostSettings => {
    const known = settings.get(name) ?? settingsFor(items, name)
    settings.set(name, known)
    return known
  }
  const enter = (endpoint: Endpoint, alias: () => string): string => {
    const { name, port, user } = endpoint
    const key = JSON.stringify([name, user ?? "", port ?? 0])
    const known = endpoints.get(key)
    if (known !== undefined) return known.alias
    const entry = { ...endpoint, alias: alias() }
    endpoints.set(key, entry)
    return entry.alias
  }
  /**
   * The alias of a hop: the host itself when ssh would log in there just so, else one that is made for it. Only the first
   * hop's own `ProxyJump` counts, with `jump` as with ssh, which gives the other hops theirs with `-J`.
   */
  const aliasOfHop = (hop: Endpoint): string => {
    const own = settingsOf(hop.name)
    const { p, r } = tokensOf(hop.name, own, facts.home, facts.user)
    const isPlain = (hop.user === undefined || hop.user === r) && (hop.port === undefined || String(hop.port) === p)
    return enter(isPlain ? { name: hop.name } : hop, () => aliases.take(hopsOf.names(hop)))
  }

  const build = (endpoint: Endpoint & { readonly alias: string }): ImportedHost | Fault => {
    const { alias, name } = endpoint
    const own = settingsOf(name)
    const place = own.values.get("hostname")?.place ?? ""
    const host = expandedHost(name, own)
    if (Result.isFailure(host)) return { place, message: `HostName: ${host.failure}` }
    const wrongName = checkHostname(host.success)
    if (Option.isSome(wrongName)) return { place, message: wrongName.value }
    const tokens = tokensOf(name, own, facts.home, facts.user, endpoint)
    if (!/^[0-9]{1,5}$/u.test(tokens.p) || Number(tokens.p) < 1 || Number(tokens.p) > 65_535) {
      return { place: own.values.get("port")?.place ?? "", message: "Port is not a number from 1 to 65535" }
    }
    if (tokens.r.length > 256 || /\p{Cc}/u.test(tokens.r)) {
      return { place: own.values.get("user")?.place ?? "", message: "User is too long or has control characters" }
    }
    const route = ownRoute(own)
    if (route?.keyword === "proxycommand") {
      return {
        place: route.place,
        message: "ProxyCommand is not supported, and without it the host would be reached in another way; use jump"
      }
    }
    const hops = route === undefined ? Result.succeed([]) : hopsOf.line(route, { ...tokens, h: host.success })
    if (Result.isFailure(hops)) return { place: route?.place ?? "", message: `ProxyJump: ${hops.failure}` }
    const identity = identityOf(own, facts, { ...tokens, h: host.success })
    for (const remark of identity.remarks) remarks.add(remark, alias)
    for (const { advice, line } of lostSettings(own)) {
      remarks.add({ place: line.place, message: `${line.written}: ${advice}` }, alias)
    }
    return {
      alias,
      host: host.success,
      port: Number(tokens.p),
      credentials: credentials.nameFor(tokens.r, identity),
      jump: hops.success.map(aliasOfHop)
    }
  }

  const leaveOut = (alias: string, fault: Fault): void => {
    built.delete(alias)
    remarks.add({ ...fault, message: `left out: ${fault.message}` }, alias)
  }

  for (const name of names.slice(0, MAX_HOSTS)) {
    if (!settingsOf(name).named) {
      remarks.add({ place: "", message: "left out: named only by a Host line within a block that excludes it" }, name)
    } else if (isAlias(name)) enter({ name }, () => name)
    else
      remarks.add({ place: "", message: "left out: an alias has only letters, digits, dot, dash and underscore" }, name)
  }
  if (names.length > MAX_HOSTS)
    remarks.add({ place: "", message: `only the first ${MAX_HOSTS} hosts are carried over` })
  // What is entered meanwhile (the hops) is visited too.
  for (const endpoint of endpoints.values()) {
    if (built.size >= 2 * MAX_HOSTS) break
    const host = build(endpoint)
    if ("alias" in host) built.set(host.alias, host)
    else leaveOut(endpoint.alias, host)
  }
  const tooFar = [...built.values()].filter(
    (host) => jumpRoute({ ...host, tags: [], description: "" }, (hop) => built.get(hop)?.jump) === undefined
  )
  for (const { alias } of tooFar) {
    leaveOut(alias, { place: "", message: `more than ${MAX_JUMPS} jump hosts, or its jumps lead back to it` })
  }
  for (const alias of withoutRoute([...built.values()])) {
    leaveOut(alias, { place: "", message: "a host on the way to it is left out, or its jumps lead back to it" })
  }

  const lines = allLines(items)
  for (const line of lines.filter((each) => each.keyword === "match" && !isMatchAll(each))) {
    remarks.add({ place: line.place, message: `Match ${line.rest}: Match blocks are not evaluated` })
  }
  const unused = [...new Set(lines.filter(({ keyword }) => isWithoutUse(keyword)).map(({ written }) => written))]
  if (unused.length > 0) remarks.add({ place: "", message: `of no use here: ${unused.join(", ")}` })

  const hosts = [...built.values()]
  const { entries, files } = credentials.used(new Set(hosts.map((host) => host.credentials)))
  return { hosts, credentials: entries, files, remarks: remarks.all() }
}

/** The hosts whose jumps never reach a direct connection: a hop is missing, or the chain leads back. */
const withoutRoute = (hosts: ReadonlyArray<ImportedHost>): ReadonlyArray<string> => {
  const reached = new Set<string>()
  const waiting = new Map<string, Array<string>>()
  const open = new Map(hosts.map(({ alias, jump }) => [alias, new Set(jump).size]))
  for (const { alias, jump } of hosts) {
    for (const hop of new Set(jump)) waiting.set(hop, [...(waiting.get(hop) ?? []), alias])
  }
  const ready = hosts.filter(({ jump }) => jump.length === 0).map(({ alias }) => alias)
  for (const alias of ready) {
    reached.add(alias)
    for (const behind of waiting.get(alias) ?? []) {
      const count = (open.get(behind) ?? 0) - 1
      open.set(behind, count)
      if (count === 0) ready.push(behind)
    }
  }
  return hosts.map(({ alias }) => alias).filter((alias) => !reached.has(alias))
}
