import { Effect, Exit } from "effect"
import type { Duration } from "effect"
import { jumpHostFailed, type SshError, type SshFailure, sshError } from "../../ssh/errors.ts"
import type { Target } from "../../ssh/Target.ts"
import type { Connection, ConnectObserver, Transport } from "../../ssh/Transport.ts"
import type { PlannedFault, Stage } from "./Faults.ts"
import { SimulatedConnection, SimulatedTunnel } from "./SimulatedConnection.ts"
import type { FleetContext, SimulatedHost } from "./SimulatedHost.ts"

/** What a handshake fails with that a fault ends at once. The details are those of the live transport and its library. */
const ENDINGS: Partial<Record<PlannedFault["kind"], { readonly failure: SshFailure; readonly detail: string }>> = {
  "connect-refused": { failure: "ConnectionRefused", detail: "connect ECONNREFUSED" },
  "network-unreachable": { failure: "NetworkUnreachable", detail: "connect EHOSTUNREACH" },
  "host-key-changed": { failure: "HostKeyMismatch", detail: "the server's key is not the known one" },
  "host-key-unknown": { failure: "HostKeyUnknown", detail: "the server's key is in no known_hosts" },
  "auth-failed": { failure: "AuthenticationFailed", detail: "All configured authentication methods failed" }
}

/** What a server that hangs up in a handshake comes to: a cause that passes, until it authenticates (SshFailures.ts). */
const hungUp = (stage: Stage, how: string): { readonly failure: SshFailure; readonly detail: string } =>
  stage === "auth" ? { failure: "AuthenticationFailed", detail: how } : { failure: "ProtocolError", detail: how }

const NOBODY: ConnectObserver = () => {}

/** What a transport needs to know of the fleet. */
export interface TransportOptions {
  readonly fleet: FleetContext
  /** The host at an address, or of a name that a jump host resolves; undefined when no host has it. */
  readonly find: (address: string, port: number) => SimulatedHost | undefined
}

/** Runs one handshake on a connection whose way is there. Leaves it open, or fails. */
const shakeHands = Effect.fnUntraced(function* (
  connection: SimulatedConnection,
  observe: ConnectObserver
): Effect.fn.Return<void, SshError> {
  const { host } = connection
  const { chances, plan } = host
  /** A connection ends in a handshake only with its jump host's, or with a host that is gone. */
  const explainEnd = (error: SshError): SshError =>
    connection.via === undefined || connection.via.isAlive
      ? sshError(plan.alias, "ProtocolError", error.detail)
      : jumpHostFailed(sshError(connection.via.host.plan.alias, "ConnectionLost", error.detail))
  const ended = Effect.flatMap(connection.lost, (error) => Effect.fail(explainEnd(error)))
  const trip = Effect.flatMap(connection.travel, () => (connection.isAlive ? Effect.void : ended))

  const stage = Effect.fnUntraced(function* (name: Stage): Effect.fn.Return<void, SshError> {
    const fault = chances.next(name)
    if (fault === undefined) return
    const fail = (why: { readonly failure: SshFailure; readonly detail: string }) => {
      chances.struck(fault)
      return Effect.fail(sshError(plan.alias, why.failure, why.detail))
    }
    const ending = ENDINGS[fault.kind]
    if (ending !== undefined) return yield* fail(ending)
    switch (fault.kind) {
      case "connection-drop":
        return yield* fail(hungUp(name, "read ECONNRESET"))
      case "handshake-dropped":
        return yield* fail(hungUp(name, "Connection lost before handshake"))
      case "connect-timeout":
      case "banner-hang":
        chances.struck(fault)
        return yield* ended
      case "slow-answer":
        chances.struck(fault)
        return yield* Effect.sleep(fault.millis)
      case "jump-host-dies":
        if (connection.via === undefined) return
        chances.struck(fault)
        connection.via.lose("ECONNRESET")
        return yield* ended
      default:
        yield* host.strikeNetwork(fault)
    }
  })

  yield* trip
  yield* stage("tcp")
  yield* connection.passage
  observe({ _tag: "Connected" })
  yield* stage("kex")
  yield* trip
  observe({ _tag: "KeyExchanged", software: "SimulatedSSH" })
  yield* stage("host-key")
  observe({ _tag: "HostKeyVerified", key: "simulated", knownAt: "known_hosts:1" })
  yield* stage("auth")
  yield* trip
  observe({ _tag: "Authenticated", methods: ["password"] })
})

/** Makes the transport over the hosts of a fleet. */
export const makeSimulatedTransport = ({ find, fleet }: TransportOptions): Transport["Service"] => {
  const { held, peaks } = fleet

  /** The way to the target: our own connection, or one that the jump host makes. */
  const tunnelTo = Effect.fnUntraced(function* (target: Target, through: Connection | undefined) {
    if (target.via === undefined) return undefined
    const { alias } = target.via
    if (through === undefined) return yield* sshError(alias, "JumpHostFailed", "there is no connection to it")
    const tunnel = yield* through.forward(target.address, target.port)
    return tunnel instanceof SimulatedTunnel
      ? tunnel.jump
      : yield* sshError(alias, "JumpHostFailed", "its connection is not one of this transport")
  })

  /** Finds the host, and opens the way to it. */
  const reach = Effect.fnUntraced(function* (target: Target, through: Connection | undefined) {
    const via = yield* tunnelTo(target, through)
    const host = find(target.address, target.port)
    // Nothing is there that would answer: as behind a firewall that drops packets.
    return host === undefined ? yield* Effect.never : new SimulatedConnection(host, via)
  })

  /**
   * To be run uninterruptibly: a handshake that began ends in an open connection, a failure, or is abandoned; never in none
   * of them.
   */
  const open = Effect.fnUntraced(function* (target: Target, through: Connection | undefined, observe: ConnectObserver) {
    observe({ _tag: "Prepared" })
    const connection = yield* Effect.interruptible(reach(target, through))
    const { host, via } = connection
    const about = { alias: host.plan.alias, connection: connection.id }
    fleet.observe({
      _tag: "ConnectStarted",
      ...about,
      address: target.address,
      ...(via === undefined ? {} : { via: via.host.plan.alias })
    })
    held.connecting++
    host.handshakes++
    peaks.handshakes = Math.max(peaks.handshakes, held.connecting)
    peaks.handshakesPerHost = Math.max(peaks.handshakesPerHost, host.handshakes)
    const exit = yield* Effect.exit(Effect.interruptible(shakeHands(connection, observe)))
    held.connecting--
    host.handshakes--
    if (Exit.isSuccess(exit)) {
      connection.open()
      return connection
    }
    connection.abandon()
    const failed = exit.cause.reasons.find((reason) => reason._tag === "Fail")
    if (failed === undefined) fleet.observe({ _tag: "ConnectAbandoned", ...about })
    else fleet.observe({ _tag: "ConnectFailed", ...about, failure: failed.error.failure })
    return yield* Effect.failCause(exit.cause)
  })

  return {
    connect: (target, budget: Duration.Duration, through, observe = NOBODY) =>
      Effect.acquireRelease(open(target, through, observe), (connection) => Effect.sync(() => connection.close())).pipe(
        Effect.map(({ api }) => api),
        Effect.timeoutOrElse({
          duration: budget,
          orElse: () =>
            Effect.fail(sshError(target.alias, "ConnectTimeout", `no connection to ${target.address} in time`))
        })
      )
  }
}
