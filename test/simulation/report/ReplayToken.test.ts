import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import { deflateRawSync } from "node:zlib"
import { readReplayToken, replayToken } from "../../../src/simulation/report/ReplayToken.ts"
import { scenarioOf } from "../../../src/simulation/Simulation.ts"

const Seed = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1_000_000 }))

const whyNot = (token: string): string => {
  const read = readReplayToken(token)
  return Result.isFailure(read) ? read.failure.message : "it was read"
}

const tokenOf = (text: string): string => `sim1-${deflateRawSync(text).toString("base64url")}`

describe("a replay token", () => {
  it.prop("is one word that holds the whole scenario", { seed: Seed }, ({ seed }) => {
    const scenario = scenarioOf(seed, { faults: "high" })
    const token = replayToken(scenario)
    assert.match(token, /^sim1-[A-Za-z0-9_-]+$/)
    assert.deepStrictEqual(Result.getOrThrow(readReplayToken(token)), scenario)
  })

  it("that is cut, changed or none at all is refused with a reason", () => {
    const token = replayToken(scenarioOf(1))
    assert.match(whyNot(""), /does not begin with sim1-/)
    assert.match(whyNot("sim0-abc"), /does not begin with sim1-/)
    assert.match(whyNot(token.slice(0, -20)), /not copied in full/)
    assert.match(whyNot(`${token.slice(0, -1)}!`), /not copied in full/)
    assert.match(whyNot(tokenOf("{}")), /no scenario of this version/)
    assert.match(whyNot(tokenOf("not JSON")), /no scenario of this version/)
  })

  it("with a field that this version does not know is refused, not half understood", () => {
    assert.match(whyNot(tokenOf(JSON.stringify({ ...scenarioOf(1), weather: "rain" }))), /no scenario of this version/)
  })

  it("cannot expand to more than 16 MiB", () => {
    assert.match(whyNot(tokenOf(" ".repeat(17 * 1024 * 1024))), /not copied in full/)
  })
})
