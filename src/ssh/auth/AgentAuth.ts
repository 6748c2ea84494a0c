import type { Duplex } from "node:stream"
import { Duration, Effect, type Scope } from "effect"
import type { OpenSSHAgent, ParsedKey, SignCallback, SigningRequestOptions } from "ssh2"
import type { AuthAttempt } from "./AuthSequence.ts"
import { type SshError, sshError } from "../errors.ts"

/** How long an agent may take to list its keys; a local one takes a millisecond, a forwarded one a round trip. */
const LIST_BUDGET = Duration.seconds(3)

/** The agent of the library; its constructor takes the path of the socket. */
export type Agent = typeof OpenSSHAgent

/** What of an agent's keys to offer to a server. */
export interface AgentChoice {
  /** At most so many keys: a server ends the connection after MaxAuthTries (6) failures. */
  readonly limit: number
  /** The wire form of the key to offer first, when the agent has it. */
  readonly preferred: Uint8Array | undefined
  /** Wire forms of keys that are tried anyway, without the agent. */
  readonly tried: ReadonlyArray<Uint8Array>
}

/** The keys to offer, in order: the preferred one, then the others as the agent lists them. */
export const chooseKeys = <Key extends Pick<ParsedKey, "getPublicSSH">>(
  keys: ReadonlyArray<Key>,
  { limit, preferred, tried }: AgentChoice
): ReadonlyArray<Key> => {
  const is = (key: Key, wire: Uint8Array | undefined) => wire !== undefined && key.getPublicSSH().equals(wire)
  const untried = keys.filter((key) => !tried.some((wire) => is(key, wire)))
  return [...untried.filter((key) => is(key, preferred)), ...untried.filter((key) => !is(key, preferred))].slice(
    0,
    limit
  )
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
}

/** An attempt with one key of the agent: the library would not say which of several keys a server took. */
const attemptWith = (Agent: Agent, socket: string, username: string, key: ParsedKey): AuthAttempt => {
  let signed = false
  class OneKey extends Agent {
    override getIdentities(done: Parameters<OpenSSHAgent["getIdentities"]>[0]): void {
      done(undefined, [key])
    }
    override sign(
      publicKey: Parameters<OpenSSHAgent["sign"]>[0],
      data: Buffer,
      options?: SigningRequestOptions | SignCallback,
      done?: SignCallback
    ): boolean {
      signed = true
      return typeof options === "function"
        ? super.sign(publicKey, data, options)
        : super.sign(publicKey, data, options, done)
    }
  }
  return { method: { type: "agent", username, agent: new OneKey(socket) }, hasSigned: () => signed }
}

/**
 * The attempts with the keys of an agent (ssh-agent(1)). Keys that the library cannot use are not among them: FIDO
 * keys, and certificates that were added to the agent.
 *
 * Fails with `AgentUnavailable` when there is no socket or nothing answers on it in `LIST_BUDGET`, and with
 * `AgentEmpty` when no key is usable.
 */
export const agentAttempts = Effect.fn("AgentAuth.attempts")(function* (
  Agent: Agent,
  {
    alias,
    socket,
    username
  }: { readonly alias: string; readonly socket: string | undefined; readonly username: string },
  choice: AgentChoice
): Effect.fn.Return<AgentAttempts, SshError, Scope.Scope> {
  const unavailable = (detail: string) => sshError(alias, "AgentUnavailable", detail)
  if (socket === undefined) return yield* Effect.fail(unavailable("SSH_AUTH_SOCK is not set in our environment"))
  const Scoped = yield* scopedAgent(Agent)
  const keys = yield* Effect.callback<ReadonlyArray<ParsedKey>, SshError>((resume) => {
    new Scoped(socket).getIdentities((error, found) => {
      const usable = (found ?? []).filter((key): key is ParsedKey => typeof key === "object" && "getPublicSSH" in key)
      resume(error instanceof Error ? Effect.fail(unavailable(error.message)) : Effect.succeed(usable))
    })
  }).pipe(
    Effect.timeoutOrElse({
      duration: LIST_BUDGET,
      orElse: () => Effect.fail(unavailable("the agent did not list its keys in time"))
    })
  )
  if (keys.length === 0) return yield* Effect.fail(sshError(alias, "AgentEmpty", "the agent lists no usable key"))
  const offered = chooseKeys(keys, choice)
  return {
    attempts: offered.map((key) => attemptWith(Scoped, socket, username, key)),
    leftOut: chooseKeys(keys, { ...choice, limit: keys.length }).length - offered.length
  }
})
