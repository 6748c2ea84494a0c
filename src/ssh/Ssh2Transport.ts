import { Deferred, Duration, Effect, FileSystem, Layer, Redacted, Result } from "effect"
import type { Scope } from "effect"
import type { Algorithms, AnyAuthMethod, Client, ParsedKey, ServerHostKeyAlgorithm, utils as Utilities } from "ssh2"
import type { Login } from "../config/Credential.ts"
import { type SshError, sshError, type SshFailure } from "./errors.ts"
import { knownKeyTypes, verifyHostKey } from "./KnownHosts.ts"
import type { KnownHost } from "./KnownHosts.ts"
import { readKnownHosts } from "./KnownHostsFile.ts"
import { connectFailure, keyFailure } from "./SshFailures.ts"
import type { ConnectPhase, LibraryError } from "./SshFailures.ts"
import { execOn } from "./Ssh2Channel.ts"
import type { Target } from "./Target.ts"
import { Transport } from "./Transport.ts"
import type { Connection } from "./Transport.ts"

/** Silence after which a keepalive is sent, and the number of unanswered ones that end a connection. */
const KEEPALIVE_MILLIS = 15_000
const KEEPALIVE_COUNT = 3
/** Parsed keys kept; the oldest goes first. Decrypting one takes up to 300 ms of the event loop. */
const MAX_PARSED_KEYS = 256

/** Without SHA-1 signatures and MACs (RFC 9142) and without compression, which would let output sizes tell its content. */
const HOST_KEY_ALGORITHMS: ReadonlyArray<ServerHostKeyAlgorithm> = [
  "ssh-ed25519",
  "ecdsa-sha2-nistp256",
  "ecdsa-sha2-nistp384",
  "ecdsa-sha2-nistp521",
  "rsa-sha2-512",
  "rsa-sha2-256"
]
const MACS: Algorithms["hmac"] = [
  "hmac-sha2-256-etm@openssh.com",
  "hmac-sha2-512-etm@openssh.com",
  "hmac-sha2-256",
  "hmac-sha2-512"
]

/** The signature algorithms to offer for a host: those of its stored key types, or all when nothing usable is stored. */
const hostKeyAlgorithms = (types: ReadonlyArray<string>): Array<ServerHostKeyAlgorithm> => {
  const wanted = types.flatMap((type) => (type === "ssh-rsa" ? ["rsa-sha2-512", "rsa-sha2-256"] : [type]))
  const offered = wanted.flatMap((type) => HOST_KEY_ALGORITHMS.filter((algorithm) => algorithm === type))
  return offered.length > 0 ? offered : [...HOST_KEY_ALGORITHMS]
}

/** The library, loaded with the first need: it takes as long to load as the rest of the server takes to start. */
const loadLibrary = Effect.map(
  Effect.promise(() => import("ssh2")),
  ({ default: { Client, utils } }) => ({ Client, parseKey: makeKeyParser(utils) })
)

/** Parses private keys, each once: keyed by the login's digest, which changes with the key and its passphrase. */
const makeKeyParser = (utils: typeof Utilities) => {
  const parsed = new Map<string, ParsedKey>()
  return (target: Target, key: NonNullable<Login["key"]>): Result.Result<ParsedKey, SshError> => {
    const known = parsed.get(target.login.digest)
    if (known !== undefined) return Result.succeed(known)
    const pem = Redacted.value(key.pem)
    const passphrase = key.passphrase === undefined ? undefined : Redacted.value(key.passphrase)
    const answer: unknown = utils.parseKey(pem, passphrase)
    const first: unknown = Array.isArray(answer) ? answer[0] : answer
    if (first instanceof Error || first === undefined) {
      const message = first?.message ?? "the file holds no key"
      return Result.fail(sshError(target.alias, keyFailure(message, passphrase !== undefined), message))
    }
    const usable = first as ParsedKey
    if (!usable.isPrivateKey()) return Result.fail(sshError(target.alias, "KeyFormatInvalid", "not a private key"))
    const oldest = parsed.size >= MAX_PARSED_KEYS ? parsed.keys().next().value : undefined
    if (oldest !== undefined) parsed.delete(oldest)
    parsed.set(target.login.digest, usable)
    return Result.succeed(usable)
  }
}

/** The authentication attempts of a login, in order: key, password, keyboard-interactive answered by the password. */
const authMethods = (
  target: Target,
  parseKey: ReturnType<typeof makeKeyParser>
): Result.Result<ReadonlyArray<AnyAuthMethod>, SshError> => {
  const { key, password, username } = target.login
  const methods: Array<AnyAuthMethod> = []
  if (key !== undefined) {
    const parsed = parseKey(target, key)
    if (Result.isFailure(parsed)) return Result.fail(parsed.failure)
    methods.push({ type: "publickey", username, key: parsed.success })
  }
  if (password !== undefined) {
    methods.push(
      { type: "password", username, password: Redacted.value(password) },
      {
        type: "keyboard-interactive",
        username,
        // A prompt that echoes asks for something else than the password.
        prompt: (_name, _instructions, _language, prompts, answer) =>
          answer(prompts.map((prompt) => (prompt.echo === true ? "" : Redacted.value(password))))
      }
    )
  }
  return methods.length === 0
    ? Result.fail(sshError(target.alias, "NoAuthenticationMethod", "neither key nor password"))
    : Result.succeed(methods)
}

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
    let acceptedKey: Buffer | undefined
    let refusal: SshError | undefined

    const storedTypes = knownKeyTypes(known, target)
    const algorithms = hostKeyAlgorithms(storedTypes)

    const explain = (error: LibraryError): SshError => {
      if (refusal !== undefined) return refusal
      if (error.message.includes("no matching host key format") && storedTypes.length > 0) {
        return sshError(
          target.alias,
          "HostKeyMismatch",
          `the host has no key of the stored types ${storedTypes.join(", ")}`
        )
      }
      return sshError(target.alias, connectFailure(phase, error), error.message)
    }

    const refuse = (kind: SshFailure, detail: string): boolean => {
      refusal = sshError(target.alias, kind, detail)
      return false
    }
    const accepts = (key: Buffer): boolean => {
      // ssh2 asks again at every rekey, where only the same key may pass.
      if (acceptedKey !== undefined) return key.equals(acceptedKey)
      const verdict = verifyHostKey(known, target, key)
      switch (verdict._tag) {
        case "Trusted":
          acceptedKey = Buffer.from(key)
          return true
        case "Revoked":
          return refuse("HostKeyRevoked", `known_hosts line ${verdict.line}`)
        case "Mismatch":
          return refuse("HostKeyMismatch", `known_hosts line ${verdict.line}`)
        case "Unknown":
          return refuse("HostKeyUnknown", `no entry for ${target.hostname} or ${target.address}`)
      }
    }
    // Must answer at once (an answer during a rekey that comes later breaks the connection), by a boolean (ssh2 rejects
    // on the literal false only) and through the callback (a value that is returned is another answer).
    const hostVerifier = (key: Buffer, verify: (accepted: boolean) => void): void => {
      verify(accepts(key))
    }

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
        hostVerifier,
        algorithms: { serverHostKey: algorithms, hmac: MACS, compress: ["none"] },
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
