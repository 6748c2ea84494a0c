import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { makeFaultChances, makeFaultRecorder } from "../../../src/simulation/hosts/FaultChances.ts"
import {
  drawFaultKinds,
  drawFaultPlan,
  FAULT_STAGES,
  FaultKind,
  FaultLevel,
  FaultPlan
} from "../../../src/simulation/hosts/Faults.ts"
import type { HostEvent } from "../../../src/simulation/hosts/HostEvent.ts"
import { seededRandom } from "../../../src/simulation/world/SeededRandom.ts"
import { fault } from "./FleetHarness.ts"

const seed = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1_000_000 }))

const chances = (plan: FaultPlan) => {
  const events: Array<HostEvent> = []
  const recorder = makeFaultRecorder((event) => void events.push(event))
  return { events, recorder, chances: makeFaultChances("web", plan, recorder) }
}

describe("Faults", () => {
  it.prop("a plan has only faults of the kinds that are switched on, at stages that they have", [seed], ([seed]) => {
    const kinds = drawFaultKinds(seededRandom(seed), "high")
    const plan = drawFaultPlan(seededRandom(seed), "high", kinds)
    return (
      Schema.is(FaultPlan)(plan) &&
      plan.every(({ kind, stage }) => kinds.includes(kind) && FAULT_STAGES[kind].includes(stage))
    )
  })

  it.prop("equal seeds draw equal plans", [seed, FaultLevel], ([seed, level]) => {
    const draw = () => drawFaultPlan(seededRandom(seed), level, FaultKind.literals)
    assert.deepStrictEqual(draw(), draw())
  })

  it("switches each kind on in some seeds and off in others", () => {
    const drawn = Array.from({ length: 60 }, (_, seed) => drawFaultKinds(seededRandom(seed), "high"))
    for (const kind of FaultKind.literals) {
      const on = drawn.filter((kinds) => kinds.includes(kind)).length
      assert.isTrue(on > 0 && on < drawn.length, kind)
    }
  })

  it("draws no fault at the level none", () => {
    assert.deepStrictEqual(drawFaultKinds(seededRandom(1), "none"), [])
    for (let seed = 0; seed < 50; seed++) {
      assert.deepStrictEqual(drawFaultPlan(seededRandom(seed), "none", FaultKind.literals), [])
    }
  })

  it("draws every kind at every stage that it has, in 5,000 seeds", () => {
    const missing = new Set(
      FaultKind.literals.flatMap((kind) =>
        kind === "clock-jump" ? [] : FAULT_STAGES[kind].map((stage) => `${kind} ${stage}`)
      )
    )
    for (let seed = 0; seed < 5_000; seed++) {
      const random = seededRandom(seed)
      for (const { kind, stage } of drawFaultPlan(random, "high", FaultKind.literals))
        missing.delete(`${kind} ${stage}`)
    }
    assert.deepStrictEqual([...missing], [])
  })

  it("a fault strikes at the chances from `after` on, `times` of them", () => {
    const { chances: web } = chances([fault("auth-failed", "auth", { after: 2, times: 3 })])
    const struck = Array.from({ length: 8 }, () => web.next("auth") !== undefined)
    assert.deepStrictEqual(struck, [false, false, true, true, true, false, false, false])
  })

  it("the chances of one stage are counted apart from those of another", () => {
    const { chances: web } = chances([fault("auth-failed", "auth", { after: 1 })])
    assert.isUndefined(web.next("tcp"))
    assert.isUndefined(web.next("auth"))
    assert.isUndefined(web.next("tcp"))
    assert.strictEqual(web.next("auth")?.kind, "auth-failed")
  })

  it("the first of several faults strikes", () => {
    const { chances: web } = chances([
      fault("connection-drop", "kex", { after: 1 }),
      fault("banner-hang", "kex", { times: 3 })
    ])
    const kinds = Array.from({ length: 4 }, () => web.next("kex")?.kind)
    assert.deepStrictEqual(kinds, ["banner-hang", "connection-drop", "banner-hang", undefined])
  })

  it("counts what struck by kind and stage, and tells of it", () => {
    const { chances: web, events, recorder } = chances([])
    web.struck(fault("connection-drop", "kex"))
    web.struck(fault("connection-drop", "kex"))
    web.struck(fault("connection-drop", "stop"))
    assert.deepStrictEqual(
      [...(recorder.counts().get("connection-drop") ?? [])],
      [
        ["kex", 2],
        ["stop", 1]
      ]
    )
    assert.deepStrictEqual(events.at(-1), { _tag: "FaultStruck", alias: "web", kind: "connection-drop", stage: "stop" })
  })
})
