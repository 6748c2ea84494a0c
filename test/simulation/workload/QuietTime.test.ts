import { assert, describe, it } from "@effect/vitest"
import { boundsOf, quietWithinSeconds } from "../../../src/simulation/workload/QuietTime.ts"
import { runScenario, scenarioOf } from "../../../src/simulation/Simulation.ts"

const DAY = 86_400

describe("the time that a run is given", () => {
  it("covers the longest TTL that any policy of the scenario sets, wherever it sets it", () => {
    const scenario = { ...scenarioOf(1), policy: {}, steps: [] }
    const none = quietWithinSeconds(scenario)
    const limits = { task_result_ttl: DAY }
    const rule = { id: "slow", action: "allow" as const, commands: ["echo *"], limits }
    for (const policy of [
      { limits },
      { rules: [rule] },
      { overrides: { aliases: { h0: limits } } },
      { limits: { task_result_ttl: 5 }, overrides: { tags: { web: limits } } }
    ]) {
      assert.strictEqual(quietWithinSeconds({ ...scenario, policy }), none + DAY)
      const change = { _tag: "NewPolicy" as const, policy }
      const reloads = [{ _tag: "Reload" as const, at: 0, change }]
      assert.strictEqual(quietWithinSeconds({ ...scenario, steps: reloads }), none + DAY)
    }
  }, 60_000)

  it("runs come nowhere near their bounds", () => {
    for (let seed = 500; seed < 530; seed++) {
      const scenario = scenarioOf(seed, { faults: "low" })
      const { maxMillis, maxTurns } = boundsOf(scenario)
      const { turns, virtualMillis } = runScenario(scenario, { keepEvents: 0 })
      assert.isBelow(turns, maxTurns / 10)
      assert.isBelow(virtualMillis, maxMillis / 2)
    }
  }, 60_000)
})
