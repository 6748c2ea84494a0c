import { createHmac } from "node:crypto"
import { Option } from "effect"
import { keyType } from "./Fingerprint.ts"
import { type HostIdentity, KnownHosts, storedHostKeys, verifyHostKey } from "./KnownHosts.ts"
import { type KnownHost, lookupName } from "./KnownHostsLine.ts"

/** What known_hosts says about one of the keys that a host has, for a person who decides whether to add it. */
export type KeyStanding =
  /** It is accepted already. */
  | { readonly _tag: "Known"; readonly entry: KnownHost }
  /** Another key of this type is stored for the host. */
  | { readonly _tag: "Changed"; readonly entry: KnownHost }
  | { readonly _tag: "Revoked"; readonly entry: KnownHost }
  | { readonly _tag: "New" }

/** The standing of a key that a host presents. Keys of other types that are stored do not make it a changed one. */
export const standingOf = (known: KnownHosts, host: HostIdentity, key: Uint8Array): KeyStanding => {
  const verdict = verifyHostKey(known, host, key)
  if (verdict._tag === "Revoked") return verdict
  if (verdict._tag === "Trusted") return { _tag: "Known", entry: verdict.entry }
  const type = Option.getOrUndefined(keyType(key))
  return verdict._tag === "Mismatch" && verdict.entry.type === type
    ? { _tag: "Changed", entry: verdict.entry }
    : { _tag: "New" }
}

/** The stored keys of a host that are of a type that none of the presented keys has: they belong to it no more. */
export const missingKeys = (
  known: KnownHosts,
  host: HostIdentity,
  presented: ReadonlyArray<Uint8Array>
): ReadonlyArray<KnownHost> => {
  const types = presented.flatMap((key) => Option.toArray(keyType(key)))
  return storedHostKeys(known, host).filter(({ type }) => !types.includes(type))
}

/** The salt of a hashed name, as long as its hash (hostfile.c). */
export const SALT_BYTES = 20

const hashed = (name: string, salt: Uint8Array): string =>
  `|1|${Buffer.from(salt).toString("base64")}|${createHmac("sha1", salt).update(name).digest("base64")}`

/**
 * Text of a known_hosts file with lines for new keys of a host at its end, and everything before left as it is. The name
 * is hashed when a name in the file is. `salts` has `SALT_BYTES` of random for each key.
 */
export const appendKeys = (
  text: string,
  host: Pick<HostIdentity, "hostname" | "port">,
  keys: ReadonlyArray<{ readonly key: Uint8Array; readonly salt: Uint8Array }>
): string => {
  const hashes = new KnownHosts(text).lines.some(({ hosts }) => hosts.startsWith("|"))
  const name = lookupName(host.hostname, host.port)
  const lines = keys.flatMap(({ key, salt }) =>
    Option.toArray(keyType(key)).map(
      (type) => `${hashes ? hashed(name, salt) : name} ${type} ${Buffer.from(key).toString("base64")}\n`
    )
  )
  return `${text}${text === "" || text.endsWith("\n") ? "" : "\n"}${lines.join("")}`
}
