import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { quoted } from "../../../src/mcp/prompts/Quoted.ts"

const CASES: ReadonlyArray<readonly [string, string]> = [
  ["df -h", '"df -h"'],
  ['a "b" \\c', '"a \\"b\\" \\\\c"'],
  ["a\nb\tc\u0000", '"a\\nb\\tc\\u0000"'],
  ["\u001b[31mred", '"\\u001b[31mred"'],
  ["\u0085\u007f\u009b", '"???"'],
  ["\u202eabc\u2066", '"?abc?"'],
  ["\u{e0041}\u{e007f}", '"??"'],
  ["a\u200bb\ufe0fc\u3164d\u00ade", '"a?b?c?d?e"'],
  ["\u2028\u2029", '"??"'],
  ["\ud83d", '"\\ud83d"'],
  ["gr\u00fc\u00df \u{1f600}", '"gr\u00fc\u00df \u{1f600}"']
]

describe("quoted", () => {
  for (const [text, expected] of CASES) {
    it(`shows ${JSON.stringify(text)} in sight, on one line`, () => {
      assert.strictEqual(quoted(text, 100), expected)
    })
  }

  it("cuts with a mark", () => {
    assert.strictEqual(quoted("abcdef", 3), '"abc" (cut after 3 characters)')
    assert.strictEqual(quoted("abc", 3), '"abc"')
  })

  it.prop("is one line of bounded length between quotes that the text cannot end", [Schema.String], ([text]) => {
    const line = quoted(text, 20)
    assert.isBelow(line.length, 20 * 6 + 40)
    assert.match(line, /^"(?:[^"\\\n\r\u2028\u2029]|\\["\\bfnrtu])*"(?: \(cut after 20 characters\))?$/)
  })
})
