import { Effect, Layer } from "effect"
import { DnsLookup } from "../../ssh/address/DnsLookup.ts"
import { Transport } from "../../ssh/Transport.ts"
import { makeFaultRecorder } from "./FaultChances.ts"
import type { FaultCounts, FaultKind, Stage } from "./Faults.ts"
import type { HostObserver } from "./HostEvent.ts"
import type { HostPlan } from "./HostPlan.ts"
import type { SimulatedProcess } from "./ProcessTable.ts"
import type { SeededRandom } from "../world/SeededRandom.ts"
import { makeSimulatedDns } from "./SimulatedDns.ts"
import { type FleetContext, makeSimulatedHost, type SimulatedHost } from "./SimulatedHost.ts"
import { makeSimulatedTransport } from "./SimulatedTransport.ts"

/** What a fleet is made of. */
export interface FleetOptions {
  readonly hosts: ReadonlyArray<HostPlan>
  /** The stream that hosts draw from, each its own fork by alias. */
  readonly random: SeededRandom
  readonly observe: HostObserver
}

/** What is open at this moment, over all hosts. */
export interface FleetCounts {
  /** Handshakes under way. */
  readonly connecting: number
  /** Connections that the product holds, also those that are lost. */
  readonly connections: number
  /** Channels that the product holds, also those that have ended. */
  readonly channels: number
  /** Processes of runs that are alive. */
  readonly processes: number
}

/** The hosts of a run, as the invariants see them. */
export interface SimulatedFleet {
  readonly transport: Transport["Service"]
  readonly dns: DnsLookup["Service"]
  readonly counts: () => FleetCounts
  /** The most handshakes at a time so far, in all and with one host. */
  readonly peaks: () => { readonly handshakes: number; readonly handshakesPerHost: number }
  /** The processes of runs that are alive, in the order of their start. */
  readonly processes: () => ReadonlyArray<SimulatedProcess>
  /** How often each fault struck. */
  readonly faults: () => FaultCounts
  /** Counts a fault that is injected elsewhere, a jump of the clock for one. */
  readonly struck: (alias: string, kind: FaultKind, stage: Stage) => void
}

/** Makes the hosts, all of them up. What they do goes on until the Scope closes. A host costs memory once it is reached. */
export const makeSimulatedFleet = Effect.fnUntraced(function* ({ hosts: plans, observe, random }: FleetOptions) {
  const recorder = makeFaultRecorder(observe)
  const processes = new Set<SimulatedProcess>()
  let connections = 0
  let channels = 0
  const context: FleetContext = {
    observe,
    recorder,
    processes,
    scope: yield* Effect.scope,
    nextConnection: () => ++connections,
    nextChannel: () => ++channels,
    held: { connections: 0, channels: 0, connecting: 0 },
    peaks: { handshakes: 0, handshakesPerHost: 0 }
  }

  const endpoint = (address: string, port: number) => `${address} ${port}`
  const byEndpoint = new Map<string, HostPlan>()
  const byName = new Map<string, HostPlan>()
  for (const plan of plans) {
    // Of two hosts at one address the first is there, as with two names for one machine.
    for (const address of [...plan.addresses, plan.hostname.toLowerCase()]) {
      const key = endpoint(address, plan.port)
      if (!byEndpoint.has(key)) byEndpoint.set(key, plan)
    }
    if (!byName.has(plan.hostname.toLowerCase())) byName.set(plan.hostname.toLowerCase(), plan)
  }

  const reached = new Map<HostPlan, SimulatedHost>()
  const reach = (plan: HostPlan | undefined): SimulatedHost | undefined => {
    if (plan === undefined) return undefined
    const known = reached.get(plan)
    if (known !== undefined) return known
    const host = makeSimulatedHost(plan, random.fork(plan.alias), context)
    reached.set(plan, host)
    return host
  }

  const fleet: SimulatedFleet = {
    transport: makeSimulatedTransport({
      fleet: context,
      find: (address, port) => reach(byEndpoint.get(endpoint(address.toLowerCase(), port)))
    }),
    dns: makeSimulatedDns({ observe, find: (name) => reach(byName.get(name)) }),
    counts: () => ({ ...context.held, processes: processes.size }),
    peaks: () => ({ ...context.peaks }),
    processes: () => [...processes],
    faults: recorder.counts,
    struck: recorder.struck
  }
  return fleet
})

/** The two services of the product that a fleet stands in for. */
export const fleetLayer = (fleet: SimulatedFleet): Layer.Layer<Transport | DnsLookup> =>
  Layer.merge(Layer.succeed(Transport, fleet.transport), Layer.succeed(DnsLookup, fleet.dns))
