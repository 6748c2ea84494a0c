import { createHash } from "node:crypto"
import { Option } from "effect"

/** The fingerprint of a public key in wire format, as `ssh-keygen -l` prints it: `SHA256:` and base64 without padding. */
export const fingerprint = (key: Uint8Array): string =>
  `SHA256:${createHash("sha256").update(key).digest("base64").replace(/=+$/u, "")}`

/**
 * A fingerprint as a person writes it, in the form that `fingerprint` gives. None for another hash (an MD5 fingerprint
 * does not identify a key any more) or a text that is no fingerprint.
 */
export const parseFingerprint = (text: string): Option.Option<string> => {
  const digest = /^SHA256:([A-Za-z0-9+/]{43})=?$/iu.exec(text.trim())?.[1]
  return digest === undefined ? Option.none() : Option.some(`SHA256:${digest}`)
}

const fieldsEnd = (key: Buffer, at: number): boolean => {
  let next = at
  while (next + 4 <= key.length) next += 4 + key.readUInt32BE(next)
  return next === key.length
}

/**
 * The type that a public key in wire format says it has. None for bytes that are no public key: those are the type and
 * at least one more field, each behind its length, and nothing after (RFC 4253 §6.6).
 */
export const keyType = (key: Uint8Array): Option.Option<string> => {
  const bytes = Buffer.from(key.buffer, key.byteOffset, key.byteLength)
  if (bytes.length < 4) return Option.none()
  const end = 4 + bytes.readUInt32BE(0)
  if (end >= bytes.length || !fieldsEnd(bytes, end)) return Option.none()
  const type = bytes.toString("latin1", 4, end)
  return /^[!-~]+$/u.test(type) ? Option.some(type) : Option.none()
}

/** A key for a log line: its type and its fingerprint. */
export const describeKey = (key: Uint8Array): string =>
  `${Option.getOrElse(keyType(key), () => "a malformed key")} ${fingerprint(key)}`
