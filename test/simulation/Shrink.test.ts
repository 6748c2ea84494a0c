import { assert, describe, it } from "@effect/vitest"
import { isSubmit, type Scenario } from "../../src/simulation/workload/Scenario.ts"
import { seededRandom } from "../../src/simulation/world/SeededRandom.ts"
import { shrinkScenario } from "../../src/simulation/Shrink.ts"
import { drawScenario } from "../../src/simulation/workload/Workload.ts"

const scenario = drawScenario(seededRandom(11), { hosts: 12, tasks: 60, faults: "high" })

/** A stand-in for a bug: some command sleeps long, on a host that does not answer at once. */
const isBroken = ({ hosts, steps }: Scenario): boolean =>
  steps.some(
    (step) =>
      (step._tag === "Run" || step._tag === "Start") &&
      step.program._tag === "Sleep" &&
      step.program.millis >= 1_000 &&
      hosts.some(({ alias }) => alias === step.alias)
  )

const broken: Scenario = {
  ...scenario,
  steps: [
    ...scenario.steps,
    { _tag: "Run", at: 5_000_000, key: 777, alias: "h5", program: { _tag: "Sleep", millis: 60_000 }, blanks: 3 }
  ]
}

describe("shrinkScenario", () => {
  it("leaves what the failure needs, and nothing else", () => {
    const { hosts, policy, steps } = shrinkScenario(broken, isBroken, 5_000)
    assert.lengthOf(
      hosts.filter(({ faults }) => faults.length > 0),
      0
    )
    assert.lengthOf(steps, 1)
    const [step] = steps
    assert.isTrue(
      step !== undefined && isSubmit(step) && step.program._tag === "Sleep" && step.program.millis === 1_000
    )
    assert.strictEqual(step?.at, 0)
    assert.isTrue(hosts.length <= 2, "the host and the one before it")
    assert.deepStrictEqual(policy.rules, [])
    assert.isUndefined(policy.network)
  })

  it("gives a scenario that fails, whatever it may spend", () => {
    for (const attempts of [0, 1, 5, 50]) assert.isTrue(isBroken(shrinkScenario(broken, isBroken, attempts)))
    assert.strictEqual(shrinkScenario(broken, isBroken, 0), broken)
  })

  it("asks no more often than it may, and never twice", () => {
    const asked: Array<string> = []
    shrinkScenario(
      broken,
      (candidate) => {
        asked.push(JSON.stringify(candidate))
        return isBroken(candidate)
      },
      100
    )
    assert.isAtMost(asked.length, 100)
    assert.strictEqual(new Set(asked).size, asked.length)
  })

  it("finds the same again", () => {
    assert.deepStrictEqual(shrinkScenario(broken, isBroken), shrinkScenario(broken, isBroken))
  })

  it("tries only scenarios that a configuration can hold: no host whose jump host is gone, steps in their order", () => {
    shrinkScenario(broken, (candidate) => {
      const aliases = new Set(candidate.hosts.map(({ alias }) => alias))
      assert.isTrue(candidate.hosts.every(({ jump }) => jump === undefined || aliases.has(jump)))
      const times = candidate.steps.map(({ at }) => at)
      assert.deepStrictEqual(
        times,
        times.toSorted((a, b) => a - b)
      )
      return isBroken(candidate)
    })
  })
})
