import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { completePrefix } from "../../src/mcp/Completion.ts"

describe("completePrefix", () => {
  it("keeps the order, compares case, and takes the empty prefix as every value", () => {
    const aliases = ["web-2", "web-1", "Web-3", "db"]
    assert.deepStrictEqual(completePrefix(aliases, "web"), { values: ["web-2", "web-1"], total: 2, hasMore: false })
    assert.deepStrictEqual(completePrefix(aliases, ""), { values: aliases, total: 4, hasMore: false })
    assert.deepStrictEqual(completePrefix(aliases, "web-11"), { values: [], total: 0, hasMore: false })
  })

  it("gives 100 values and says how many there are", () => {
    const all = Array.from({ length: 100 }, (_, i) => `h${i}`)
    assert.deepStrictEqual(completePrefix(all, "h"), { values: all, total: 100, hasMore: false })
    assert.deepStrictEqual(completePrefix([...all, "h100"], "h"), { values: all, total: 101, hasMore: true })
  })

  it.prop(
    "never gives a value that does not begin so",
    [Schema.Array(Schema.String), Schema.String],
    ([all, prefix]) => {
      const { hasMore, total, values } = completePrefix(all, prefix.slice(0, 1))
      assert.isTrue(values.every((value) => value.startsWith(prefix.slice(0, 1))))
      assert.strictEqual(hasMore, total > values.length)
    }
  )
})
