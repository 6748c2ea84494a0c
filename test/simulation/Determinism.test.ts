import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { execFile } from "node:child_process"
import { eventLine } from "../../src/simulation/world/EventLog.ts"
import {
  runScenario,
  type ScenarioOutcome,
  scenarioOf,
  simulate,
  type SimulationOptions
} from "../../src/simulation/Simulation.ts"

const OPTIONS: SimulationOptions = { seed: 4_000, runs: 8, faults: "high", maxFailures: 8, shrink: false }

const linesOf = ({ events }: ScenarioOutcome): string => events.map(eventLine).join("\n")

/** The hash of the simulation in a process of its own, which V8 gives other hash seeds and other timings. */
const inAnotherProcess = (flags: ReadonlyArray<string>) =>
  Effect.callback<string>((resume) => {
    const script = new URL("DeterminismChild.ts", import.meta.url).pathname
    const child = execFile(process.execPath, [...flags, script, JSON.stringify(OPTIONS)], (error, stdout) =>
      resume(error === null ? Effect.succeed(stdout) : Effect.die(error))
    )
    return Effect.sync(() => child.kill("SIGKILL"))
  })

describe("determinism", () => {
  it("a scenario run twice gives the same log, byte for byte", () => {
    for (let seed = 0; seed < 10; seed++) {
      const first = runScenario(scenarioOf(seed, { faults: "high" }))
      const second = runScenario(scenarioOf(seed, { faults: "high" }))
      assert.strictEqual(linesOf(second), linesOf(first))
      assert.strictEqual(second.sha256, first.sha256)
      assert.strictEqual(second.turns, first.turns)
    }
  }, 60_000)

  it("what ran before in the same process changes nothing", () => {
    const alone = runScenario(scenarioOf(3, { faults: "medium" })).sha256
    simulate({ ...OPTIONS, seed: 77, runs: 3 })
    assert.strictEqual(runScenario(scenarioOf(3, { faults: "medium" })).sha256, alone)
  }, 60_000)

  it("the seed of a run alone makes it another run of the same steps", () => {
    const scenario = scenarioOf(5, { faults: "medium", hosts: 3, tasks: 10 })
    const hashes = [1, 2, 3, 4].map((seed) => runScenario({ ...scenario, seed }).sha256)
    assert.strictEqual(new Set(hashes).size, 4)
  }, 60_000)

  it.live(
    "another process gives the same log: interpreted only, compiled at once, with other random numbers of V8, side by side",
    () =>
      Effect.gen(function* () {
        const hashes = yield* Effect.forEach(
          [["--random-seed=1", "--hash-seed=1"], ["--random-seed=2", "--hash-seed=2", "--no-opt"], ["--max-lazy"]],
          inAnotherProcess,
          { concurrency: "unbounded" }
        )
        assert.deepStrictEqual([...new Set(hashes)], [simulate(OPTIONS).logSha256])
      }),
    120_000
  )
})
