import { createHash } from "node:crypto"
import { FaultKind, type FaultLevel, Stage } from "./hosts/Faults.ts"
import type { Violation } from "./invariants/Invariants.ts"
import { boundsOf } from "./workload/QuietTime.ts"
import { type FaultCount, runScenario, type ScenarioOutcome } from "./RunScenario.ts"
import type { Scenario } from "./workload/Scenario.ts"
import { seededRandom } from "./world/SeededRandom.ts"
import { MAX_ATTEMPTS, shrinkScenario } from "./Shrink.ts"
import type { WorldBounds } from "./world/SimulatedWorld.ts"
import { drawScenario } from "./workload/Workload.ts"

export type { FaultCount, RunEnd, RunSettings, ScenarioOutcome } from "./RunScenario.ts"
export { runScenario } from "./RunScenario.ts"

/** What is simulated, and how much of it. Runs have the seeds `seed`, `seed + 1`, … */
export interface SimulationOptions {
  readonly seed: number
  readonly runs: number
  /** Hosts in each run; drawn for each seed when absent. */
  readonly hosts?: number
  /** Steps that submit tasks in each run, a fan-out being one; drawn for each seed when absent. */
  readonly tasks?: number
  /** How much goes wrong; `medium` when absent. */
  readonly faults?: FaultLevel
  /** Failing runs after which the rest is not run; 1 when absent. */
  readonly maxFailures?: number
  /** Whether a failing scenario is shrunk; yes when absent. */
  readonly shrink?: boolean
  /** Told after each run. */
  readonly onProgress?: (progress: SimulationProgress) => void
}

/** How far a simulation is. */
export interface SimulationProgress {
  readonly done: number
  readonly runs: number
  readonly failures: number
  /** Tasks that the server admitted, over all runs so far. */
  readonly tasks: number
}

/** A seed whose run broke an invariant. */
export interface SimulationFailure {
  readonly seed: number
  /** The first violation of the seed's own scenario. */
  readonly violation: Violation
  /** The smallest scenario found that breaks the same invariant, and its run. */
  readonly minimal: ScenarioOutcome
}

/** What a simulation came to. Real time is the caller's to measure. */
export interface SimulationReport {
  readonly seed: number
  /** Runs that were done. */
  readonly runs: number
  readonly failures: ReadonlyArray<SimulationFailure>
  readonly tasks: number
  readonly hosts: number
  /** Over all runs, by kind and stage, in a fixed order. */
  readonly faults: ReadonlyArray<FaultCount>
  readonly virtualSeconds: number
  readonly events: number
  /** SHA-256 over the event logs' own of all runs, in their order. */
  readonly logSha256: string
}

/** A simulation that is driven run by run, so that its caller can do other things in between. */
export interface SimulationRuns {
  /** Does the next run; undefined when all are done, or enough have failed. */
  readonly next: () => SimulationProgress | undefined
  /** What the runs so far came to. */
  readonly report: () => SimulationReport
}

/** The scenario of a seed: a function of the seed, the sizes and the level of faults. */
export const scenarioOf = (
  seed: number,
  { faults = "medium", hosts, tasks }: Pick<SimulationOptions, "faults" | "hosts" | "tasks"> = {}
): Scenario => drawScenario(seededRandom(seed).fork("scenario"), { faults, hosts, tasks })

/** Events of a run that are kept for its timeline: those before a violation matter most. */
const KEPT_EVENTS = 20_000

const sortFaults = (counts: ReadonlyArray<FaultCount>): ReadonlyArray<FaultCount> =>
  counts.toSorted(
    (a, b) =>
      FaultKind.literals.indexOf(a.kind) - FaultKind.literals.indexOf(b.kind) ||
      Stage.literals.indexOf(a.stage) - Stage.literals.indexOf(b.stage)
  )

/** Turns of the scheduler that shrinking one failure may take: some minutes. */
const SHRINK_TURNS = 20_000_000

/** The run of the smallest scenario found that breaks the same invariant; the same run when shrinking found none. */
const minimalOf = (outcome: ScenarioOutcome, { invariant }: Violation): ScenarioOutcome => {
  // A run of a smaller scenario is over sooner, or it shows another failure.
  const bounds: WorldBounds = { ...boundsOf(outcome.scenario), maxTurns: 100_000 + 4 * outcome.turns }
  const fails = (scenario: Scenario): boolean =>
    runScenario(scenario, { keepEvents: 0, bounds }).violations.some((found) => found.invariant === invariant)
  const attempts = Math.min(MAX_ATTEMPTS, Math.floor(SHRINK_TURNS / Math.max(1, outcome.turns)))
  const scenario = shrinkScenario(outcome.scenario, fails, attempts)
  return scenario === outcome.scenario ? outcome : runScenario(scenario, { keepEvents: KEPT_EVENTS, bounds })
}

/** Adds counts that are each in the order of the kinds and stages. */
const addFaults = (into: Map<string, FaultCount>, counts: ReadonlyArray<FaultCount>): void => {
  for (const { count, kind, stage } of counts) {
    const key = `${kind} ${stage}`
    into.set(key, { kind, stage, count: count + (into.get(key)?.count ?? 0) })
  }
}

/** Begins a simulation. Nothing runs before `next`. */
export const openSimulation = (options: SimulationOptions): SimulationRuns => {
  const { maxFailures = 1, runs, seed, shrink = true } = options
  const failures: Array<SimulationFailure> = []
  const faults = new Map<string, FaultCount>()
  const hash = createHash("sha256")
  const sums = { done: 0, tasks: 0, hosts: 0, virtualMillis: 0, events: 0 }

  const next = (): SimulationProgress | undefined => {
    if (sums.done >= runs || failures.length >= maxFailures) return undefined
    const runSeed = seed + sums.done
    const outcome = runScenario(scenarioOf(runSeed, options), { keepEvents: KEPT_EVENTS })
    sums.done++
    sums.tasks += outcome.tasks
    sums.hosts += outcome.hosts
    sums.virtualMillis += outcome.virtualMillis
    sums.events += outcome.eventCount
    hash.update(outcome.sha256)
    addFaults(faults, outcome.faults)
    const [violation] = outcome.violations
    if (violation !== undefined) {
      failures.push({ seed: runSeed, violation, minimal: shrink ? minimalOf(outcome, violation) : outcome })
    }
    return { done: sums.done, runs, failures: failures.length, tasks: sums.tasks }
  }

  const report = (): SimulationReport => ({
    seed,
    runs: sums.done,
    failures: [...failures],
    tasks: sums.tasks,
    hosts: sums.hosts,
    faults: sortFaults([...faults.values()]),
    virtualSeconds: sums.virtualMillis / 1000,
    events: sums.events,
    logSha256: hash.copy().digest("hex")
  })
  return { next, report }
}

/** Does all runs of a simulation, without giving way to the event loop. */
export const simulate = (options: SimulationOptions): SimulationReport => {
  const simulation = openSimulation(options)
  for (let progress = simulation.next(); progress !== undefined; progress = simulation.next()) {
    options.onProgress?.(progress)
  }
  return simulation.report()
}
