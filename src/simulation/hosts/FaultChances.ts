import type { FaultCounts, FaultKind, FaultPlan, PlannedFault, Stage } from "./Faults.ts"
import type { HostObserver } from "./HostEvent.ts"

/** Counts the faults of a fleet as they strike. */
export interface FaultRecorder {
  readonly struck: (alias: string, kind: FaultKind, stage: Stage) => void
  readonly counts: () => FaultCounts
}

/** Makes a recorder that tells of each fault, too. */
export const makeFaultRecorder = (observe: HostObserver): FaultRecorder => {
  const counts = new Map<FaultKind, Map<Stage, number>>()
  return {
    struck: (alias, kind, stage) => {
      const stages = counts.get(kind) ?? new Map<Stage, number>()
      counts.set(kind, stages.set(stage, (stages.get(stage) ?? 0) + 1))
      observe({ _tag: "FaultStruck", alias, kind, stage })
    },
    counts: () => counts
  }
}

/** The chances of one host's faults. */
export interface FaultChances {
  /**
   * One more chance of a stage: the fault whose turn it is, which has not struck yet. Whether it does can depend on what
   * else is there: a jump host that shall die, for one.
   */
  readonly next: (stage: Stage) => PlannedFault | undefined
  /** Counts a fault, at the stage that it was planned for. */
  readonly struck: (fault: PlannedFault) => void
}

/** No fault, ever: most hosts of most runs. */
const noFault = () => undefined

/** Makes the chances of a host, none had yet. */
export const makeFaultChances = (alias: string, plan: FaultPlan, recorder: FaultRecorder): FaultChances => {
  const had = new Map<Stage, number>()
  const next = (stage: Stage) => {
    const index = had.get(stage) ?? 0
    had.set(stage, index + 1)
    return plan.find((fault) => fault.stage === stage && index >= fault.after && index < fault.after + fault.times)
  }
  return {
    next: plan.length === 0 ? noFault : next,
    struck: ({ kind, stage }) => recorder.struck(alias, kind, stage)
  }
}
