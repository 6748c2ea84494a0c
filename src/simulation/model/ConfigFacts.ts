import { Predicate } from "effect"
import type { LoggedEvent } from "../world/EventLog.ts"
import { type ConfigChange, isBadChange, type Scenario } from "../workload/Scenario.ts"
import { changeConfig, type ConfigState, initialConfig } from "../workload/ScenarioConfig.ts"

/** A configuration and when it may have been in force, in virtual milliseconds. */
interface Version {
  readonly state: ConfigState
  readonly from: number
  until: number
}

/** A reload that was asked for. */
interface ReloadCall {
  readonly step: number
  readonly change: ConfigChange
  /** What the operator wants since then. */
  readonly state: ConfigState
  readonly beganAt: number
  endedAt: number
}

/** What a reload has to come to. */
export interface ReloadExpectation {
  readonly bad: boolean
  readonly state: ConfigState
  /** Another reload was under way at the same time: each may have read the other's files. */
  readonly alone: boolean
}

/** Which configurations may have been in force when, as the answers to reloads tell. */
export interface ConfigFacts {
  readonly event: (logged: LoggedEvent) => void
  /** Those that may have been in force at some moment of an interval, both ends included. */
  readonly inForce: (from: number, to: number) => ReadonlyArray<ConfigState>
  /** Those that were ever in force until now. */
  readonly all: () => ReadonlyArray<ConfigState>
  /** What the reload of a step has to come to. */
  readonly reload: (step: number) => ReloadExpectation | undefined
}

const FOREVER = Number.POSITIVE_INFINITY

/** Makes the facts about the configuration of a run that did not begin yet. */
export const makeConfigFacts = (scenario: Scenario): ConfigFacts => {
  let state = initialConfig(scenario)
  const versions: Array<Version> = [{ state, from: Number.NEGATIVE_INFINITY, until: FOREVER }]
  const reloads: Array<ReloadCall> = []

  const overlapping = (call: ReloadCall): ReadonlyArray<ReloadCall> =>
    reloads.filter((other) => other.beganAt <= call.endedAt && other.endedAt >= call.beganAt)

  const reloaded = (call: ReloadCall, at: number): void => {
    for (const version of versions) if (version.until === FOREVER && version.from < call.beganAt) version.until = at
    for (const other of overlapping(call)) {
      if (!isBadChange(other.change)) versions.push({ state: other.state, from: call.beganAt, until: FOREVER })
    }
  }

  return {
    event: ({ at, event }) => {
      if (event._tag === "ConfigWritten") {
        const step = scenario.steps[event.step]
        if (step?._tag !== "Reload") return
        state = changeConfig(scenario, state, step.change)
        reloads.push({ step: event.step, change: step.change, state, beganAt: at, endedAt: FOREVER })
        return
      }
      if (event._tag !== "Answered" || event.tool !== "ssh_reload_config") return
      const call = reloads.find(({ step }) => step === event.step)
      if (call === undefined) return
      call.endedAt = at
      if (Predicate.hasProperty(event.value, "status") && event.value.status === "reloaded") reloaded(call, at)
    },
    inForce: (from, to) => versions.filter((one) => one.from <= to && one.until >= from).map((one) => one.state),
    all: () => versions.map((one) => one.state),
    reload: (step) => {
      const call = reloads.find((one) => one.step === step)
      if (call === undefined) return undefined
      return { bad: isBadChange(call.change), state: call.state, alone: overlapping(call).length === 1 }
    }
  }
}
