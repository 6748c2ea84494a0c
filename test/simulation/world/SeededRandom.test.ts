import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { seededRandom } from "../../../src/simulation/world/SeededRandom.ts"

const Seed = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }))
const first = (seed: number, count = 8) => {
  const random = seededRandom(seed)
  return Array.from({ length: count }, random.next)
}

describe("SeededRandom", () => {
  it("the numbers of a seed never change: a replay token would mean another run", () => {
    assert.deepStrictEqual(first(0, 4), [813013227, 1491674134, 236732298, 1515747149])
    assert.deepStrictEqual(first(1, 4), [4258504929, 3912249442, 3426411297, 3751689027])
    assert.deepStrictEqual(
      Array.from({ length: 4 }, seededRandom(1).fork("hosts").fork("web-1").next),
      [2202125474, 3580071415, 3381383157, 1688670697]
    )
  })

  it.prop("numbers are whole, of 32 bits, and the same for the same seed", [Seed], ([seed]) => {
    const numbers = first(seed)
    return (
      numbers.every((n) => Number.isInteger(n) && n >= 0 && n < 2 ** 32) &&
      JSON.stringify(numbers) === JSON.stringify(first(seed))
    )
  })

  it("seeds that differ in any bit give other numbers", () => {
    const seen = new Set<string>()
    for (let bit = 0; bit < 53; bit++) seen.add(first(2 ** bit, 2).join())
    for (let seed = 0; seed < 1000; seed++) seen.add(first(seed, 2).join())
    // 2^0 to 2^9 are among the first thousand.
    assert.strictEqual(seen.size, 1000 + 53 - 10)
  })

  it.prop(
    "a fork depends on its name and the seed, not on what was drawn or forked before",
    [Seed, Schema.String],
    ([seed, name]) => {
      const one = seededRandom(seed)
      const other = seededRandom(seed)
      one.next()
      one.fork("another").next()
      return one.fork(name).next() === other.fork(name).next()
    }
  )

  it("forks of other names, and the stream itself, are other streams", () => {
    const root = seededRandom(5)
    const streams = [root, ...["", "a", "b", "ab", "ba", "hosts", "order"].map(root.fork), root.fork("a").fork("b")]
    assert.strictEqual(new Set(streams.map((stream) => [stream.next(), stream.next()].join())).size, streams.length)
  })

  it("all results of a small range are about as likely", () => {
    const random = seededRandom(11)
    const counts = [0, 0, 0, 0, 0, 0]
    for (let draw = 0; draw < 60_000; draw++) counts[random.below(6)] = (counts[random.below(6)] ?? 0) + 1
    // Each is 10,000 on average with a standard deviation of 91.
    for (const count of counts) assert.closeTo(count, 10_000, 500)
  })

  it("a chance of 0 never comes and one of 1 always", () => {
    const random = seededRandom(12)
    assert.isFalse(Array.from({ length: 1000 }, () => random.chance(0)).some(Boolean))
    assert.isTrue(Array.from({ length: 1000 }, () => random.chance(1)).every(Boolean))
  })

  it("a range of one or none is 0", () => {
    const random = seededRandom(13)
    assert.deepStrictEqual([random.below(1), random.below(0), random.pick(["only"])], [0, 0, "only"])
  })
})
