import type { Duration, Effect, Scope, Stream } from "effect"
import { Context } from "effect"
import type { SshError } from "./errors.ts"
import type { Target } from "./Target.ts"

/** One piece of output as it came from the host: raw bytes of one of the two streams. */
export interface OutputChunk {
  readonly stream: "stdout" | "stderr"
  readonly bytes: Uint8Array
}

/** How a remote command ended: an exit code, or the signal that killed it (without `SIG`, as in RFC 4254 §6.10). */
export type RemoteExit =
  | { readonly _tag: "Exited"; readonly code: number }
  | { readonly _tag: "Signalled"; readonly signal: string }

/**
 * One session channel with a command running on it. It lives in the Scope that `exec` was given; closing that Scope
 * closes the channel and stops nothing on the host (see `RemoteProcess.stop`).
 */
export interface RemoteChannel {
  /**
   * Both streams interleaved in arrival order, pulled: a slow consumer closes the SSH window. Ends when both streams
   * ended, or shortly after the exit status when a background child keeps them open. To be run once.
   */
  readonly output: Stream.Stream<OutputChunk, SshError>
  /** The exit status. Fails with `ConnectionLost` when the channel closed without one: the outcome is unknown. */
  readonly exit: Effect.Effect<RemoteExit, SshError>
  /** Resolves once the channel is closed, whatever the reason; never fails. */
  readonly closed: Effect.Effect<void>
}

/**
 * A TCP connection that a jump host makes on our behalf (a `direct-tcpip` channel, RFC 4254 §7.2). Only the transport
 * that made it can use it.
 */
export interface Tunnel {
  /** The alias of the jump host. */
  readonly through: string
}

/** An authenticated connection whose host key was verified. It lives in the Scope that `connect` was given. */
export interface Connection {
  /**
   * Opens a session channel and runs `command` through the login shell. stdin is `input`, or at its end from the start.
   * Fails with `ChannelRefused` when the server opens no session (the command never ran), or `ConnectionLost`.
   */
  readonly exec: (command: string, input?: Uint8Array) => Effect.Effect<RemoteChannel, SshError, Scope.Scope>
  /**
   * Has the host connect to `address`, which can be a name that it resolves. Closing the Scope ends the tunnel. Fails with
   * `JumpHostFailed` when this host forwards nothing or is gone; else with what it says about the destination:
   * `ConnectionRefused`, `ConnectTimeout`, `NetworkUnreachable`, `ResolutionFailed`.
   */
  readonly forward: (address: string, port: number) => Effect.Effect<Tunnel, SshError, Scope.Scope>
  /**
   * Whether a session channel may be kept open for the next `exec`, which then takes one round trip instead of two. It holds
   * one of the host's sessions (MaxSessions). Not there when the transport cannot.
   */
  readonly keepReady?: (wanted: boolean) => Effect.Effect<void>
  /** Resolves when the connection is gone, with the error that new commands on it would get; never fails. */
  readonly lost: Effect.Effect<SshError>
}

/** The ways to authenticate, as a person calls them. */
export type AuthMethod =
  | "certificate"
  | "key"
  | "agent's certificate"
  | "agent's key"
  | "password"
  | "keyboard-interactive"

/** What an attempt to connect came past, in this order. */
export type ConnectStep =
  /** known_hosts, keys and the agent were read; from here on the network is waited for. */
  | { readonly _tag: "Prepared" }
  /** The TCP connection is there, or the jump host's to the target. */
  | { readonly _tag: "Connected" }
  /** The server sent its host key. `software` is what it says it is (RFC 4253 §4.2): untrusted, "" when unknown. */
  | { readonly _tag: "KeyExchanged"; readonly software: string }
  /** The key is a known one, at `knownAt` (`FILE:LINE`), and the server holds its private part. */
  | { readonly _tag: "HostKeyVerified"; readonly key: string; readonly knownAt: string }
  /** `methods` are those that the server accepted, in order: several where it wants more than one. */
  | { readonly _tag: "Authenticated"; readonly methods: ReadonlyArray<AuthMethod> }

/** Told of each step at the moment it is done. Called from within the library: must not throw. */
export type ConnectObserver = (step: ConnectStep) => void

/** Makes SSH connections. The live implementation is `Ssh2Transport`; simulations provide their own. */
export class Transport extends Context.Service<
  Transport,
  {
    /**
     * Connects, verifies the host key, authenticates: all within `budget`. Interruptible. For a target with `via`,
     * `through` is a connection to that jump host, which must outlive this one; without it the connect fails. `observe`
     * is told how far it came.
     */
    readonly connect: (
      target: Target,
      budget: Duration.Duration,
      through?: Connection,
      observe?: ConnectObserver
    ) => Effect.Effect<Connection, SshError, Scope.Scope>
  }
>()("mcp-ssh-orchestrator/ssh/Transport") {}
