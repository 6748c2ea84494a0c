import { assert, describe, it } from "@effect/vitest"
import { eventLine } from "../../src/simulation/world/EventLog.ts"
import {
  openSimulation,
  runScenario,
  type ScenarioOutcome,
  scenarioOf,
  simulate,
  type SimulationProgress
} from "../../src/simulation/Simulation.ts"

const outcomesOf = (from: number, count: number): ReadonlyArray<ScenarioOutcome> =>
  Array.from({ length: count }, (_, at) => runScenario(scenarioOf(from + at, { faults: "high" })))

const sum = (numbers: ReadonlyArray<number>): number => numbers.reduce((total, one) => total + one, 0)

describe("simulate", () => {
  it("the report adds up what its runs came to, one by one", () => {
    const outcomes = outcomesOf(100, 5)
    const report = simulate({ seed: 100, runs: 5, faults: "high", maxFailures: 5, shrink: false })
    assert.strictEqual(report.runs, 5)
    assert.strictEqual(report.tasks, sum(outcomes.map(({ tasks }) => tasks)))
    assert.strictEqual(report.hosts, sum(outcomes.map(({ hosts }) => hosts)))
    assert.strictEqual(report.events, sum(outcomes.map(({ eventCount }) => eventCount)))
    assert.closeTo(report.virtualSeconds, sum(outcomes.map(({ virtualMillis }) => virtualMillis)) / 1000, 0.001)
    assert.strictEqual(
      sum(report.faults.map(({ count }) => count)),
      sum(outcomes.flatMap(({ faults }) => faults.map(({ count }) => count)))
    )
    assert.isAbove(report.faults.length, 0)
  }, 60_000)

  it("a report's hash is that of its runs in their order", () => {
    const hash = (seed: number, runs: number) =>
      simulate({ seed, runs, faults: "low", maxFailures: 9, shrink: false }).logSha256
    assert.strictEqual(hash(7, 3), hash(7, 3))
    assert.strictEqual(new Set([hash(7, 1), hash(7, 2), hash(7, 3), hash(8, 3)]).size, 4)
  }, 60_000)

  it("progress is told after each run", () => {
    const told: Array<SimulationProgress> = []
    const report = simulate({
      seed: 1,
      runs: 4,
      faults: "none",
      maxFailures: 9,
      shrink: false,
      onProgress: (progress) => told.push(progress)
    })
    assert.deepStrictEqual(
      told.map(({ done, runs }) => [done, runs]),
      [
        [1, 4],
        [2, 4],
        [3, 4],
        [4, 4]
      ]
    )
    assert.strictEqual(told.at(-1)?.tasks, report.tasks)
  }, 60_000)

  it("a simulation can be left after any run", () => {
    const simulation = openSimulation({ seed: 1, runs: 1000, faults: "none", maxFailures: 9, shrink: false })
    simulation.next()
    simulation.next()
    assert.strictEqual(simulation.report().runs, 2)
  }, 60_000)

  it("sizes that are asked for are those of the scenario", () => {
    const scenario = scenarioOf(3, { hosts: 12, tasks: 30, faults: "none" })
    assert.strictEqual(scenario.hosts.length, 12)
    assert.strictEqual(
      scenario.steps.filter(({ _tag }) => _tag === "Run" || _tag === "Start" || _tag === "RunOnTag").length,
      30
    )
  }, 60_000)
})

describe("runScenario", () => {
  it("a run that passes a bound of the world violates an invariant, and its log says so", () => {
    const outcome = runScenario(scenarioOf(1), { bounds: { maxTurns: 20, maxMillis: 1e9 } })
    assert.deepStrictEqual(outcome.end, { _tag: "Exhausted", bound: "turns" })
    assert.strictEqual(outcome.violations.at(-1)?.invariant, "run-ends")
    assert.include(outcome.events.map(eventLine).at(-1), '"_tag":"Violated","invariant":"run-ends"')
  }, 60_000)

  it("every call that begins is answered or left", () => {
    for (const { events } of outcomesOf(300, 15)) {
      const count = (...tags: ReadonlyArray<string>) => events.filter(({ event }) => tags.includes(event._tag)).length
      const calls = events.filter(({ event }) => event._tag === "StepBegan" && event.tool !== "").length
      assert.strictEqual(count("Answered", "Disconnected", "Died"), calls)
      assert.deepStrictEqual([count("ShutdownBegan"), count("ShutdownEnded")], [1, 1])
    }
  }, 60_000)

  it("events carry times that never go back, and every step begins at its own", () => {
    for (const { events, scenario } of outcomesOf(400, 10)) {
      const times = events.map(({ at }) => at)
      assert.deepStrictEqual(
        times,
        times.toSorted((a, b) => a - b)
      )
      for (const { at, event } of events) {
        if (event._tag === "StepBegan") assert.isAtLeast(at, scenario.steps[event.step]?.at ?? Infinity)
      }
    }
  }, 60_000)

  it("a log of few events still has the hash of the whole", () => {
    const [whole, few] = [runScenario(scenarioOf(9)), runScenario(scenarioOf(9), { keepEvents: 5 })]
    assert.strictEqual(few.sha256, whole.sha256)
    assert.isBelow(few.events.length, 10)
    assert.strictEqual(few.eventCount, whole.eventCount)
  }, 60_000)
})
