import { Result } from "effect"
import { Socket } from "node:net"
import type { Client, ClientChannel, ParsedKey } from "ssh2"

/**
 * With Ssh2Packets, what touches the internals of ssh2, which has no public way to these: user certificates, a public
 * key signed for at once, a session opened before its command is known, a signal after the end of stdin, and windows.
 *
 * Every patch is optional: it looks at the members that it needs first, and where they are not as expected it says so
 * and changes nothing. All of them change one object (a client or a channel), never the library's classes.
 */

/** What is used of ssh2's `Protocol`, which writes the packets of one connection. */
interface Protocol {
  authPK: (user: string, key: ParsedKey, algorithm?: string | Sign, sign?: Sign) => void
  session: (id: number, window: number, packetSize: number) => void
  exec: (id: number, command: string, wantReply: boolean) => void
  signal: (id: number, name: string) => void
  channelWindowAdjust: (id: number, bytes: number) => void
}

/** Given what is to be signed, passes the signature on. */
type Sign = (data: Buffer, done: (signature: Buffer) => void) => void

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

/** One direction of a channel. */
interface Flow {
  readonly id: number
  readonly state: string
  window: number
}

/** What is used of a `Channel`. */
interface ChannelInternals {
  readonly incoming: Flow
  readonly outgoing: Flow
  /** Called in order with the server's answers to channel requests: true or an error when it refused. */
  readonly _callbacks: Array<(failed: unknown) => void>
  subtype: string | undefined
}

/** Called when a channel that was asked for is open, or is not. */
type Opened = ((error: Error | undefined, channel?: ClientChannel) => void) & { type?: string }

/** What is used of ssh2's table of channels. */
interface Channels {
  readonly add: (opened: Opened) => number
}

/** Whether a value of the library's has members at all. */
export const isObject = (value: unknown): value is object => typeof value === "object" && value !== null

/** Whether a value of the library's has all of these methods. */
export const hasMethods = (value: unknown, names: ReadonlyArray<string>): value is object =>
  isObject(value) && names.every((name) => typeof Reflect.get(value, name) === "function")

const protocolOf = (client: unknown, ...methods: ReadonlyArray<keyof Protocol>): Protocol | undefined => {
  const protocol: unknown = isObject(client) ? Reflect.get(client, "_protocol") : undefined
  return hasMethods(protocol, methods) ? (protocol as Protocol) : undefined
}

const isFlow = (value: unknown): boolean =>
  isObject(value) &&
  typeof Reflect.get(value, "id") === "number" &&
  typeof Reflect.get(value, "state") === "string" &&
  typeof Reflect.get(value, "window") === "number"

const internalsOf = (channel: ClientChannel): ChannelInternals | undefined =>
  isFlow(Reflect.get(channel, "incoming")) &&
  isFlow(Reflect.get(channel, "outgoing")) &&
  Array.isArray(Reflect.get(channel, "_callbacks"))
    ? (channel as unknown as ChannelInternals)
    : undefined

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

/** A string as the protocol writes it (RFC 4251 §5): four bytes of length, then the bytes. */
const wireString = (value: string | Uint8Array): Buffer => {
  const bytes = Buffer.from(value)
  const length = Buffer.alloc(4)
  length.writeUInt32BE(bytes.length)
  return Buffer.concat([length, bytes])
}

/** The first string of a wire form; undefined when it is cut off. */
const firstString = (bytes: Buffer): string | undefined => {
  if (bytes.length < 4) return undefined
  const end = 4 + bytes.readUInt32BE(0)
  return end > bytes.length ? undefined : bytes.toString("latin1", 4, end)
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

/**
 * A private key together with its certificate, in its wire form, for ssh2's `publickey` method: what authenticates is
 * the certificate. It works on clients that went through `signFirst`; on others the server refuses the signature.
 *
 * Only the type is compared here; that the certificate is of this key, and valid, is for the caller to check. Fails
 * with a text for the log.
 */
export const certifiedKey = (key: ParsedKey, certificate: Uint8Array): Result.Result<ParsedKey, string> => {
  const blob = Buffer.from(certificate)
  const expected = CERTIFICATE_TYPES[key.type]
  if (expected === undefined) return Result.fail(`there are no certificates for keys of type ${key.type}`)
  if (!key.isPrivateKey()) return Result.fail("not a private key")
  if (firstString(blob) !== expected) return Result.fail(`not a certificate for a key of type ${key.type}`)
  const rsa = key.type === "ssh-rsa"
  // For RSA the name says with which hash is signed (RFC 8332 §3.1); without SHA-1, which servers refuse.
  const type = rsa ? "rsa-sha2-512-cert-v01@openssh.com" : expected
  const certified: unknown = Object.create(key, {
    type: { value: type },
    getPublicSSH: { value: () => blob },
    sign: { value: (data: Buffer) => key.sign(data, rsa ? "sha512" : undefined) }
  })
  const usable = certified as ParsedKey
  certifiedKeys.set(usable, { algorithm: rsa ? "rsa-sha2-512" : key.type })
  return Result.succeed(usable)
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

  const sendCertified = (user: string, key: ParsedKey, { algorithm }: Certified): boolean => {
    let sent = false
    // The library makes what is to be signed: the session id as a string (RFC 4252 §7), then the request.
    original(user, key, (data) => {
      const raw = signatureOf(key, data, undefined)
      const signature = raw !== undefined && algorithm.startsWith("ecdsa-") ? ecdsaSignature(raw) : raw
      if (signature === undefined) return
      const request = data.subarray(4 + data.readUInt32BE(0))
      const signed = Buffer.concat([wireString(algorithm), wireString(signature)])
      sendUserauth(protocol, Buffer.concat([request, wireString(signed)]))
      sent = true
    })
    return sent
  }

  protocol.authPK = (user, key, algorithm, sign) => {
    if (sign !== undefined || typeof algorithm === "function") return original(user, key, algorithm, sign)
    const certified = certifiedKeys.get(key)
    if (certified !== undefined) {
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

/** A session channel that is open and has no command yet. It holds one of the server's MaxSessions. */
export interface PreopenedSession {
  /**
   * Runs the one command of the session, with `input` as its whole stdin: one round trip, since stdin and its end follow
   * without waiting for the answer. To be called once.
   */
  readonly exec: (
    command: string,
    input: Uint8Array | undefined,
    done: (error: Error | undefined, channel?: ClientChannel) => void
  ) => void
  /** Gives the session back unused. */
  readonly close: () => void
  /** Whether both sides still hold it open. */
  readonly isOpen: () => boolean
}

/** The window and the largest packet that a channel starts with: those of the library, whose own count starts there. */
const INITIAL_WINDOW = 2 * 1024 * 1024
const PACKET_SIZE = 32 * 1024

/** Sessions by ssh2's own names of the failures, so that they are classified as those of `exec` are. */
const preopened = (channel: ClientChannel, internals: ChannelInternals, protocol: Protocol): PreopenedSession => {
  const { incoming, outgoing } = internals
  const isOpen = () => incoming.state === "open" && outgoing.state === "open"
  channel.on("error", () => {})
  channel.stderr.on("error", () => {})
  return {
    isOpen,
    exec: (command, input, done) => {
      if (!isOpen()) return done(new Error("Unable to exec"))
      internals._callbacks.push((failed) => {
        if (failed === true || failed instanceof Error) {
          return done(failed instanceof Error ? failed : new Error("Unable to exec"))
        }
        internals.subtype = "exec"
        done(undefined, channel)
      })
      protocol.exec(outgoing.id, command, true)
      channel.end(input)
    },
    close: () => {
      channel.close()
      channel.resume()
      channel.stderr.resume()
    }
  }
}

/**
 * Opens a session without a command. `done` is told once: with the session, or with the library's error when the server
 * refuses or the connection ends. False when nothing was asked for, because the library is not as expected or the
 * client is not connected; `done` is then never called.
 */
export const openSession = (
  client: Client,
  done: (answer: Result.Result<PreopenedSession, Error & { readonly reason?: unknown }>) => void
): boolean => {
  const protocol = protocolOf(client, "session", "exec")
  const channels: unknown = Reflect.get(client, "_chanMgr")
  const socket: unknown = Reflect.get(client, "_sock")
  if (protocol === undefined || !hasMethods(channels, ["add"])) return false
  if (!isObject(socket) || Reflect.get(socket, "writable") !== true) return false
  const opened: Opened = (error, channel) => {
    if (error !== undefined || channel === undefined) return done(Result.fail(error ?? new Error("no channel")))
    const internals = internalsOf(channel)
    if (internals !== undefined) return done(Result.succeed(preopened(channel, internals, protocol)))
    channel.close()
    done(Result.fail(new Error("unexpected channel")))
  }
  opened.type = "session"
  const id = (channels as Channels).add(opened)
  if (id < 0) return false
  protocol.session(id, INITIAL_WINDOW, PACKET_SIZE)
  return true
}

/** Lets the host send more on one channel. */
export interface Window {
  /** Says that so many bytes were consumed; the host is told when they come to an eighth of the window. */
  readonly consumed: (bytes: number) => void
}

/**
 * Takes the window of a channel over: it grows to `bytes` once the first 256 KiB were consumed, so that a short answer
 * costs no packet more, and from then on follows what was consumed. The host never has leave to send more than `bytes`
 * beyond that. The caller must answer `push` with false, which keeps the library from adjusting the window too.
 *
 * On a link with a delay, a channel passes at most the window in each round trip: 2 MiB, of which the library opens
 * half at a time, are 20 MB/s at 50 ms. Undefined when the library is not as expected.
 */
export const largeWindow = (channel: ClientChannel, bytes: number): Window | undefined => {
  const internals = internalsOf(channel)
  const protocol = protocolOf(Reflect.get(channel, "_client"), "channelWindowAdjust")
  if (internals === undefined || protocol === undefined) return undefined
  const { incoming, outgoing } = internals
  let pending = Math.max(0, bytes - incoming.window)
  let next = pending + Math.min(256 * 1024, bytes / 8)
  return {
    consumed: (count) => {
      pending += count
      if (pending < next) return
      // After the host's end of the stream there is nothing left to let through.
      if (incoming.state === "open" && outgoing.state !== "closed") {
        incoming.window += pending
        protocol.channelWindowAdjust(outgoing.id, pending)
      }
      pending = 0
      next = bytes / 8
    }
  }
}

/** Whether the host itself closed the channel, and not only its streams (RFC 4254 §5.3). Undefined when unknown. */
export const isClosedByHost = (channel: ClientChannel): boolean | undefined => {
  const internals = internalsOf(channel)
  return internals === undefined ? undefined : internals.incoming.state === "closed"
}

/**
 * Ends a client and its TCP connection at once. The library leaves a socket that it ended to the other side, and its
 * `destroy` does nothing then: a host that does not answer would hold it for minutes, one that does not want to for good.
 */
export const closeClient = (client: Client): void => {
  const socket: unknown = Reflect.get(client, "_sock")
  client.end()
  client.destroy()
  if (socket instanceof Socket) socket.destroy()
}

/** Signals that the protocol has a name for (RFC 4254 §6.10). */
const SIGNALS = /^(?:ABRT|ALRM|FPE|HUP|ILL|INT|KILL|PIPE|QUIT|SEGV|TERM|USR1|USR2)$/

/**
 * Sends a signal to the command of a channel, also after the end of its stdin, where ssh2's own `signal` does nothing.
 * There is no answer: the server may ignore it (RFC 4254 §6.9). False when it was not sent.
 */
export const signalAfterEnd = (channel: ClientChannel, name: string): boolean => {
  const internals = internalsOf(channel)
  const protocol = protocolOf(Reflect.get(channel, "_client"), "signal")
  if (internals === undefined || protocol === undefined || !SIGNALS.test(name)) return false
  const { id, state } = internals.outgoing
  if (state !== "open" && state !== "eof") return false
  protocol.signal(id, name)
  return true
}
