import { Effect } from "effect"
import type { Scope } from "effect"
import { type FaultChances, type FaultRecorder, makeFaultChances } from "./FaultChances.ts"
import type { PlannedFault } from "./Faults.ts"
import type { HostObserver } from "./HostEvent.ts"
import type { HostPlan } from "./HostPlan.ts"
import { makeProcessTable, type ProcessTable, type SimulatedProcess } from "./ProcessTable.ts"
import type { SeededRandom } from "../world/SeededRandom.ts"
import type { SimulatedConnection } from "./SimulatedConnection.ts"

/** Silence after which a connection is given up: four keepalives, 15 s apart, without an answer (`Ssh2Transport`). */
export const KEEPALIVE_MILLIS = 60_000

/** What all hosts of a fleet share. */
export interface FleetContext {
  readonly observe: HostObserver
  readonly recorder: FaultRecorder
  /** The processes that are alive, in the order of their start. */
  readonly processes: Set<SimulatedProcess>
  /** What the hosts do runs in it. */
  readonly scope: Scope.Scope
  /** Counts connections, and channels, from 1. */
  readonly nextConnection: () => number
  readonly nextChannel: () => number
  /** What the product holds at this moment. */
  readonly held: { connections: number; channels: number; connecting: number }
  /** The most handshakes at a time so far. */
  readonly peaks: { handshakes: number; handshakesPerHost: number }
}

/** One machine: its processes, its network, its faults. */
export interface SimulatedHost {
  readonly plan: HostPlan
  readonly random: SeededRandom
  readonly fleet: FleetContext
  readonly chances: FaultChances
  readonly table: ProcessTable
  /** The connections to it that are open. */
  readonly connections: Set<SimulatedConnection>
  /** Handshakes with it that are under way. */
  handshakes: number
  readonly isReachable: () => boolean
  /** Remembers what to do once packets to and from it pass again. */
  readonly whenReachable: (arrive: () => void) => void
  /** Milliseconds of a round trip, drawn. */
  readonly roundTrip: () => number
  /**
   * Lets a fault of the network strike: the host is silent, or loses power and is back, after the fault's time. Nothing when
   * it is silent already. False for a fault of another kind.
   */
  readonly strikeNetwork: (fault: PlannedFault) => Effect.Effect<boolean>
}

const NOT_STRUCK = Effect.succeed(false)

/** Makes a host that is up. */
export const makeSimulatedHost = (plan: HostPlan, random: SeededRandom, fleet: FleetContext): SimulatedHost => {
  const table = makeProcessTable(plan.alias, fleet.processes)
  const chances = makeFaultChances(plan.alias, plan.faults, fleet.recorder)
  const connections = new Set<SimulatedConnection>()
  let isReachable = true
  let backlog: Array<() => void> = []

  const reopen = (): void => {
    isReachable = true
    // The kernel of a host that started anew answers packets of old connections with a reset.
    for (const connection of connections) if (connection.isOrphaned) connection.lose("ECONNRESET")
    const arriving = backlog
    backlog = []
    for (const arrive of arriving) arrive()
  }

  /** Connections are lost after a minute without an answer. */
  const silence = (millis: number) =>
    Effect.gen(function* () {
      isReachable = false
      const life = Effect.gen(function* () {
        yield* Effect.sleep(Math.min(millis, KEEPALIVE_MILLIS))
        if (millis > KEEPALIVE_MILLIS) {
          for (const connection of connections) connection.lose("keepalive timeout")
          yield* Effect.sleep(millis - KEEPALIVE_MILLIS)
        }
        reopen()
      })
      yield* Effect.forkIn(life, fleet.scope)
      return true
    })

  const losePower = (): void => {
    for (const process of table.alive()) table.end(process, { _tag: "HostLost" })
    for (const connection of connections) connection.die()
  }

  return {
    plan,
    random,
    fleet,
    chances,
    table,
    connections,
    handshakes: 0,
    isReachable: () => isReachable,
    whenReachable: (arrive) => {
      backlog.push(arrive)
    },
    roundTrip: () => plan.latencyMillis + random.below(1 + (plan.latencyMillis >> 1)),
    strikeNetwork: (fault) =>
      Effect.suspend(() => {
        if (fault.kind !== "host-silent" && fault.kind !== "host-vanishes") return NOT_STRUCK
        if (!isReachable) return NOT_STRUCK
        chances.struck(fault)
        if (fault.kind === "host-vanishes") losePower()
        return silence(fault.millis)
      })
  }
}
