import { assert, describe, it } from "@effect/vitest"
import { Redacted, Schema } from "effect"
import { jsonLine } from "../../src/audit/JsonLine.ts"

const head = { time: new Date(0), level: "info", type: "audit" }
const line = (fields: Record<string, unknown>) => jsonLine(head, fields)
const back = (text: string) => JSON.parse(text) as Record<string, unknown>

describe("jsonLine", () => {
  it("begins with time, level and type, which no field can replace", () => {
    assert.strictEqual(
      line({ ts: "x", level: "y", type: "z", a: 1 }),
      `{"ts":"1970-01-01T00:00:00.000Z","level":"info","type":"audit","a":1}`
    )
  })

  const hostile: ReadonlyArray<readonly [string, string]> = [
    ["line breaks", "a\r\nb"],
    ["escape", "\u001b[2J"],
    ["DEL and C1 controls", "\u007f\u0085\u009b31m"],
    ["line and paragraph separators", "\u2028\u2029"],
    ["bidirectional controls", "\u202e\u2066\u2069\u200f\u061c"],
    ["zero-width characters and BOM", "\u200b\u200d\u2060\ufeff\u00ad"],
    ["tag characters", "\u{e0041}\u{e007f}"],
    ["variation selectors", "\ufe00\ufe0f\u{e0100}\u{e01ef}"],
    ["fillers and other invisible characters", "\u034f\u115f\u3164\uffa0\u180b\u206a\u206f\u{1d173}"]
  ]
  for (const [name, text] of hostile) {
    it(`writes ${name} as escapes, and they read back unchanged`, () => {
      const written = line({ text, [text]: 1 })
      assert.match(written, /^[\x20-\x7e]*$/)
      assert.strictEqual(back(written)["text"], text)
    })
  }

  it.prop("any text is one line that reads back", [Schema.String], ([text]) => {
    const written = line({ text })
    assert.isFalse(/[\n\r\u2028\u2029\u0080-\u009f]/.test(written))
    assert.strictEqual(back(written)["text"], text)
  })

  it("cuts long texts and lists, and nesting that is too deep", () => {
    const written = back(line({ text: "x".repeat(9000), list: Array.from({ length: 1000 }, () => 1) }))
    assert.match(String(written["text"]), /^x{8192}… \[808 characters cut\]$/)
    assert.lengthOf(written["list"] as ReadonlyArray<number>, 256)
    let deep: unknown = "end"
    for (let i = 0; i < 20; i++) deep = { deep }
    assert.include(line({ deep }), "[nested too deep]")
  })

  it("survives cycles and bigints, and a redacted value stays hidden", () => {
    const cycle: Record<string, unknown> = { big: 1n, secret: Redacted.make("hunter2") }
    cycle["self"] = cycle
    const written = line(cycle)
    assert.notInclude(written, "hunter2")
    assert.isObject(back(written))
  })
})
