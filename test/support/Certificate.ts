import { generateKeyPairSync, randomBytes } from "node:crypto"
import { wireString } from "../../src/config/SshWire.ts"

/** What can be chosen for a certificate; the default is a user certificate that is valid for ever. */
export interface CertificateOptions {
  readonly keyType?: string
  /** The fields of the public key. */
  readonly key?: ReadonlyArray<Uint8Array>
  readonly kind?: number
  readonly serial?: bigint
  readonly keyId?: string
  readonly principals?: ReadonlyArray<string>
  readonly validAfter?: bigint
  readonly validBefore?: bigint
  readonly criticalOptions?: ReadonlyArray<readonly [name: string, value: string]>
}

/** The time that stands for never. */
export const FOREVER = 2n ** 64n - 1n

const uint64 = (value: bigint): Buffer => {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(value)
  return bytes
}

const uint32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

/** The wire form of a certificate (PROTOCOL.certkeys) whose signature is noise, which no one here checks. */
export const certificateBytes = (options: CertificateOptions = {}): Uint8Array =>
  new Uint8Array(
    Buffer.concat([
      wireString(`${options.keyType ?? "ssh-ed25519"}-cert-v01@openssh.com`),
      wireString(randomBytes(32)),
      ...(options.key ?? [randomBytes(32)]).map(wireString),
      uint64(options.serial ?? 0n),
      uint32(options.kind ?? 1),
      wireString(options.keyId ?? "id"),
      wireString(Buffer.concat((options.principals ?? []).map(wireString))),
      uint64(options.validAfter ?? 0n),
      uint64(options.validBefore ?? FOREVER),
      wireString(
        Buffer.concat(
          (options.criticalOptions ?? []).flatMap(([name, value]) => [wireString(name), wireString(wireString(value))])
        )
      ),
      wireString(""),
      wireString(""),
      wireString(randomBytes(51)),
      wireString(randomBytes(83))
    ])
  )

/** The text of a certificate file or a public key file. */
export const keyLine = (bytes: Uint8Array): string => {
  const type = Buffer.from(bytes).subarray(4, 4 + new DataView(bytes.buffer, bytes.byteOffset).getUint32(0))
  return `${type.toString()} ${Buffer.from(bytes).toString("base64")} comment\n`
}

/** A new Ed25519 key: its PKCS#8 text, and its public key as bytes and in the wire form. */
export const newEd25519 = () => {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519")
  const point = Buffer.from(publicKey.export({ format: "jwk" }).x ?? "", "base64url")
  return {
    pem: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    locked: (passphrase: string) =>
      privateKey.export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase }).toString(),
    point,
    wire: new Uint8Array(Buffer.concat([wireString("ssh-ed25519"), wireString(point)]))
  }
}
