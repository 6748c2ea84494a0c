import { Effect } from "effect"
import { callLibrary } from "./Ssh2Call.ts"
import type { Client, ClientChannel } from "ssh2"
import { jumpHostFailed, type SshError, sshError, type SshFailure } from "../errors.ts"
import type { LibraryError } from "../SshFailures.ts"
import type { Tunnel } from "../Transport.ts"

/** The jump host's side of a tunnel: the connection that it runs on. */
export interface JumpHost {
  readonly client: Client
  readonly alias: string
  /** Why the connection is gone, once it is. */
  readonly lostBecause: () => SshError | undefined
}

/** A `direct-tcpip` channel of ssh2, to be the socket of another client. */
export class Ssh2Tunnel implements Tunnel {
  readonly through: string
  /** The bytes in both directions. */
  readonly stream: ClientChannel
  /** What became of the jump host, or undefined while its connection lives. */
  readonly jumpHostFailure: () => SshError | undefined
  /** Whether the channel was closed, by either side. */
  readonly isClosed: () => boolean

  constructor(host: JumpHost, stream: ClientChannel) {
    let closed = false
    this.through = host.alias
    this.stream = stream
    this.isClosed = () => closed
    this.jumpHostFailure = () => {
      const lost = host.lostBecause()
      return lost === undefined ? undefined : jumpHostFailed(lost)
    }
    stream.on("close", () => {
      closed = true
    })
    // Until a client listens; without a listener an error would end the process.
    stream.on("error", () => {})
  }
}

/** The reasons of a refused channel that are about the destination (RFC 4254 §5.1, SSH_OPEN_CONNECT_FAILED). */
const CONNECT_FAILED = 2

/** What sshd says about a destination: the texts of strerror(3) and gai_strerror(3). */
const destinationFailure = (message: string): SshFailure => {
  if (/refused/i.test(message)) return "ConnectionRefused"
  if (/timed? ?out/i.test(message)) return "ConnectTimeout"
  return /name|resol|no address|nodename/i.test(message) ? "ResolutionFailed" : "NetworkUnreachable"
}

/** Names what is behind a refused `direct-tcpip` channel: the destination, or the jump host itself. */
export const forwardFailure = (alias: string, error: LibraryError & { readonly reason?: unknown }): SshError =>
  error.reason === CONNECT_FAILED
    ? sshError(alias, destinationFailure(error.message), error.message)
    : sshError(alias, "JumpHostFailed", error.message)

/**
 * Lets sshd set TCP_NODELAY on its side of the connection, which it does when the first command of a connection starts
 * (`ssh_packet_set_interactive` of OpenSSH's packet.c) and never for tunnels alone: short answers through a tunnel would
 * each wait for a delayed acknowledgement, up to 44 ms. To be done once a connection, in the background; where no session
 * is opened for us it is refused and nothing is lost.
 */
const askForNoDelay = (client: Client): void => {
  client.exec("true", (error, channel) => {
    if (error !== undefined && error !== null) return
    channel.on("error", () => {})
    channel.on("exit", () => channel.close())
    channel.resume()
    channel.stderr.resume()
    channel.end()
  })
}

/** `Connection.forward` of the live transport. */
export const forwardOn = (host: JumpHost) => {
  let isTuned = false

  return Effect.fn("Connection.forward")(function* (address: string, port: number) {
    const open = Effect.callback<Ssh2Tunnel, SshError>((resume) => {
      const fail = (error: SshError) => resume(Effect.fail(error))
      const lost = host.lostBecause()
      if (lost !== undefined) return fail(jumpHostFailed(lost))
      let abandoned = false
      const call = () => {
        // The originator, which sshd only logs: ours is nobody's business there.
        host.client.forwardOut("127.0.0.1", 0, address, port, (error, stream) => {
          if (error !== undefined && error !== null) {
            const gone = host.lostBecause()
            return fail(gone === undefined ? forwardFailure(host.alias, error) : jumpHostFailed(gone))
          }
          const tunnel = new Ssh2Tunnel(host, stream)
          if (abandoned) stream.close()
          else resume(Effect.succeed(tunnel))
        })
        if (!isTuned) {
          isTuned = true
          askForNoDelay(host.client)
        }
      }
      callLibrary(call, (detail) => fail(jumpHostFailed(sshError(host.alias, "ConnectionLost", detail))))
      return Effect.sync(() => {
        abandoned = true
      })
    })
    return yield* Effect.acquireRelease(open, ({ stream }) => Effect.sync(() => stream.close()), {
      interruptible: true
    })
  })
}
