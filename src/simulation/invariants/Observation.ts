import type { LoggedEvent } from "../world/EventLog.ts"
import type { Violation } from "./Invariants.ts"
import type { FleetCounts } from "../hosts/SimulatedFleet.ts"
import type { SimulatedProcess } from "../hosts/ProcessTable.ts"
import type { Held } from "../world/SimulatedServer.ts"

/**
 * When the server is looked at: while work goes on (`working`), once all calls answered and every task, its TTL and the
 * idle time of connections had time to pass (`quiet`), and once the server is closed (`closed`, always the last one).
 */
export type Phase = "working" | "quiet" | "closed"

/** What is held at one moment. Nothing runs while it is put together. */
export interface Observation {
  readonly phase: Phase
  /** Virtual milliseconds since the run began. */
  readonly at: number
  readonly held: Held
  /** How many tasks are in the state `running`, as the supervisor counts them. */
  readonly running: number
  readonly fleet: FleetCounts
  /** The processes of runs that are alive on the hosts; computed when asked for. */
  readonly processes: () => ReadonlyArray<SimulatedProcess>
}

/**
 * Watches one run: it gets every event in order, and an observation after each step's begin and each answer, then the
 * `quiet` one (not after a shutdown) and the `closed` one (not when the run did not end).
 */
export interface Checker {
  readonly event: (logged: LoggedEvent) => void
  readonly observe: (observation: Observation) => void
  /** What was found so far, in the order in which it was found. */
  readonly violations: () => ReadonlyArray<Violation>
}
