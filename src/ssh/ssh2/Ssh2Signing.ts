import { Result } from "effect"
import type { Client, ParsedKey, SigningRequestOptions } from "ssh2"
import { wireReader, wireString, wireText } from "../../config/SshWire.ts"
import { hasMethods, isObject, protocolOf } from "./Ssh2Internals.ts"

/** What is used of a `Protocol` to send a packet of our own: RFC 4253 §6 framing, and the wait for a key exchange. */
interface PacketSink {
  readonly _authsQueue: Array<string>
  readonly _packetRW: {
    readonly write: {
      readonly allocStart: number
      readonly alloc: (payload: number) => Uint8Array
      readonly finalize: (packet: Uint8Array) => Uint8Array
    }
  }
  readonly _cipher: { readonly encrypt: (packet: Uint8Array) => void }
  /** Set during a key exchange, when packets wait in `_queue`. */
  readonly _kexinit?: unknown
  _queue?: Array<Uint8Array> | undefined
}

const isPacketSink = (value: object): value is PacketSink => {
  const rw: unknown = Reflect.get(value, "_packetRW")
  const write: unknown = isObject(rw) ? Reflect.get(rw, "write") : undefined
  return (
    Array.isArray(Reflect.get(value, "_authsQueue")) &&
    hasMethods(Reflect.get(value, "_cipher"), ["encrypt"]) &&
    hasMethods(write, ["alloc", "finalize"]) &&
    typeof Reflect.get(write, "allocStart") === "number"
  )
}

/** What a certified key signs with: the plain algorithm of its key (RFC 8332 for RSA). */
interface Certified {
  readonly algorithm: string
}

const certifiedKeys = new WeakMap<ParsedKey, Certified>()

/** Types of user certificates (PROTOCOL.certkeys), by the type of their key. */
const CERTIFICATE_TYPES: Readonly<Record<string, string>> = {
  "ssh-ed25519": "ssh-ed25519-cert-v01@openssh.com",
  "ssh-rsa": "ssh-rsa-cert-v01@openssh.com",
  "ecdsa-sha2-nistp256": "ecdsa-sha2-nistp256-cert-v01@openssh.com",
  "ecdsa-sha2-nistp384": "ecdsa-sha2-nistp384-cert-v01@openssh.com",
  "ecdsa-sha2-nistp521": "ecdsa-sha2-nistp521-cert-v01@openssh.com"
}

/** What a certificate of a key authenticates as, or why it cannot. The caller checks that it is of this key, and valid. */
const certificateAlgorithm = (key: ParsedKey, certificate: Buffer): Result.Result<string, string> => {
  const expected = CERTIFICATE_TYPES[key.type]
  if (expected === undefined) return Result.fail(`there are no certificates for keys of type ${key.type}`)
  const actual = wireText(wireReader(certificate).string())
  if (actual !== expected) return Result.fail(`not a certificate for a key of type ${key.type}`)
  // For RSA the name says with which hash is signed (RFC 8332 §3.1); without SHA-1, which servers refuse.
  return Result.succeed(key.type === "ssh-rsa" ? "rsa-sha2-512-cert-v01@openssh.com" : expected)
}

/** A key that is offered as its certificate. */
const certifyKey = (key: ParsedKey, type: string, certificate: Buffer, members: PropertyDescriptorMap): ParsedKey => {
  const certified: unknown = Object.create(key, {
    type: { value: type },
    getPublicSSH: { value: () => certificate },
    ...members
  })
  const usable = certified as ParsedKey
  certifiedKeys.set(usable, { algorithm: key.type === "ssh-rsa" ? "rsa-sha2-512" : key.type })
  return usable
}

/**
 * A private key together with its certificate, in its wire form, for ssh2's `publickey` method: what authenticates is
 * the certificate. It works on clients that went through `signFirst`; on others the server refuses the signature.
 *
 * Only the type is compared here; that the certificate is of this key, and valid, is for the caller to check. Fails
 * with a text for the log.
 */
export const certifiedKey = (key: ParsedKey, certificate: Uint8Array): Result.Result<ParsedKey, string> => {
  if (!key.isPrivateKey()) return Result.fail("not a private key")
  const blob = Buffer.from(certificate)
  const hash = key.type === "ssh-rsa" ? "sha512" : undefined
  return Result.map(certificateAlgorithm(key, blob), (type) =>
    certifyKey(key, type, blob, { sign: { value: (data: Buffer) => key.sign(data, hash) } })
  )
}

/** A key that an agent signs with. */
export interface AgentCertificate {
  /** What a server is offered. */
  readonly offered: ParsedKey
  /** What the agent is asked to sign with, and how. */
  readonly signer: ParsedKey
  readonly signing: SigningRequestOptions
}

/** As `certifiedKey`, for a certificate that an agent holds, of the public key `key`. The agent knows it by its wire form. */
export const certifiedAgentKey = (key: ParsedKey, certificate: Uint8Array): Result.Result<AgentCertificate, string> => {
  const blob = Buffer.from(certificate)
  return Result.map(certificateAlgorithm(key, blob), (type) => {
    const signer: unknown = Object.create(key, { getPublicSSH: { value: () => blob } })
    return {
      offered: certifyKey(key, type, blob, {}),
      signer: signer as ParsedKey,
      signing: key.type === "ssh-rsa" ? { hash: "sha512" } : {}
    }
  })
}

/** One INTEGER of DER at `at`, with what follows it. */
const derInteger = (der: Buffer, at: number): { readonly bytes: Buffer; readonly next: number } | undefined => {
  const length = der[at + 1]
  // The numbers of the largest curve have 67 bytes, so a length is always one byte.
  if (der[at] !== 0x02 || length === undefined || length > 0x7f || at + 2 + length > der.length) return undefined
  return { bytes: der.subarray(at + 2, at + 2 + length), next: at + 2 + length }
}

/** An ECDSA signature as SSH wants it, two mpints (RFC 5656 §3.1.2), from the DER that Node makes. */
export const ecdsaSignature = (der: Buffer): Buffer | undefined => {
  // A SEQUENCE whose length takes one byte, or two.
  const start = der[0] !== 0x30 ? undefined : der[1] === 0x81 ? 3 : (der[1] ?? 0xff) < 0x80 ? 2 : undefined
  const r = start === undefined ? undefined : derInteger(der, start)
  const s = r === undefined ? undefined : derInteger(der, r.next)
  return r === undefined || s === undefined ? undefined : Buffer.concat([wireString(r.bytes), wireString(s.bytes)])
}

/** Sends a `publickey` request that is not the library's own. */
const sendUserauth = (sink: PacketSink, payload: Buffer): void => {
  const { write } = sink._packetRW
  const start = write.allocStart
  const packet = write.alloc(payload.length)
  packet.set(payload, start)
  sink._authsQueue.push("publickey")
  const framed = write.finalize(packet)
  if (sink._kexinit === undefined) sink._cipher.encrypt(framed)
  else (sink._queue ??= []).push(framed)
}

const HASHES: Readonly<Record<string, string>> = {
  "rsa-sha2-256": "sha256",
  "rsa-sha2-512": "sha512",
  "ssh-rsa": "sha1"
}

/** The signature of a key that the library itself knows how to send; undefined when it cannot sign. */
const signatureOf = (key: ParsedKey, data: Buffer, hash: string | undefined): Buffer | undefined => {
  const signature: unknown = key.sign(data, hash)
  return Buffer.isBuffer(signature) ? signature : undefined
}

/**
 * Lets a client send the signature with its first `publickey` request instead of asking first whether the key would be
 * accepted (RFC 4252 §7 allows both): a connect takes one round trip less. Keys of an agent are asked about as before,
 * since a signature may need a human. Also what sends certified keys. To be called right after `client.connect`.
 * False when the library is not as expected: it then asks first.
 */
export const signFirst = (client: Client): boolean => {
  const protocol = protocolOf(client, "authPK")
  if (protocol === undefined || !isPacketSink(protocol)) return false
  const original = protocol.authPK.bind(protocol)

  /** Sends a request whose signature names the plain algorithm; `data` is the session id as a string, then the request. */
  const sendSigned = (data: Buffer, { algorithm }: Certified, signature: Buffer): void => {
    const request = data.subarray(4 + data.readUInt32BE(0))
    const signed = Buffer.concat([wireString(algorithm), wireString(signature)])
    sendUserauth(protocol, Buffer.concat([request, wireString(signed)]))
  }

  const sendCertified = (user: string, key: ParsedKey, certified: Certified): boolean => {
    let sent = false
    // The library makes what is to be signed (RFC 4252 §7).
    original(user, key, (data) => {
      const raw = signatureOf(key, data, undefined)
      const signature = raw !== undefined && certified.algorithm.startsWith("ecdsa-") ? ecdsaSignature(raw) : raw
      if (signature === undefined) return
      sendSigned(data, certified, signature)
      sent = true
    })
    return sent
  }

  protocol.authPK = (user, key, algorithm, sign) => {
    const certified = certifiedKeys.get(key)
    if (sign !== undefined || typeof algorithm === "function") {
      if (certified === undefined || sign === undefined) return original(user, key, algorithm, sign)
      // An agent's signature is in the form of SSH already.
      return original(user, key, (data) => sign(data, (signature) => sendSigned(data, certified, signature)))
    }
    if (certified !== undefined && key.isPrivateKey()) {
      // A key that cannot sign is asked about, which lets the library report it.
      return sendCertified(user, key, certified) ? undefined : original(user, key, algorithm)
    }
    if (!key.isPrivateKey()) return original(user, key, algorithm)
    let signs = false
    const hash = algorithm === undefined ? undefined : HASHES[algorithm]
    original(user, key, algorithm, (data, done) => {
      const signature = signatureOf(key, data, hash)
      if (signature === undefined) return
      signs = true
      done(signature)
    })
    return signs ? undefined : original(user, key, algorithm)
  }
  return true
}
