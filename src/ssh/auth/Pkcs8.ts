import { createPrivateKey, type KeyObject } from "node:crypto"
import { Result } from "effect"
import { wireString } from "../../config/SshWire.ts"
import type { SshFailure } from "../errors.ts"

/** Why a private key cannot be used; `detail` never holds any of it. */
export interface KeyProblem {
  readonly failure: Extract<SshFailure, "KeyFormatInvalid" | "KeyPassphraseRequired">
  readonly detail: string
}

const BLOCK = /^-----BEGIN (?:(ENCRYPTED) )?PRIVATE KEY-----$([^-]*)^-----END (?:ENCRYPTED )?PRIVATE KEY-----\s*$/mu

/** Whether a text holds a key in PKCS#8 (RFC 5958, or RFC 5208 §6 when encrypted), in PEM form (RFC 7468 §10, §11). */
export const isPkcs8 = (text: string): boolean => BLOCK.test(text)

const format = (detail: string): KeyProblem => ({ failure: "KeyFormatInvalid", detail })
const locked = (detail: string): KeyProblem => ({ failure: "KeyPassphraseRequired", detail })

/** Whether bytes are one DER SEQUENCE: a damaged file must not be taken for a wrong passphrase. */
const isSequence = (der: Buffer): boolean => {
  const first = der[1] ?? 0
  const octets = first < 0x80 ? 0 : first - 0x80
  if (der[0] !== 0x30 || octets > 3) return false
  const length = octets === 0 ? first : der.subarray(2).readUIntBE(0, Math.min(octets, der.length - 2))
  return der.length === 2 + octets + length
}

const number = (value: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

/** An Ed25519 key as `openssh-key-v1`, not encrypted (PROTOCOL.key): the only form of it that ssh2 reads. */
const openSshEd25519 = (key: KeyObject): string => {
  const { d = "", x = "" } = key.export({ format: "jwk" })
  const secret = Buffer.from(d, "base64url")
  const point = Buffer.from(x, "base64url")
  const type = wireString("ssh-ed25519")
  const section = Buffer.concat([
    number(0), // The two check integers are equal; they only tell whether a decryption worked.
    number(0),
    type,
    wireString(point),
    wireString(Buffer.concat([secret, point])),
    wireString("")
  ])
  const padding = Buffer.from(Array.from({ length: (8 - (section.length % 8)) % 8 }, (_, index) => index + 1))
  const file = Buffer.concat([
    Buffer.from("openssh-key-v1\0"),
    wireString("none"),
    wireString("none"),
    wireString(""),
    number(1),
    wireString(Buffer.concat([type, wireString(point)])),
    wireString(Buffer.concat([section, padding]))
  ])
  const lines = file.toString("base64").match(/.{1,70}/gu) ?? []
  return ["-----BEGIN OPENSSH PRIVATE KEY-----", ...lines, "-----END OPENSSH PRIVATE KEY-----", ""].join("\n")
}

const reencode = (key: KeyObject): Result.Result<string, KeyProblem> => {
  switch (key.asymmetricKeyType) {
    case "ed25519":
      return Result.succeed(openSshEd25519(key))
    case "rsa":
      return Result.succeed(key.export({ type: "pkcs1", format: "pem" }).toString())
    case "ec":
      return Result.succeed(key.export({ type: "sec1", format: "pem" }).toString())
    default:
      return Result.fail(format(`a PKCS#8 key of type ${key.asymmetricKeyType ?? "unknown"}`))
  }
}

/**
 * A PKCS#8 key in a form that ssh2 reads, not encrypted: OpenSSH's for Ed25519, PKCS#1 for RSA, SEC 1 for ECDSA. Text
 * around the PEM block is left out, as `openssl pkcs12` writes some.
 */
export const convertPkcs8 = (text: string, passphrase: string | undefined): Result.Result<string, KeyProblem> => {
  const [block, encrypted, body = ""] = BLOCK.exec(text) ?? []
  if (block === undefined) return Result.fail(format("not a PKCS#8 key"))
  if (!isSequence(Buffer.from(body, "base64"))) return Result.fail(format("a damaged PKCS#8 key"))
  if (encrypted !== undefined && passphrase === undefined) {
    return Result.fail(locked("an encrypted PKCS#8 key, but no passphrase given"))
  }
  return Result.try({
    try: () => createPrivateKey({ key: block, format: "pem", ...(passphrase === undefined ? {} : { passphrase }) }),
    // OpenSSL does not tell a wrong passphrase from others reliably: one in a hundred decrypts to noise.
    catch: () =>
      encrypted === undefined
        ? format("a PKCS#8 key that OpenSSL cannot read")
        : locked("an encrypted PKCS#8 key that the passphrase does not open")
  }).pipe(Result.flatMap(reencode))
}
