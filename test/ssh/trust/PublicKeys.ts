import { createHash, createHmac } from "node:crypto"

const field = (bytes: Uint8Array): Buffer => {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(bytes.length)
  return Buffer.concat([length, bytes])
}

/** A made-up public key in wire format: the type, then 32 bytes that depend on `seed`. */
export const publicKey = (type: string, seed: string): Buffer =>
  Buffer.concat([field(Buffer.from(type)), field(createHash("sha256").update(seed).digest())])

/** A key as a line of known_hosts has it: the type and base64. */
export const stored = (key: Buffer): string =>
  `${key.toString("latin1", 4, 4 + key.readUInt32BE(0))} ${key.toString("base64")}`

/** A name as `ssh-keygen -H` stores it. */
export const hashedName = (name: string, salt = createHash("sha1").update(`salt of ${name}`).digest()): string =>
  `|1|${salt.toString("base64")}|${createHmac("sha1", salt).update(name).digest("base64")}`
