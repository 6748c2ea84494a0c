import { assert, describe, it } from "@effect/vitest"
import { Option, Schema } from "effect"
import { AmountText, parseAmount } from "../../src/fleet/Amount.ts"
import { splitBatches } from "../../src/fleet/Batch.ts"
import { tooManyFailures } from "../../src/fleet/MaxFailures.ts"

const hosts = (count: number) => Array.from({ length: count }, (_, i) => `host-${i}`)
const sizes = (count: number, batch: ReadonlyArray<string> | undefined) =>
  splitBatches(hosts(count), batch).map((one) => one.length)

describe("Amount", () => {
  it.each(["0", "1", "999999", "0%", "7%", "10%", "100%", "2.5%", "0.07%"])("%s is an amount", (text) => {
    assert.isTrue(Option.isSome(parseAmount(text)))
    assert.isTrue(Schema.is(AmountText)(text))
  })

  it.each(["", " 1", "-1", "01", "1.5", "1e3", "101%", "100.01%", "%", "10 %", "1%%", "0x10", "1000000", "１"])(
    "%j is none",
    (text) => assert.isTrue(Option.isNone(parseAmount(text)))
  )
})

describe("Batch", () => {
  it.each([
    ["no sizes make one batch", 10, undefined, [10]],
    ["an empty list of sizes makes one batch", 10, [], [10]],
    ["the last size repeats", 10, ["1", "4"], [1, 4, 4, 1]],
    ["a percentage rounds up", 10, ["1", "15%", "100%"], [1, 2, 7]],
    ["a canary, a tenth, then all", 30, ["1", "10%", "100%"], [1, 3, 26]],
    ["a batch has at least one host", 3, ["0%"], [1, 1, 1]],
    ["a count of 0 is one host", 2, ["0"], [1, 1]],
    ["exact percentages do not round up", 100, ["7%", "0.07%", "29%", "100%"], [7, 1, 29, 63]],
    ["a size that cannot be read is the most careful one", 3, ["all"], [1, 1, 1]],
    ["no hosts make no batch", 0, ["1"], []]
  ] as const)("%s", (_, count, batch, expected) => {
    assert.deepStrictEqual(sizes(count, batch), [...expected])
  })

  const Sizes = Schema.Array(Schema.Literals(["0", "1", "2", "7", "10%", "33.33%", "100%", "bad"]))
  it.prop(
    "batches hold every host once, in order, and none is empty",
    [Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 50 })), Sizes],
    ([count, batch]) => {
      const batches = splitBatches(hosts(count), batch)
      assert.deepStrictEqual(batches.flat(), hosts(count))
      assert.isTrue(batches.every((one) => one.length > 0))
    }
  )
})

describe("MaxFailures", () => {
  it.each([
    ["without it any number is tolerated", undefined, 10, 10, false],
    ["0 tolerates none", "0", 1, 10, true],
    ["0 tolerates no failure at all", "0", 0, 10, false],
    ["a count tolerates that many", "2", 2, 10, false],
    ["a count stops at one more", "2", 3, 10, true],
    ["a percentage tolerates exactly that share", "20%", 2, 10, false],
    ["a percentage stops above that share", "20%", 3, 10, true],
    ["a share of a host does not count as one", "15%", 1, 10, false],
    ["a share of a host is passed by the next", "15%", 2, 10, true],
    ["100% never stops", "100%", 10, 10, false],
    ["one that cannot be read tolerates none", "many", 1, 10, true]
  ] as const)("%s", (_, text, failures, total, expected) => {
    assert.strictEqual(tooManyFailures(text, failures, total), expected)
  })
})
