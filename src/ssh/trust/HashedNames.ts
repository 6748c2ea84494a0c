/**
 * Host names that known_hosts stores as HMAC-SHA1 with a salt of their own (`|1|salt|hash`, hostfile.c of OpenSSH).
 * Each lookup has to try every stored name, so the two blocks of HMAC that depend on the salt alone are computed once:
 * a name then costs two blocks of SHA-1 here, some twenty times less than a hash object of node:crypto.
 */

const BLOCK = 64
const HASH_BYTES = 20
const HASH_WORDS = 5

const BLOCK_WORDS = 16

const INITIAL = Int32Array.of(0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0)
const schedule = new Int32Array(80)

/** One block of SHA-1 (FIPS 180-4 §6.1.2) on `state`: the sixteen words from `offset`. */
const compress = (state: Int32Array, words: Int32Array, offset: number): void => {
  const w = schedule
  for (let i = 0; i < BLOCK_WORDS; i++) w[i] = words[offset + i] ?? 0
  for (let i = BLOCK_WORDS; i < 80; i++) {
    const word = (w[i - 3] ?? 0) ^ (w[i - 8] ?? 0) ^ (w[i - 14] ?? 0) ^ (w[i - 16] ?? 0)
    w[i] = (word << 1) | (word >>> 31)
  }
  let a = state[0] ?? 0
  let b = state[1] ?? 0
  let c = state[2] ?? 0
  let d = state[3] ?? 0
  let e = state[4] ?? 0
  for (let i = 0; i < 80; i++) {
    const f =
      i < 20
        ? (((b & c) | (~b & d)) + 0x5a827999) | 0
        : i < 40
          ? ((b ^ c ^ d) + 0x6ed9eba1) | 0
          : i < 60
            ? (((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc) | 0
            : ((b ^ c ^ d) + 0xca62c1d6) | 0
    const next = (((a << 5) | (a >>> 27)) + f + e + (w[i] ?? 0)) | 0
    e = d
    d = c
    c = (b << 30) | (b >>> 2)
    b = a
    a = next
  }
  state[0] = (state[0] ?? 0) + a
  state[1] = (state[1] ?? 0) + b
  state[2] = (state[2] ?? 0) + c
  state[3] = (state[3] ?? 0) + d
  state[4] = (state[4] ?? 0) + e
}

const toWords = (bytes: Uint8Array): Int32Array => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return Int32Array.from({ length: bytes.length / 4 }, (_, index) => view.getInt32(4 * index))
}

/** The end of a message of which `before` bytes were hashed already: its bytes, padding and length (FIPS 180-4 §5.1.1). */
const padded = (message: Uint8Array, before: number): Int32Array => {
  const bytes = new Uint8Array(Math.ceil((message.length + 9) / BLOCK) * BLOCK)
  bytes.set(message)
  bytes[message.length] = 0x80
  const words = toWords(bytes)
  words[words.length - 1] = (before + message.length) * 8
  return words
}

/** The state after the block of HMAC that holds the key, RFC 2104 §2. */
const keyed = (salt: Uint8Array, pad: number): Int32Array => {
  const block = new Uint8Array(BLOCK).fill(pad)
  salt.forEach((byte, index) => {
    block[index] = byte ^ pad
  })
  const state = INITIAL.slice()
  compress(state, toWords(block), 0)
  return state
}

/** A salt and the hash of a name with it, 20 bytes each. */
export interface HashedName {
  readonly salt: Uint8Array
  readonly hash: Uint8Array
}

/** The hashed name of a host field; undefined when OpenSSH would not read the field as one. */
export const parseHashedName = (field: string): HashedName | undefined => {
  const [, salt = "", hash = ""] = /^\|1\|([^|]*)\|([^|]*)$/u.exec(field) ?? []
  const parsed = { salt: Buffer.from(salt, "base64"), hash: Buffer.from(hash, "base64") }
  // OpenSSH hashes the name again and compares the texts, so that only the canonical base64 ever matches.
  const isCanonical = parsed.salt.toString("base64") === salt && parsed.hash.toString("base64") === hash
  return isCanonical && parsed.salt.length === HASH_BYTES && parsed.hash.length === HASH_BYTES ? parsed : undefined
}

const copyState = (from: Int32Array, at: number, to: Int32Array): void => {
  for (let i = 0; i < HASH_WORDS; i++) to[i] = from[at + i] ?? 0
}

const isEqual = (state: Int32Array, wanted: Int32Array, at: number): boolean => {
  for (let i = 0; i < HASH_WORDS; i++) if (state[i] !== wanted[at + i]) return false
  return true
}

const joined = (states: ReadonlyArray<Int32Array>): Int32Array => {
  const all = new Int32Array(states.length * HASH_WORDS)
  states.forEach((state, index) => all.set(state, index * HASH_WORDS))
  return all
}

/** Finds a name among hashed ones: gives the indices of those that are its hash, in order. */
export const hashedNameFinder = (names: ReadonlyArray<HashedName>): ((name: string) => ReadonlyArray<number>) => {
  const inner = joined(names.map(({ salt }) => keyed(salt, 0x36)))
  const outer = joined(names.map(({ salt }) => keyed(salt, 0x5c)))
  const wanted = joined(names.map(({ hash }) => toWords(hash)))
  const state = new Int32Array(HASH_WORDS)
  return (name) => {
    const message = padded(Buffer.from(name, "latin1"), BLOCK)
    const digest = padded(new Uint8Array(HASH_BYTES), BLOCK)
    const found: Array<number> = []
    for (let index = 0; index < names.length; index++) {
      copyState(inner, index * HASH_WORDS, state)
      for (let offset = 0; offset < message.length; offset += BLOCK_WORDS) compress(state, message, offset)
      copyState(state, 0, digest)
      copyState(outer, index * HASH_WORDS, state)
      compress(state, digest, 0)
      if (isEqual(state, wanted, index * HASH_WORDS)) found.push(index)
    }
    return found
  }
}
