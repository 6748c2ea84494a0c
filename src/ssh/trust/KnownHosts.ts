import { Option } from "effect"
import { keyType } from "./Fingerprint.ts"
import { hashedNameFinder, parseHashedName } from "./HashedNames.ts"
import {
  type HostPattern,
  hostPatterns,
  type KnownHost,
  lookupName,
  matchesHosts,
  parseKnownHosts
} from "./KnownHostsLine.ts"

/** Names whose lines are remembered; the memory is emptied when it is full. */
const REMEMBERED = 16_384

const append = <K>(map: Map<K, Array<KnownHost>>, key: K, line: KnownHost): void => {
  const lines = map.get(key)
  if (lines === undefined) map.set(key, [line])
  else lines.push(line)
}

const keyId = (key: Uint8Array): string => Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString("latin1")

/**
 * The lines of one known_hosts file, indexed: a literal name and a key are found without a search, wildcards are tried
 * one by one, hashed names are hashed once for each name that is looked up. Immutable but for what it remembers.
 */
export class KnownHosts {
  /** The file that was read, for logs and for a person; "" when there is none. */
  readonly path: string
  /** The usable lines in the order of the file. */
  readonly lines: ReadonlyArray<KnownHost>
  private readonly literals = new Map<string, Array<KnownHost>>()
  private readonly wildcards: Array<{ readonly line: KnownHost; readonly patterns: ReadonlyArray<HostPattern> }> = []
  private readonly keys = new Map<string, Array<KnownHost>>()
  private readonly hashed: (name: string) => ReadonlyArray<KnownHost>
  private readonly remembered = new Map<string, ReadonlyArray<KnownHost>>()

  constructor(text: string, path = "") {
    this.path = path
    this.lines = parseKnownHosts(text)
    const hashedLines: Array<KnownHost> = []
    for (const line of this.lines) {
      append(this.keys, keyId(line.key), line)
      if (line.hosts.startsWith("|")) {
        hashedLines.push(line)
        continue
      }
      const patterns = hostPatterns(line.hosts)
      if (/[*?!]/u.test(line.hosts)) this.wildcards.push({ line, patterns })
      else for (const name of new Set(patterns.map(({ pattern }) => pattern))) append(this.literals, name, line)
    }
    const find = hashedNameFinder(hashedLines.flatMap(({ hosts }) => parseHashedName(hosts) ?? []))
    this.hashed = (name) => find(name).flatMap((index) => hashedLines[index] ?? [])
  }

  /** The lines that name `name` (as `lookupName` gives it), in the order of the file. */
  linesFor(name: string): ReadonlyArray<KnownHost> {
    const known = this.remembered.get(name)
    if (known !== undefined) return known
    const lines = [
      ...(this.literals.get(name) ?? []),
      ...this.wildcards.filter(({ patterns }) => matchesHosts(patterns, name)).map(({ line }) => line),
      ...this.hashed(name)
    ].toSorted((a, b) => a.line - b.line)
    if (this.remembered.size >= REMEMBERED) this.remembered.clear()
    this.remembered.set(name, lines)
    return lines
  }

  /** The lines that hold this key, whatever host they name, in the order of the file. */
  linesWith(key: Uint8Array): ReadonlyArray<KnownHost> {
    return this.keys.get(keyId(key)) ?? []
  }

  /** The line that revokes this key, if any does. */
  revocation(key: Uint8Array): KnownHost | undefined {
    return this.linesWith(key).find((line) => line.marker === "revoked")
  }
}

/** How a host is looked up: by its configured name and by the address that is connected to. */
export interface HostIdentity {
  readonly hostname: string
  /** Undefined behind a jump host, in whose network the address may be another machine's than in ours. */
  readonly address: string | undefined
  readonly port: number
}

/**
 * What known_hosts says about a key that a host presents. `Mismatch` also covers a host of which only keys of other
 * types are stored: with only the stored types offered, an honest host would have presented one of those.
 */
export type Verdict =
  | { readonly _tag: "Trusted"; readonly entry: KnownHost }
  | { readonly _tag: "Revoked"; readonly entry: KnownHost }
  | { readonly _tag: "Mismatch"; readonly entry: KnownHost }
  /** Only a `@cert-authority` line names the host; the SSH library knows no host certificates. */
  | { readonly _tag: "CertificateOnly"; readonly entry: KnownHost }
  /** `otherName`: a line that gives this key to the name of another host. */
  | { readonly _tag: "Unknown"; readonly otherName: KnownHost | undefined }

const hostKeys = (lines: ReadonlyArray<KnownHost>): ReadonlyArray<KnownHost> =>
  lines.filter((line) => line.marker === "none")

/** What is stored under a name with this port, and without a port. */
const storedFor = (known: KnownHosts, name: string, port: number) => ({
  exact: known.linesFor(lookupName(name, port)),
  portless: known.linesFor(lookupName(name, 22))
})

type Stored = ReturnType<typeof storedFor>

const judge = ({ exact, portless }: Stored, key: Uint8Array) => {
  const stored = hostKeys(exact)
  const entry = stored.find((line) => line.key.equals(key))
  if (entry !== undefined) return { _tag: "Trusted", entry } as const
  const type = Option.getOrUndefined(keyType(key))
  const other = stored.find((line) => line.type === type) ?? stored[0]
  if (other !== undefined) return { _tag: "Mismatch", entry: other } as const
  const fallback = hostKeys(portless).find((line) => line.key.equals(key))
  return fallback === undefined ? undefined : ({ _tag: "Trusted", entry: fallback } as const)
}

/** Whether a pattern of a host field is about addresses, and says nothing about a name. */
const isAddressPattern = (pattern: string): boolean => {
  const bare = /^\[(.*)\](?::\d+)?$/u.exec(pattern)?.[1] ?? pattern
  return /^[\d.*?]+$/u.test(bare) || bare.includes(":")
}

/** Whether a line names a host by a name. A hashed line that an address was found by does not. */
const hasName = ({ hosts }: KnownHost): boolean =>
  !hosts.startsWith("|") && hostPatterns(hosts).some(({ negated, pattern }) => !negated && !isAddressPattern(pattern))

/** What is stored for an address alone. */
const storedForAddress = (known: KnownHosts, address: string, port: number): Stored => {
  const { exact, portless } = storedFor(known, address, port)
  const alone = (lines: ReadonlyArray<KnownHost>) => lines.filter((line) => !hasName(line))
  return { exact: alone(exact), portless: alone(portless) }
}

/** A line that gives `key` to a name, of a host at this address or another: any but those for the address alone. */
const givenToName = (known: KnownHosts, { exact, portless }: Stored, key: Uint8Array): KnownHost | undefined =>
  hostKeys(known.linesWith(key)).find(
    (line) => hasName(line) || (line.hosts.startsWith("|") && !exact.includes(line) && !portless.includes(line))
  )

/**
 * Decides on the key that a host presents, as ssh(1) with `StrictHostKeyChecking yes`, and where that leaves a choice:
 *
 * - A key on a `@revoked` line is refused for every host: sshd(8) says that it "must not ever be accepted".
 * - The configured name decides when anything is stored for it (`CheckHostIP no`, the default of OpenSSH since 8.5):
 *   addresses are reused, and a stale line of one must not lock a host out.
 * - Under a port other than 22 a key that is stored without the port is accepted when none is stored with it.
 * - When the name is not stored, a key that is stored for the checked address is accepted, as for files that were made
 *   from addresses: the connection goes to just that address. Not when a line gives the key or the address to another
 *   name: a forged DNS answer would pass one known host off as another.
 * - A `@cert-authority` line is never a host key.
 */
export const verifyHostKey = (known: KnownHosts, host: HostIdentity, key: Uint8Array): Verdict => {
  const revoked = known.revocation(key)
  if (revoked !== undefined) return { _tag: "Revoked", entry: revoked }
  const stored = storedFor(known, host.hostname, host.port)
  const named = judge(stored, key)
  if (named !== undefined) return named
  let otherName: KnownHost | undefined
  if (host.address !== undefined && host.address !== host.hostname) {
    const forAddress = storedForAddress(known, host.address, host.port)
    const addressed = judge(forAddress, key)
    if (addressed?._tag === "Mismatch") return addressed
    otherName = givenToName(known, forAddress, key)
    if (addressed !== undefined && otherName === undefined) return addressed
  }
  const authority = [...stored.exact, ...stored.portless].find(
    (line) => line.marker === "authority" && known.revocation(line.key) === undefined
  )
  return authority === undefined ? { _tag: "Unknown", otherName } : { _tag: "CertificateOnly", entry: authority }
}

const firstKeys = ({ exact, portless }: Stored): ReadonlyArray<KnownHost> => {
  const keys = hostKeys(exact)
  return keys.length > 0 ? keys : hostKeys(portless)
}

/** The host keys that a host can be accepted by: those of its name, else of its address. */
export const storedHostKeys = (known: KnownHosts, host: HostIdentity): ReadonlyArray<KnownHost> => {
  const named = firstKeys(storedFor(known, host.hostname, host.port))
  return named.length > 0 || host.address === undefined
    ? named
    : firstKeys(storedForAddress(known, host.address, host.port))
}

/**
 * The types of the keys that are stored for a host and not revoked, in the order of the file: those to ask it for. Empty
 * for an unknown host.
 */
export const knownKeyTypes = (known: KnownHosts, host: HostIdentity): ReadonlyArray<string> => [
  ...new Set(
    storedHostKeys(known, host)
      .filter((line) => known.revocation(line.key) === undefined)
      .map((line) => line.type)
  )
]
