import { Cause, Effect, Exit } from "effect"
import { type LoggedEvent, makeEventLog } from "./world/EventLog.ts"
import type { FaultCounts } from "./hosts/Faults.ts"
import { FaultKind, Stage } from "./hosts/Faults.ts"
import { makeChecker, type Violation } from "./invariants/Invariants.ts"
import { playScenario } from "./Runner.ts"
import { boundsOf } from "./workload/QuietTime.ts"
import type { Scenario } from "./workload/Scenario.ts"
import { seededRandom } from "./world/SeededRandom.ts"
import { makeSimulatedFleet, type SimulatedFleet } from "./hosts/SimulatedFleet.ts"
import { makeWorld, type WorldBounds, type WorldEnd } from "./world/SimulatedWorld.ts"

/** A fault that was injected, how often. */
export interface FaultCount {
  readonly kind: FaultKind
  readonly stage: Stage
  readonly count: number
}

/** How a run ended: by itself, or against one of the world's bounds. */
export type RunEnd =
  | { readonly _tag: "Ended" }
  /** Nothing could go on, and the run was not over: a lost wake-up. */
  | { readonly _tag: "Stuck" }
  /** More turns of the scheduler, or more virtual time, than any scenario needs: a livelock. */
  | { readonly _tag: "Exhausted"; readonly bound: "turns" | "time" }
  /** The run itself died: a bug of the product outside of any call, or of the simulation. */
  | { readonly _tag: "Died"; readonly detail: string }

/** What one scenario came to. */
export interface ScenarioOutcome {
  readonly scenario: Scenario
  readonly end: RunEnd
  /** Empty when all invariants hold; a run that did not end by itself violates one too. */
  readonly violations: ReadonlyArray<Violation>
  /** The newest events of the run, as many as were asked for. */
  readonly events: ReadonlyArray<LoggedEvent>
  /** Events of the whole run. */
  readonly eventCount: number
  /** SHA-256 of the whole event log, in hex. */
  readonly sha256: string
  /** Commands that the server admitted as tasks. */
  readonly tasks: number
  readonly hosts: number
  /** In the order of the kinds and stages; without those that never struck. */
  readonly faults: ReadonlyArray<FaultCount>
  readonly virtualMillis: number
  /** Turns of the scheduler. */
  readonly turns: number
}

/** How a scenario is run. */
export interface RunSettings {
  /** How many of the newest events are kept at least; all when absent. */
  readonly keepEvents?: number
  /** `boundsOf` the scenario when absent. */
  readonly bounds?: WorldBounds
}

/** The counts as a list, in the order of the kinds and stages. */
const listFaults = (counts: FaultCounts): ReadonlyArray<FaultCount> =>
  FaultKind.literals.flatMap((kind) =>
    Stage.literals.flatMap((stage) => {
      const count = counts.get(kind)?.get(stage) ?? 0
      return count === 0 ? [] : [{ kind, stage, count }]
    })
  )

const runEnd = (end: WorldEnd<void, never>): RunEnd => {
  if (end._tag !== "Ended") return end
  if (Exit.isSuccess(end.exit)) return { _tag: "Ended" }
  const error = Cause.squash(end.exit.cause)
  return { _tag: "Died", detail: error instanceof Error ? `${error.name}: ${error.message}` : String(error) }
}

const detailOf = (end: Exclude<RunEnd, { readonly _tag: "Ended" }>): string => {
  switch (end._tag) {
    case "Stuck":
      return "nothing can go on: a wake-up was lost"
    case "Exhausted":
      return `the run does not come to its end (${end.bound})`
    case "Died":
      return end.detail
  }
}

/** Runs one scenario to its end, in virtual time and without giving way to the event loop. A pure function of its arguments. */
export const runScenario = (scenario: Scenario, settings: RunSettings = {}): ScenarioOutcome => {
  const random = seededRandom(scenario.seed)
  const world = makeWorld(random.fork("world"))
  const log = makeEventLog(world.now, settings.keepEvents)
  const checker = makeChecker(scenario)
  let tasks = 0
  log.listen(({ event }) => {
    if (event._tag === "Audit") tasks++
  })
  log.listen(checker.event)
  let faults: SimulatedFleet["faults"] = () => new Map()
  const program = Effect.scoped(
    Effect.gen(function* () {
      const fleet = yield* makeSimulatedFleet({
        hosts: scenario.hosts,
        random: random.fork("hosts"),
        observe: log.append
      })
      faults = fleet.faults
      yield* playScenario({ scenario, world, fleet, random, log, checker })
    })
  )
  const end = runEnd(world.run(program, settings.bounds ?? boundsOf(scenario)))
  const violations: ReadonlyArray<Violation> =
    end._tag === "Ended"
      ? checker.violations()
      : [...checker.violations(), { invariant: "run-ends", detail: detailOf(end), at: world.now() }]
  for (const { detail, invariant } of violations) log.append({ _tag: "Violated", invariant, detail })
  return {
    scenario,
    end,
    violations,
    events: log.events(),
    eventCount: log.size(),
    sha256: log.sha256(),
    tasks,
    hosts: scenario.hosts.length,
    faults: listFaults(faults()),
    virtualMillis: world.now(),
    turns: world.turns()
  }
}
