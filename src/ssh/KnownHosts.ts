import { createHmac, timingSafeEqual } from "node:crypto"

/** One usable line of a known_hosts file, as sshd(8) "SSH_KNOWN_HOSTS FILE FORMAT" describes it. */
export interface KnownHost {
  /** The line number, from 1. */
  readonly line: number
  /** `revoked`: a key that is never accepted. `authority`: a certificate authority, which is not a host key. */
  readonly marker: "none" | "revoked" | "authority"
  /** The host field as written: patterns separated by commas, or one hashed name. */
  readonly hosts: string
  /** The key type as written, such as `ssh-ed25519`. */
  readonly type: string
  /** The key in its wire format (RFC 4253 §6.6). */
  readonly key: Buffer
}

/** How a host is looked up: by its configured name and by the address that is connected to. */
export interface HostIdentity {
  readonly hostname: string
  readonly address: string
  readonly port: number
}

/**
 * What known_hosts says about a key that a host presents. `Mismatch` also covers a host of which only keys of other
 * types are stored: with the stored types offered first, an honest host would have presented one of those.
 */
export type Verdict =
  | { readonly _tag: "Trusted"; readonly line: number }
  | { readonly _tag: "Revoked"; readonly line: number }
  | { readonly _tag: "Mismatch"; readonly line: number }
  | { readonly _tag: "Unknown" }

const MARKERS: Readonly<Record<string, KnownHost["marker"]>> = {
  "@revoked": "revoked",
  "@cert-authority": "authority"
}

/** Parses a known_hosts file. Lines that OpenSSH would not use (comments, unknown markers, no key) are left out. */
export const parseKnownHosts = (text: string): ReadonlyArray<KnownHost> =>
  text.split("\n").flatMap((line, index) => {
    const fields = line.trim().split(/[ \t]+/)
    const first = fields[0] ?? ""
    if (first === "" || first.startsWith("#")) return []
    const marker = first.startsWith("@") ? MARKERS[first] : "none"
    const [hosts, type, key] = first.startsWith("@") ? fields.slice(1) : fields
    if (marker === undefined || hosts === undefined || type === undefined || key === undefined) return []
    return [{ line: index + 1, marker, hosts, type, key: Buffer.from(key, "base64") }]
  })

/** `*` and `?` only, as match_pattern of OpenSSH: brackets are literal. Iterative, so that no pattern is expensive. */
const matchesPattern = (pattern: string, text: string): boolean => {
  let at = 0
  let next = 0
  let star = -1
  let resume = 0
  while (at < text.length) {
    const wanted = pattern[next]
    if (wanted === "*") {
      star = next++
      resume = at
    } else if (wanted === "?" || wanted === text[at]) {
      next++
      at++
    } else if (star >= 0) {
      next = star + 1
      at = ++resume
    } else {
      return false
    }
  }
  while (pattern[next] === "*") next++
  return next === pattern.length
}

const HASH_LENGTH = 20

const matchesHashed = (field: string, name: string): boolean => {
  const [, , salt, hash] = field.split("|")
  if (salt === undefined || hash === undefined) return false
  const wanted = Buffer.from(hash, "base64")
  const found = createHmac("sha1", Buffer.from(salt, "base64")).update(name).digest()
  return wanted.length === HASH_LENGTH && timingSafeEqual(wanted, found)
}

/** Whether a host field names `name` (lower case, `[name]:port` for a port other than 22). A negated match wins. */
export const matchesHosts = (field: string, name: string): boolean => {
  if (field.startsWith("|1|")) return matchesHashed(field, name)
  let matched = false
  for (const pattern of field.toLowerCase().split(",")) {
    const negated = pattern.startsWith("!")
    if (!matchesPattern(negated ? pattern.slice(1) : pattern, name)) continue
    if (negated) return false
    matched = true
  }
  return matched
}

/** The text that a host is stored under: `name`, or `[name]:port` for a port other than 22. */
export const lookupName = (host: string, port: number): string =>
  port === 22 ? host.toLowerCase() : `[${host.toLowerCase()}]:${port}`

const UNKNOWN: Verdict = { _tag: "Unknown" }

const judge = (known: ReadonlyArray<KnownHost>, name: string, key: Uint8Array): Verdict => {
  const lines = known.filter((line) => line.marker !== "authority" && matchesHosts(line.hosts, name))
  const same = lines.filter((line) => line.key.equals(key))
  const revoked = same.find((line) => line.marker === "revoked")
  if (revoked !== undefined) return { _tag: "Revoked", line: revoked.line }
  const trusted = same.find((line) => line.marker === "none")
  if (trusted !== undefined) return { _tag: "Trusted", line: trusted.line }
  const other = lines.find((line) => line.marker === "none")
  return other === undefined ? UNKNOWN : { _tag: "Mismatch", line: other.line }
}

/** The names that a host is looked up under, the most specific first. A name without the port can only add trust. */
const names = (host: HostIdentity) =>
  [...new Set([host.hostname, host.address])].map((name) => ({
    exact: lookupName(name, host.port),
    portless: lookupName(name, 22)
  }))

/**
 * Decides on the key that a host presents. The configured name decides; the address is asked only when the name is not
 * stored, and a revocation under either wins. As in OpenSSH, a key stored without the port is accepted for a host on
 * another port, when nothing is stored for that port.
 */
export const verifyHostKey = (known: ReadonlyArray<KnownHost>, host: HostIdentity, key: Uint8Array): Verdict => {
  const verdicts = names(host).map(({ exact, portless }) => {
    const found = judge(known, exact, key)
    if (found._tag !== "Unknown") return found
    const fallback = judge(known, portless, key)
    return fallback._tag === "Mismatch" ? UNKNOWN : fallback
  })
  return (
    verdicts.find((verdict) => verdict._tag === "Revoked") ??
    verdicts.find((verdict) => verdict._tag !== "Unknown") ??
    UNKNOWN
  )
}

/** The types of the keys that are stored for a host, in file order: those to ask it for. Empty for an unknown host. */
export const knownKeyTypes = (known: ReadonlyArray<KnownHost>, host: HostIdentity): ReadonlyArray<string> => {
  const typesOf = (name: string) =>
    known.filter((line) => line.marker === "none" && matchesHosts(line.hosts, name)).map((line) => line.type)
  for (const { exact, portless } of names(host)) {
    const exactTypes = typesOf(exact)
    const types = exactTypes.length > 0 ? exactTypes : typesOf(portless)
    if (types.length > 0) return [...new Set(types)]
  }
  return []
}
