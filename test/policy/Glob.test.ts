import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { matchesGlob } from "../../src/policy/Glob.ts"

const MATCHES: ReadonlyArray<readonly [pattern: string, text: string]> = [
  ["", ""],
  ["*", ""],
  ["*", "a/b c"],
  ["prod-*", "prod-web-1"],
  ["*-1", "web-1"],
  ["a*b*c", "aXbYbZc"],
  ["?", "a"],
  ["[abc]x", "bx"],
  ["[a-c]x", "bx"],
  ["[!a-c]x", "dx"],
  ["[]]", "]"],
  ["[a-]", "-"],
  ["[", "["],
  ["a[b", "a[b"],
  ["*.log", "x.log"],
  ["[[]", "["],
  ["\\*", "\\x"]
]

const DIFFERS: ReadonlyArray<readonly [pattern: string, text: string]> = [
  ["", "a"],
  ["a", ""],
  ["?", ""],
  ["prod-*", "Prod-1"],
  ["[!a]", ""],
  ["[!a-c]x", "bx"],
  ["a*b", "ac"],
  ["[abc]", "d"],
  ["a?c", "ac"],
  ["!reboot", "uptime"],
  ["{a,b}", "a"]
]

describe("matchesGlob", () => {
  it("matches as fnmatch without flags does", () => {
    for (const [pattern, text] of MATCHES) assert.isTrue(matchesGlob(pattern, text), `${pattern} on ${text}`)
    for (const [pattern, text] of DIFFERS) assert.isFalse(matchesGlob(pattern, text), `${pattern} on ${text}`)
  })

  it("needs few steps for patterns that blow up a back-tracking matcher", () => {
    assert.isFalse(matchesGlob("*a*a*a*a*a*a*a*a*b", "a".repeat(8192)))
    assert.isFalse(matchesGlob(`${"*a".repeat(128)}b`, "a".repeat(8192)))
  })

  it.prop("a literal pattern matches itself and nothing else", [Schema.String, Schema.String], ([left, right]) => {
    const literal = left.replaceAll(/[*?[]/g, "")
    return matchesGlob(literal, literal) && matchesGlob(literal, right) === (literal === right)
  })

  it.prop("a star may stand for any text", [Schema.String, Schema.String, Schema.String], ([left, middle, right]) => {
    const head = left.replaceAll(/[*?[]/g, "")
    const tail = right.replaceAll(/[*?[]/g, "")
    return matchesGlob(`${head}*${tail}`, head + middle + tail)
  })
})
