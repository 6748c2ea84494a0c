import { Result } from "effect"
import { type WireReader, wireReader, wireString, wireText } from "./SshWire.ts"

/** Principals of one certificate, as OpenSSH limits them (SSHKEY_CERT_MAX_PRINCIPALS). */
const MAX_PRINCIPALS = 256

/**
 * An OpenSSH certificate (PROTOCOL.certkeys), as it is written. Its authority's signature is not checked: only the
 * server knows which authorities it trusts.
 */
export interface Certificate {
  /** `ssh-ed25519-cert-v01@openssh.com` … */
  readonly type: string
  /** The certified public key in its wire form, as in the `.pub` file of the key. */
  readonly publicKey: Uint8Array
  readonly serial: bigint
  /** 1 a user certificate, 2 a host certificate. */
  readonly kind: number
  readonly keyId: string
  /** The user names that it is good for. */
  readonly principals: ReadonlyArray<string>
  /** Seconds since 1970, inclusive. */
  readonly validAfter: bigint
  /** Seconds since 1970, exclusive; 2^64-1 is never. */
  readonly validBefore: bigint
  /** The names of restrictions that a server must know, such as `force-command` and `source-address`. */
  readonly criticalOptions: ReadonlyArray<string>
}

/** `kind` of a user certificate. */
export const USER_CERTIFICATE = 1

/** How many fields of the public key follow the nonce, by the type of the key. */
const KEY_FIELDS: ReadonlyMap<string, number> = new Map([
  ["ssh-ed25519", 1],
  ["ssh-rsa", 2],
  ["ecdsa-sha2-nistp256", 2],
  ["ecdsa-sha2-nistp384", 2],
  ["ecdsa-sha2-nistp521", 2]
])

const SUFFIX = "-cert-v01@openssh.com"

/** All of a list of strings, packed in one string; undefined when it is cut or longer than `limit`. */
const readList = <A>(packed: Uint8Array, limit: number, read: (reader: WireReader) => A): Array<A> | undefined => {
  const reader = wireReader(packed)
  const items: Array<A> = []
  while (reader.isWhole() && !reader.isAtEnd() && items.length <= limit) items.push(read(reader))
  return reader.isWhole() && items.length <= limit ? items : undefined
}

/** Decodes the wire form of a certificate, or says what is wrong with it. Anything after its last field is an error. */
export const decodeCertificate = (bytes: Uint8Array): Result.Result<Certificate, string> => {
  const reader = wireReader(bytes)
  const type = wireText(reader.string())
  if (!type.endsWith(SUFFIX)) return Result.fail("not an OpenSSH certificate (ssh-keygen -s writes NAME-cert.pub)")
  const keyType = type.slice(0, -SUFFIX.length)
  const fields = KEY_FIELDS.get(keyType)
  if (fields === undefined) return Result.fail("a certificate of a key type that is not supported (Ed25519/ECDSA/RSA)")
  reader.string() // nonce
  const publicKey = Buffer.concat([keyType, ...Array.from({ length: fields }, reader.string)].map(wireString))
  const serial = reader.uint64()
  const kind = reader.uint32()
  const keyId = wireText(reader.string())
  const principals = readList(reader.string(), MAX_PRINCIPALS, (each) => wireText(each.string()))
  const validAfter = reader.uint64()
  const validBefore = reader.uint64()
  const criticalOptions = readList(reader.string(), MAX_PRINCIPALS, (each) => {
    const name = wireText(each.string())
    each.string() // its value
    return name
  })
  // Extensions, reserved, the authority's key and its signature.
  for (let rest = 0; rest < 4; rest++) reader.string()
  return reader.isWhole() && reader.isAtEnd() && principals !== undefined && criticalOptions !== undefined
    ? Result.succeed({ type, publicKey, serial, kind, keyId, principals, validAfter, validBefore, criticalOptions })
    : Result.fail("a damaged certificate")
}

/** What is wrong with a certificate whatever the time and the key, or nothing. */
export const certificateDefect = (certificate: Certificate): string | undefined => {
  if (certificate.kind !== USER_CERTIFICATE) return "a host certificate, not a user certificate"
  // sshd would run that command instead of the one that the policy allowed.
  if (certificate.criticalOptions.includes("force-command")) return "a certificate that forces a command"
  return undefined
}

/** The largest time that a Date can hold, in seconds. */
const LAST_SECOND = 8_640_000_000_000n

/** A time of a certificate as ISO 8601 in UTC. */
export const certificateTime = (seconds: bigint): string =>
  seconds > LAST_SECOND ? "never" : new Date(Number(seconds) * 1000).toISOString().replace(".000Z", "Z")

/** Where a time stands against the validity of a certificate. */
export const validityAt = (certificate: Certificate, millis: number): "valid" | "not yet" | "expired" => {
  const now = BigInt(Math.floor(Math.max(0, millis) / 1000))
  if (now >= certificate.validBefore) return "expired"
  return now < certificate.validAfter ? "not yet" : "valid"
}
