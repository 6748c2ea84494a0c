import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { compileGlob, hasWildcard, matchesGlob } from "../../src/policy/Glob.ts"

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

describe("hasWildcard", () => {
  it("takes an unclosed [ for a literal", () => {
    for (const pattern of ["*", "a?", "[a]", "a[!b]", "[]]", "x[[]"]) assert.isTrue(hasWildcard(pattern), pattern)
    for (const pattern of ["", "[", "a[b", "[]", "[!]", "]", "a]["]) assert.isFalse(hasWildcard(pattern), pattern)
  })
})

describe("compileGlob", () => {
  const PIECES = ["a", "b", "*", "?", "[", "]", "[ab]", "[!a]", "[*]", "!", "-"] as const
  const Pieces = Schema.Array(Schema.Literals(PIECES))

  it("tells what every match begins and ends with", () => {
    const span = compileGlob("/var/log/*.log")
    assert.deepInclude(span, { literal: undefined, head: "/var/log/", tail: ".log", isSpan: true })
    assert.deepInclude(compileGlob("a**"), { head: "a", tail: "", isSpan: true })
    assert.deepInclude(compileGlob("a*b*"), { head: "a", tail: "", isSpan: false })
    assert.deepInclude(compileGlob("a?b"), { literal: undefined, head: "a", tail: "b", isSpan: false })
    assert.deepInclude(compileGlob("a[*]"), { literal: undefined, head: "a", tail: "", isSpan: false })
    assert.deepInclude(compileGlob("a[b"), { literal: "a[b", head: "a[b", tail: "a[b", isSpan: false })
    assert.deepInclude(compileGlob("a[*"), { head: "a[", tail: "", isSpan: true })
  })

  it.prop(
    "matches as matchesGlob does",
    [Pieces, Schema.Array(Schema.Literals(["a", "b", "[", "]", "!", "-", "*"]))],
    ([pieces, text]) => {
      const glob = compileGlob(pieces.join(""))
      const matches = matchesGlob(pieces.join(""), text.join(""))
      return (
        glob.matches(text.join("")) === matches &&
        (!matches || (text.join("").startsWith(glob.head) && text.join("").endsWith(glob.tail))) &&
        (glob.literal === undefined || glob.literal !== text.join("") || matches)
      )
    },
    { arbitrary: { runs: 6000, seed: "globs" } }
  )
})
