import { Deferred, Duration, Effect, FileSystem, Layer } from "effect"
import type { Scope } from "effect"
import type { Algorithms, AnyAuthMethod, Client } from "ssh2"
import { type Authentication, makeAuthentication } from "../auth/AuthMethods.ts"
import { type SshError, sshError } from "../errors.ts"
import { makeHostKeyCheck } from "../trust/HostKeyCheck.ts"
import type { KnownHosts } from "../trust/KnownHosts.ts"
import { makeKnownHostsReader } from "../trust/KnownHostsFile.ts"
import { connectFailure } from "../SshFailures.ts"
import type { ConnectPhase, LibraryError } from "../SshFailures.ts"
import { makeSessions } from "./Ssh2Channel.ts"
import { callLibrary } from "./Ssh2Call.ts"
import { corkWrites, keyObjects } from "./Ssh2Packets.ts"
import { closeClient, serverSoftware } from "./Ssh2Patches.ts"
import { signFirst } from "./Ssh2Signing.ts"
import { forwardOn, Ssh2Tunnel } from "./Ssh2Tunnel.ts"
import type { Target } from "../Target.ts"
import { Transport } from "../Transport.ts"
import type { Connection, ConnectObserver } from "../Transport.ts"

/** Silence after which a keepalive is sent, and the number of unanswered ones that end a connection. */
const KEEPALIVE_MILLIS = 15_000
const KEEPALIVE_COUNT = 3

/** Without SHA-1 (RFC 9142). */
const MACS: Algorithms["hmac"] = [
  "hmac-sha2-256-etm@openssh.com",
  "hmac-sha2-512-etm@openssh.com",
  "hmac-sha2-256",
  "hmac-sha2-512"
]

/** The library, loaded with the first need: it takes as long to load as the rest of the server takes to start. */
const loadLibrary = Effect.map(
  Effect.promise(() => import("ssh2")),
  ({ default: { Client, OpenSSHAgent, utils } }) => ({
    Client,
    authenticate: makeAuthentication({ OpenSSHAgent, utils })
  })
)

/** What one handshake needs. */
interface Attempt {
  readonly client: Client
  readonly target: Target
  readonly known: KnownHosts
  readonly authentication: Authentication
  /** What to connect over; undefined for a TCP connection of our own. */
  readonly tunnel: Ssh2Tunnel | undefined
  readonly observe: ConnectObserver
}

const NOBODY: ConnectObserver = () => {}

/** Connects and authenticates `client`; every event of its life ends up in the returned effect or in `lost`. */
const handshake = ({
  authentication,
  client,
  known,
  observe,
  target,
  tunnel
}: Attempt): Effect.Effect<Connection, SshError> =>
  Effect.callback((resume) => {
    const lost = Deferred.makeUnsafe<SshError>()
    let phase: ConnectPhase = "connecting"
    let reason: SshError | undefined
    let lostBecause: SshError | undefined
    const hostKey = makeHostKeyCheck(target, known)

    /** A jump host that died takes everything behind it along, and the library says nothing but "closed" then. */
    const explainTunnel = (): SshError | undefined => {
      const failure = tunnel?.jumpHostFailure()
      return failure !== undefined && phase === "open"
        ? sshError(target.alias, "ConnectionLost", `jump host ${failure.alias}: ${failure.detail}`)
        : failure
    }
    const explain = (error: LibraryError): SshError =>
      hostKey.refusal() ??
      explainTunnel() ??
      hostKey.explain(error.message) ??
      authentication.explain(sshError(target.alias, connectFailure(phase, error), error.message))

    const sessions = makeSessions(client, target, () => lostBecause !== undefined)
    const connection: Connection = {
      exec: sessions.exec,
      keepReady: sessions.keepReady,
      forward: forwardOn({ client, alias: target.alias, lostBecause: () => lostBecause }),
      lost: Deferred.await(lost)
    }
    if (tunnel?.isClosed() === true) {
      return resume(Effect.fail(explain({ message: "the tunnel closed before the handshake" })))
    }

    client.on("connect", () => {
      client.setNoDelay(true)
      observe({ _tag: "Connected" })
    })
    client.on("handshake", () => {
      if (phase !== "connecting") return
      phase = "authenticating"
      const accepted = hostKey.accepted()
      if (accepted !== undefined) observe({ _tag: "HostKeyVerified", ...accepted })
    })
    client.on("ready", () => {
      phase = "open"
      reason = undefined
      observe({ _tag: "Authenticated", methods: authentication.accepted() })
      resume(Effect.succeed(connection))
    })
    client.on("change password", () => {
      resume(Effect.fail(sshError(target.alias, "AuthenticationFailed", "the server asks for a new password")))
      client.end()
    })
    // Errors can follow the end of a connection; without a listener they would end the process.
    client.on("error", (error: Error & { readonly level?: unknown; readonly code?: unknown }) => {
      if (error.level === "agent") return
      reason ??= explain(error)
      if (phase !== "open") resume(Effect.fail(reason))
    })
    client.on("close", () => {
      const why = reason ?? explain({ message: "the server closed the connection" })
      lostBecause = why
      if (phase !== "open") resume(Effect.fail(why))
      Deferred.doneUnsafe(lost, Effect.succeed(why))
    })

    callLibrary(
      () => {
        client.connect({
          ...(tunnel === undefined ? { host: target.address, port: target.port } : { sock: tunnel.stream }),
          username: target.login.username,
          readyTimeout: 0,
          keepaliveInterval: KEEPALIVE_MILLIS,
          keepaliveCountMax: KEEPALIVE_COUNT,
          hostVerifier: (key: Buffer, answer: (accepted: boolean) => void): void => {
            if (phase === "connecting") observe({ _tag: "KeyExchanged", software: serverSoftware(client) })
            hostKey.verify(key, answer)
          },
          // Without compression, which would let the sizes of output tell its content.
          algorithms: { serverHostKey: hostKey.algorithms, hmac: MACS, compress: ["none"] },
          authHandler: (left: ReadonlyArray<string> | null, partial: boolean | null, next) => {
            ;(next as (method: AnyAuthMethod | false) => void)(authentication.next(left, partial))
          }
        })
        signFirst(client)
        keyObjects(client)
        corkWrites(client)
      },
      (message) => resume(Effect.fail(sshError(target.alias, "ProtocolError", message)))
    )
  })

/**
 * The live `Transport`: the ssh2 library. It and Ssh2Channel alone know the library and have callbacks.
 *
 * Host keys are always verified, against a known_hosts that is read at each connect. A connection is ended by
 * keepalives after a minute of silence.
 */
export const Ssh2Transport = {
  /** Needs the file system for known_hosts. */
  layer: Layer.effect(
    Transport,
    Effect.gen(function* () {
      const readKnownHosts = yield* makeKnownHostsReader
      const library = yield* Effect.cached(loadLibrary)
      yield* Effect.forkScoped(library)

      /** The way to a target that is not ours to connect to. What the jump host says of the target is about the target. */
      const tunnelTo = Effect.fnUntraced(function* (target: Target, through: Connection | undefined) {
        if (target.via === undefined) return undefined
        const { alias } = target.via
        if (through === undefined) return yield* sshError(alias, "JumpHostFailed", "there is no connection to it")
        const tunnel = yield* Effect.mapError(through.forward(target.address, target.port), (error) =>
          error.failure === "JumpHostFailed"
            ? error
            : sshError(target.alias, error.failure, `${alias}: ${error.detail}`)
        )
        return tunnel instanceof Ssh2Tunnel
          ? tunnel
          : yield* sshError(alias, "JumpHostFailed", "its connection is not one of this transport")
      })

      const open = Effect.fn("Transport.open")(function* (
        target: Target,
        through: Connection | undefined,
        observe: ConnectObserver
      ) {
        const known = yield* readKnownHosts(target)
        const { authenticate, Client } = yield* library
        const authentication = yield* authenticate(target)
        observe({ _tag: "Prepared" })
        const tunnel = yield* tunnelTo(target, through)
        const client = yield* Effect.acquireRelease(
          Effect.sync(() => new Client()),
          (client) => Effect.sync(() => closeClient(client))
        )
        return yield* handshake({ client, target, known, authentication, tunnel, observe })
      })

      const connect = Effect.fn("Transport.connect")(
        (
          target: Target,
          budget: Duration.Duration,
          through?: Connection,
          observe: ConnectObserver = NOBODY
        ): Effect.Effect<Connection, SshError, Scope.Scope> =>
          Effect.timeoutOrElse(open(target, through, observe), {
            duration: budget,
            orElse: () =>
              Effect.fail(sshError(target.alias, "ConnectTimeout", `no connection to ${target.address} in time`))
          })
      )
      return Transport.of({ connect })
    })
  ) satisfies Layer.Layer<Transport, never, FileSystem.FileSystem>
}
