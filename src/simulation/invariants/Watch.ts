import type { ConfigFacts } from "../model/ConfigFacts.ts"
import type { LoggedEvent } from "../world/EventLog.ts"
import type { CallFacts, Facts } from "../model/Facts.ts"
import type { Observation } from "./Observation.ts"

/** A call and its answer. */
export interface Answer extends CallFacts {
  readonly outcome: "answered" | "rejected"
  readonly isError: boolean
  readonly value: unknown
  readonly at: number
  /** The number of its event. */
  readonly index: number
}

/** What an invariant stands on. */
export interface Basis {
  readonly facts: Facts
  readonly config: ConfigFacts
  /** Says that it does not hold. */
  readonly violated: (detail: string) => void
}

/** How one invariant watches a run. The facts have every event that a member is told of. */
export interface Watch {
  /** Told of each event. */
  readonly event?: (logged: LoggedEvent) => void
  /**
   * Told of each answer, once everything that happens at its instant has happened: the record of a change can be written
   * a little later than another fiber sees the change.
   */
  readonly answer?: (answer: Answer) => void
  /** Told once everything that happens at one instant has happened. */
  readonly settled?: (at: number) => void
  /** Told what is held at one moment. */
  readonly observe?: (observation: Observation) => void
}

/** Makes the watch of one invariant over one run. */
export type MakeWatch = (basis: Basis) => Watch
