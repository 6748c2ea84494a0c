import type { Duplex } from "node:stream"
import { Clock, Duration, Effect, Result, type Scope } from "effect"
import type { OpenSSHAgent, SignCallback, SigningRequestOptions } from "ssh2"
import { listIdentities } from "./AgentIdentities.ts"
import { type AgentKey, readIdentity } from "./AgentKey.ts"
import type { AuthAttempt } from "./AuthSequence.ts"
import type { Agent, AuthLibrary } from "./AuthLibrary.ts"
import { type SshError, sshError } from "../errors.ts"

/** How long an agent may take to list its keys; a local one takes a millisecond, a forwarded one a round trip. */
const LIST_BUDGET = Duration.seconds(3)

/** What of an agent's keys to offer to a server. */
export interface AgentChoice {
  /** At most so many keys: a server ends the connection after MaxAuthTries (6) failures. */
  readonly limit: number
  /** The wire form of the key to offer first, when the agent has it. */
  readonly preferred: Uint8Array | undefined
  /** Wire forms of keys that are tried anyway, without the agent. */
  readonly tried: ReadonlyArray<Uint8Array>
}

/** What is looked at to choose among keys. */
interface Choosable {
  readonly publicKey: Uint8Array
  readonly certificate: boolean
}

/**
 * The keys to offer, in order: the preferred one before the others, certificates before keys, else as the agent lists
 * them. A key that is tried anyway is left out, but not its certificate.
 */
export const chooseKeys = <Key extends Choosable>(
  keys: ReadonlyArray<Key>,
  { limit, preferred, tried }: AgentChoice
): ReadonlyArray<Key> => {
  const is = ({ publicKey }: Key, wire: Uint8Array | undefined) =>
    wire !== undefined && Buffer.from(publicKey).equals(wire)
  const rank = (key: Key): number => (is(key, preferred) ? 0 : 2) + (key.certificate ? 0 : 1)
  return keys
    .filter((key) => key.certificate || !tried.some((wire) => is(key, wire)))
    .toSorted((a, b) => rank(a) - rank(b))
    .slice(0, limit)
}

/** The library's agent, its streams ended with the Scope: by itself it would wait for an answer for ever. */
const scopedAgent = (Agent: Agent) => {
  const streams = new Set<Duplex>()
  class ScopedAgent extends Agent {
    override getStream(done: Parameters<OpenSSHAgent["getStream"]>[0]): void {
      super.getStream((error, stream) => {
        if (stream !== undefined) {
          streams.add(stream)
          stream.once("close", () => streams.delete(stream))
        }
        done(error, stream)
      })
    }
  }
  const close = Effect.sync(() => {
    for (const stream of streams) stream.destroy()
  })
  return Effect.as(
    Effect.addFinalizer(() => close),
    ScopedAgent
  )
}

/** What comes of an agent. */
export interface AgentAttempts {
  /** None at all: every key of the agent is tried without it. */
  readonly attempts: ReadonlyArray<AuthAttempt>
  /** Usable keys that the agent holds and that are above the limit. */
  readonly leftOut: number
  /** Why certificates that the agent holds are not among them: expired, of a host, with a forced command. */
  readonly unusable: ReadonlyArray<SshError>
}

/** An attempt with one key of the agent: the library would not say which of several keys a server took. */
const attemptWith = (Agent: Agent, socket: string, username: string, key: AgentKey): AuthAttempt => {
  let signed = false
  class OneKey extends Agent {
    override getIdentities(done: Parameters<OpenSSHAgent["getIdentities"]>[0]): void {
      done(undefined, [key.offered])
    }
    override sign(
      _publicKey: Parameters<OpenSSHAgent["sign"]>[0],
      data: Buffer,
      options?: SigningRequestOptions | SignCallback,
      done?: SignCallback
    ): boolean {
      signed = true
      const callback = typeof options === "function" ? options : done
      const asked = typeof options === "function" ? {} : options
      return super.sign(key.signer, data, { ...asked, ...key.signing }, callback)
    }
  }
  return {
    label: key.certificate ? "agent's certificate" : "agent's key",
    method: { type: "agent", username, agent: new OneKey(socket) },
    hasSigned: () => signed
  }
}

/**
 * The attempts with the keys and certificates of an agent (ssh-agent(1)). What the library cannot use is not among them:
 * FIDO keys.
 *
 * Fails with `AgentUnavailable` when there is no socket or nothing answers on it in `LIST_BUDGET`; when nothing that it
 * holds is usable, with what is wrong with a certificate or else with `AgentEmpty`.
 */
export const agentAttempts = Effect.fn("AgentAuth.attempts")(function* (
  { OpenSSHAgent, utils }: AuthLibrary,
  {
    alias,
    socket,
    username
  }: { readonly alias: string; readonly socket: string | undefined; readonly username: string },
  choice: AgentChoice
): Effect.fn.Return<AgentAttempts, SshError, Scope.Scope> {
  const unavailable = (detail: string) => sshError(alias, "AgentUnavailable", detail)
  if (socket === undefined) return yield* Effect.fail(unavailable("SSH_AUTH_SOCK is not set in our environment"))
  const Scoped = yield* scopedAgent(OpenSSHAgent)
  const connected = Effect.callback<Duplex, string>((resume) => {
    new Scoped(socket).getStream((error, stream) => {
      resume(stream === undefined ? Effect.fail(error?.message ?? "no connection to it") : Effect.succeed(stream))
    })
  })
  const blobs = yield* Effect.flatMap(connected, listIdentities).pipe(
    Effect.mapError(unavailable),
    Effect.timeoutOrElse({
      duration: LIST_BUDGET,
      orElse: () => Effect.fail(unavailable("the agent did not list its keys in time"))
    })
  )
  const now = yield* Clock.currentTimeMillis
  const keys: Array<AgentKey> = []
  const unusable: Array<SshError> = []
  for (const blob of blobs) {
    const read = readIdentity(utils, alias, blob, now)
    if (read === undefined) continue
    if (Result.isFailure(read)) unusable.push(read.failure)
    else keys.push(read.success)
  }
  if (keys.length === 0) {
    return yield* Effect.fail(unusable[0] ?? sshError(alias, "AgentEmpty", "the agent lists no usable key"))
  }
  const offered = chooseKeys(keys, choice)
  return {
    attempts: offered.map((key) => attemptWith(Scoped, socket, username, key)),
    leftOut: chooseKeys(keys, { ...choice, limit: keys.length }).length - offered.length,
    unusable
  }
})
