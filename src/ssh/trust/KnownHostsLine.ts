import { Option } from "effect"
import { keyType } from "./Fingerprint.ts"
import { parseHashedName } from "./HashedNames.ts"

/** One usable line of a known_hosts file, as sshd(8) "SSH_KNOWN_HOSTS FILE FORMAT" describes it. */
export interface KnownHost {
  /** The line number, from 1. */
  readonly line: number
  /** `revoked`: a key that is never accepted. `authority`: a certificate authority, which is not a host key. */
  readonly marker: "none" | "revoked" | "authority"
  /** The host field as written: patterns separated by commas, or one hashed name. */
  readonly hosts: string
  /** The key's type, such as `ssh-ed25519`. */
  readonly type: string
  /** The key in its wire format (RFC 4253 §6.6). */
  readonly key: Buffer
}

const MARKERS: Readonly<Record<string, KnownHost["marker"]>> = {
  "@revoked": "revoked",
  "@cert-authority": "authority"
}

/** The types of plain public keys that OpenSSH reads; a line with any other is broken to it. */
const KEY_TYPES: ReadonlySet<string> = new Set([
  "ssh-ed25519",
  "ecdsa-sha2-nistp256",
  "ecdsa-sha2-nistp384",
  "ecdsa-sha2-nistp521",
  "ssh-rsa",
  "ssh-dss",
  "sk-ssh-ed25519@openssh.com",
  "sk-ecdsa-sha2-nistp256@openssh.com"
])

/** Signature algorithms that OpenSSH also takes for the type of the key they belong to (RFC 8332 §3). */
const OTHER_NAMES: Readonly<Record<string, string>> = { "rsa-sha2-256": "ssh-rsa", "rsa-sha2-512": "ssh-rsa" }

/**
 * The key of a line, or undefined when the line is broken: not base64, not a key, or a key of another type than written.
 * `b64_pton` of OpenSSH skips white space such as the `\r` of a DOS line end, and takes nothing else that is not base64.
 */
const parseKey = (type: string, base64: string): Buffer | undefined => {
  const text = base64.replace(/\s+/gu, "")
  const key = Buffer.from(text, "base64")
  if (!KEY_TYPES.has(type) || key.toString("base64") !== text) return undefined
  return Option.getOrUndefined(keyType(key)) === type ? key : undefined
}

const parseLine = (text: string, line: number): ReadonlyArray<KnownHost> => {
  // What follows a NUL is not there for OpenSSH, which reads a line as a C string.
  const [content = ""] = text.split("\0", 1)
  const fields = content.replace(/^[ \t]+/u, "").split(/[ \t]+/u)
  const [first = ""] = fields
  if (first === "" || first.startsWith("#")) return []
  const marker = first.startsWith("@") ? MARKERS[first] : "none"
  const [hosts = "", written = "", base64 = ""] = first.startsWith("@") ? fields.slice(1) : fields
  const type = OTHER_NAMES[written] ?? written
  if (marker === undefined || hosts === "" || hosts.startsWith("@")) return []
  if (hosts.startsWith("|") && parseHashedName(hosts) === undefined) return []
  const key = parseKey(type, base64)
  return key === undefined ? [] : [{ line, marker, hosts, type, key }]
}

/**
 * Parses a known_hosts file, read as latin1 so that a byte is a character. Lines that OpenSSH would not use (comments,
 * unknown or several markers, no or a broken key) are left out. Unlike OpenSSH, which then ignores the whole line, a
 * tab after a marker is taken: a revocation must not be lost to a tab.
 */
export const parseKnownHosts = (text: string): ReadonlyArray<KnownHost> =>
  text.split("\n").flatMap((line, index) => parseLine(line, index + 1))

/** ASCII only, as tolower in the C locale: Unicode would turn a Kelvin sign into a k. */
export const lowerCase = (text: string): string => text.replace(/[A-Z]+/gu, (letters) => letters.toLowerCase())

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

/** One pattern of a host field, in lower case. */
export interface HostPattern {
  readonly negated: boolean
  readonly pattern: string
}

/** The patterns of a host field that is not hashed. */
export const hostPatterns = (field: string): ReadonlyArray<HostPattern> =>
  lowerCase(field)
    .split(",")
    .map((text) => {
      const negated = text.startsWith("!")
      return { negated, pattern: negated ? text.slice(1) : text }
    })

/** Whether patterns name `name` (lower case, `[name]:port` for a port other than 22). A negated match wins. */
export const matchesHosts = (patterns: ReadonlyArray<HostPattern>, name: string): boolean => {
  let matched = false
  for (const { negated, pattern } of patterns) {
    if (!matchesPattern(pattern, name)) continue
    if (negated) return false
    matched = true
  }
  return matched
}

/** The text that a host is stored under: `name`, or `[name]:port` for a port other than 22. */
export const lookupName = (host: string, port: number): string =>
  port === 22 ? lowerCase(host) : `[${lowerCase(host)}]:${port}`
