import { Deferred, Duration, Effect, FileSystem, Layer } from "effect"
import type { Scope } from "effect"
import type { Algorithms, AnyAuthMethod, Client } from "ssh2"
import { authMethods, makeKeyParser } from "./AuthMethods.ts"
import { type SshError, sshError } from "./errors.ts"
import { makeHostKeyCheck } from "./HostKeyCheck.ts"
import type { KnownHost } from "./KnownHosts.ts"
import { readKnownHosts } from "./KnownHostsFile.ts"
import { connectFailure } from "./SshFailures.ts"
import type { ConnectPhase, LibraryError } from "./SshFailures.ts"
import { execOn } from "./Ssh2Channel.ts"
import type { Target } from "./Target.ts"
import { Transport } from "./Transport.ts"
import type { Connection } from "./Transport.ts"

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
  ({ default: { Client, utils } }) => ({ Client, parseKey: makeKeyParser(utils) })
)

/** Connects and authenticates `client`; every event of its life ends up in the returned effect or in `lost`. */
const handshake = (
  client: Client,
  target: Target,
  known: ReadonlyArray<KnownHost>,
  methods: ReadonlyArray<AnyAuthMethod>
): Effect.Effect<Connection, SshError> =>
  Effect.callback((resume) => {
    const lost = Deferred.makeUnsafe<SshError>()
    let phase: ConnectPhase = "connecting"
    let reason: SshError | undefined
    let isLost = false
    const hostKey = makeHostKeyCheck(target, known)

    const explain = (error: LibraryError): SshError =>
      hostKey.refusal() ??
      hostKey.explain(error.message) ??
      sshError(target.alias, connectFailure(phase, error), error.message)

    const connection: Connection = {
      exec: execOn(client, target, () => isLost),
      lost: Deferred.await(lost)
    }

    client.on("connect", () => client.setNoDelay(true))
    client.on("handshake", () => {
      if (phase === "connecting") phase = "authenticating"
    })
    client.on("ready", () => {
      phase = "open"
      reason = undefined
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
      isLost = true
      const why = reason ?? explain({ message: "the server closed the connection" })
      if (phase !== "open") resume(Effect.fail(why))
      Deferred.doneUnsafe(lost, Effect.succeed(why))
    })

    const remaining = [...methods]
    try {
      client.connect({
        host: target.address,
        port: target.port,
        username: target.login.username,
        readyTimeout: 0,
        keepaliveInterval: KEEPALIVE_MILLIS,
        keepaliveCountMax: KEEPALIVE_COUNT,
        hostVerifier: hostKey.verify,
        // Without compression, which would let the sizes of output tell its content.
        algorithms: { serverHostKey: hostKey.algorithms, hmac: MACS, compress: ["none"] },
        authHandler: (left: ReadonlyArray<string> | null, _partial, next) => {
          // `left` is null before the first attempt, and then what the server still accepts.
          const at = remaining.findIndex((method) => left === null || left.includes(method.type))
          const [method] = at < 0 ? [] : remaining.splice(at, 1)
          ;(next as (method: AnyAuthMethod | false) => void)(method ?? false)
        }
      })
    } catch (error) {
      resume(
        Effect.fail(sshError(target.alias, "ProtocolError", error instanceof Error ? error.message : String(error)))
      )
    }
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
      const context = yield* Effect.context<FileSystem.FileSystem>()
      const library = yield* Effect.cached(loadLibrary)
      yield* Effect.forkScoped(library)

      const open = Effect.fn("Transport.open")(function* (target: Target) {
        const known = yield* Effect.provideContext(readKnownHosts(target), context)
        const { Client, parseKey } = yield* library
        const methods = yield* Effect.fromResult(authMethods(target, parseKey))
        const client = yield* Effect.acquireRelease(
          Effect.sync(() => new Client()),
          (client) =>
            Effect.sync(() => {
              client.end()
              client.destroy()
            })
        )
        return yield* handshake(client, target, known, methods)
      })

      const connect = Effect.fn("Transport.connect")(
        (target: Target, budget: Duration.Duration): Effect.Effect<Connection, SshError, Scope.Scope> =>
          Effect.timeoutOrElse(open(target), {
            duration: budget,
            orElse: () =>
              Effect.fail(sshError(target.alias, "ConnectTimeout", `no connection to ${target.address} in time`))
          })
      )
      return Transport.of({ connect })
    })
  ) satisfies Layer.Layer<Transport, never, FileSystem.FileSystem>
}
