import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { makeLineSplitter } from "../../src/mcp/LineSplitter.ts"

const Chunks = Schema.Array(Schema.Array(Schema.Literals(["a", "é", "\n"])))

describe("LineSplitter", () => {
  it.prop("gives the same lines whatever the chunks", [Chunks], ([chunks]) => {
    const splitter = makeLineSplitter(1_000_000)
    const lines: Array<string> = []
    for (const chunk of chunks) {
      for (const line of splitter.push(Buffer.from(chunk.join(""))).lines) lines.push(Buffer.from(line).toString())
    }
    lines.push(Buffer.from(splitter.rest()).toString())
    assert.deepStrictEqual(lines, chunks.flat().join("").split("\n"))
  })

  it("says when a line is longer than the limit, and gives the lines before it", () => {
    const splitter = makeLineSplitter(4)
    assert.isFalse(splitter.push(Buffer.from("abcd")).overflow)
    assert.isTrue(splitter.push(Buffer.from("e")).overflow)
    const { lines, overflow } = makeLineSplitter(4).push(Buffer.from("ab\nabcde\n"))
    assert.deepStrictEqual([lines.length, overflow], [1, true])
  })
})
