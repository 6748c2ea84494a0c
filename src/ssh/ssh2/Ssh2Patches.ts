import { Result } from "effect"
import { Socket } from "node:net"
import type { Client, ClientChannel } from "ssh2"
import { hasMethods, isObject, type Protocol, protocolOf } from "./Ssh2Internals.ts"

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

/** ssh2's own words for a command that the server refused. */
const REFUSED = "Unable to exec"

const preopened = (channel: ClientChannel, internals: ChannelInternals, protocol: Protocol): PreopenedSession => {
  const { incoming, outgoing } = internals
  const isOpen = () => incoming.state === "open" && outgoing.state === "open"
  const close = () => {
    channel.close()
    channel.resume()
    channel.stderr.resume()
  }
  channel.on("error", () => {})
  channel.stderr.on("error", () => {})
  return {
    isOpen,
    exec: (command, input, done) => {
      if (!isOpen()) return done(new Error(REFUSED))
      internals._callbacks.push((failed) => {
        // Also called when the channel closes, which is no answer: the command may have run.
        if (incoming.state === "closed") return done(new Error("the channel closed before the command was answered"))
        if (failed === true || failed instanceof Error) {
          close()
          return done(new Error(REFUSED))
        }
        internals.subtype = "exec"
        done(undefined, channel)
      })
      protocol.exec(outgoing.id, command, true)
      channel.end(input)
    },
    close
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

/** What the server says that it runs (`OpenSSH_9.2p1`), for a person; untrusted. "" when it is not known. */
export const serverSoftware = (client: Client): string => {
  const software: unknown = Reflect.get(client, "_remoteVer")
  return typeof software === "string" ? software : ""
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
