import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import { runScenario } from "../../../src/simulation/RunScenario.ts"
import { isSubmit, Scenario, type Step } from "../../../src/simulation/workload/Scenario.ts"
import { seededRandom } from "../../../src/simulation/world/SeededRandom.ts"
import { drawScenario, type ScenarioSize } from "../../../src/simulation/workload/Workload.ts"

const draw = (seed: number, size: ScenarioSize = { faults: "medium" }): Scenario =>
  drawScenario(seededRandom(seed), size)

const decode = Schema.decodeUnknownResult(Scenario, { onExcessProperty: "error" })

const seeds = (count: number): ReadonlyArray<number> => Array.from({ length: count }, (_, index) => index)

const TAGS: ReadonlyArray<Step["_tag"]> = [
  "Run",
  "RunOnTag",
  "Start",
  "Plan",
  "Ping",
  "Poll",
  "PageOutput",
  "Await",
  "Cancel",
  "DoubleCancel",
  "List",
  "Reload",
  "Disconnect",
  "Shutdown",
  "ClockJump"
]

describe("drawScenario", () => {
  it("gives scenarios that survive JSON and their schema", () => {
    for (const seed of seeds(100)) {
      const scenario = draw(seed)
      const decoded = decode(JSON.parse(JSON.stringify(scenario)))
      assert.deepStrictEqual(Result.getOrThrow(decoded), scenario, `seed ${seed}`)
    }
  })

  it("gives the same scenario for the same seed, another one for another", () => {
    const texts = seeds(50).map((seed) => JSON.stringify(draw(seed)))
    assert.deepStrictEqual(
      seeds(50).map((seed) => JSON.stringify(draw(seed))),
      texts
    )
    assert.strictEqual(new Set(texts).size, 50)
  })

  it("orders steps by time, gives each submission a key of its own and each jump host no jump", () => {
    for (const seed of seeds(200)) {
      const { hosts, steps } = draw(seed)
      assert.deepStrictEqual(
        steps.map(({ at }) => at),
        steps.map(({ at }) => at).toSorted((a, b) => a - b)
      )
      const keys = steps.filter(isSubmit).map(({ key }) => key)
      assert.strictEqual(new Set(keys).size, keys.length)
      for (const [index, { jump }] of hosts.entries()) {
        if (jump === undefined) continue
        const gate = hosts.findIndex(({ alias }) => alias === jump)
        assert.isTrue(gate >= 0 && gate < index && hosts[gate]?.jump === undefined)
      }
    }
  })

  it("has as many hosts and submissions as asked for", () => {
    const { hosts, steps } = draw(1, { hosts: 37, tasks: 211, faults: "low" })
    assert.strictEqual(hosts.length, 37)
    assert.strictEqual(steps.filter(isSubmit).length, 211)
  })

  it("draws every kind of step, and none in every scenario", () => {
    const kinds = seeds(300).map((seed) => new Set(draw(seed).steps.map(({ _tag }) => _tag)))
    for (const tag of TAGS) {
      const count = kinds.filter((tags) => tags.has(tag)).length
      assert.isTrue(count > 10 && count < 300, `${tag} is in ${count} of 300`)
    }
  })

  it("draws configurations that load", () => {
    for (const seed of seeds(60)) {
      const { events } = runScenario({ ...draw(seed), steps: [] })
      const loaded = events.find(({ event }) => event._tag === "Config")?.event
      assert.include(JSON.stringify(loaded), '"usable":true', `seed ${seed}`)
    }
  })

  it("draws no fault at the level `none`", () => {
    assert.isTrue(
      seeds(100).every((seed) => draw(seed, { faults: "none" }).hosts.every(({ faults }) => faults.length === 0))
    )
  })
})
