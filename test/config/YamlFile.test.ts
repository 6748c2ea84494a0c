import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { formatProblem } from "../../src/config/Problem.ts"
import { parseYamlFile } from "../../src/config/YamlFile.ts"

const bytes = (text: string) => new TextEncoder().encode(text)
const parse = (text: string) => parseYamlFile("x.yml", bytes(text))
const problems = (text: string): ReadonlyArray<string> =>
  Result.match(parse(text), { onSuccess: () => [], onFailure: (found) => found.map(formatProblem) })
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value ?? null))
const value = (text: string): unknown => plain(Result.getOrThrow(parse(text)).value)

describe("a file that is refused", () => {
  const cases: ReadonlyArray<readonly [name: string, text: string, expected: string]> = [
    ["a syntax error", "rules: [", "x.yml:1:9: Flow sequence in block collection"],
    ["a duplicate key", "a: 1\nb: 2\na: 3", "x.yml:3:1: a: duplicate key"],
    ["a duplicate key in a flow mapping", "l: {a: 1, a: 2}", "x.yml:1:11: l.a: duplicate key"],
    ["a number and a text that are the same key", 'a: {1: x, "1": y}', "x.yml:1:11: a.1: duplicate key"],
    ["__proto__", "a:\n  __proto__: {b: 1}", "x.yml:2:3: a.__proto__: this key is not allowed"],
    ["constructor", "a: {constructor: 1}", "x.yml:1:5: a.constructor: this key is not allowed"],
    ["a JavaScript tag", 'x: !!js/function "f"', "x.yml:1:4: tags are not supported"],
    ["a Python tag", 'x: !!python/object/apply:os.system ["id"]', "x.yml:1:4: tags are not supported"],
    ["a binary tag", "x: !!binary aGk=", "x.yml:1:13: x: tags are not supported"],
    ["two documents", "a: 1\n---\nb: 2", "x.yml:2:1: more than one YAML document"],
    ["a list as a key", "? [a, b]\n: 1", "x.yml:1:3: a key must be plain text"],
    ["an alias without an anchor", "a: *b", "x.yml:1:4: a: alias without a complete anchor"],
    ["an alias inside its own anchor", "a: &a [*a]", "x.yml:1:8: a[0]: alias without a complete anchor"],
    ["a merge key without a mapping", "a: &a [1]\nb: {<<: [*a]}", "x.yml:2:5: b.<<: a merge key needs a mapping"],
    ["deep flow nesting", `x: ${"[".repeat(5000)}`, "nesting is deeper than 100 levels"],
    ["deep block nesting", "- ".repeat(5000), "nesting is deeper than 100 levels"],
    [
      "aliases that expand past the cap",
      "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\n" +
        "d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: [*d,*d,*d,*d,*d,*d,*d,*d,*d]",
      "aliases expand to more than 10000 nodes"
    ]
  ]
  it.each(cases)("%s", (_, text, expected) => {
    assert.include(problems(text)[0] ?? "accepted", expected)
  })

  it("invalid UTF-8", () => {
    const result = parseYamlFile("x.yml", new Uint8Array([0x61, 0x3a, 0xc3, 0xff]))
    assert.deepStrictEqual(Result.isFailure(result) && result.failure.map(formatProblem), [
      "x.yml:1:1: file is not valid UTF-8"
    ])
  })

  it("more than 10 MiB", () => {
    const result = parseYamlFile("x.yml", new Uint8Array(10 * 1024 * 1024 + 1).fill(0x20))
    assert.isTrue(Result.isFailure(result))
  })
})

describe("what is read", () => {
  it("empty files, comments and null are nothing", () => {
    for (const text of ["", "\n", "# only a comment\n", "null", "~", '""']) {
      assert.isUndefined(Result.getOrThrow(parse(text)).value, text)
    }
  })
  it("no, off and 1_000 are text, as YAML 1.2 has it, also below a YAML 1.1 directive", () => {
    assert.deepStrictEqual(value("a: no\nb: off\nc: 1_000\nd: true"), { a: "no", b: "off", c: "1_000", d: true })
    assert.deepStrictEqual(value("%YAML 1.1\n---\na: no"), { a: "no" })
  })
  it("empty and null keys are unset in mappings, but not in lists", () => {
    assert.deepStrictEqual(value('a: ""\nb:\nc: {d: null, e: 1}\nf: ["", null]'), { c: { e: 1 }, f: ["", null] })
  })
  it("unset keys stay visible in the complete value", () => {
    assert.deepStrictEqual(plain(Result.getOrThrow(parse('a: ""\nb: 1')).complete), { a: "", b: 1 })
  })
  it("anchors and simple merge keys, each with a warning", () => {
    const file = Result.getOrThrow(parse("h:\n  - &w {a: 1, b: 2}\n  - {<<: *w, b: 3}\n  - *w"))
    assert.deepStrictEqual(plain(file.value), {
      h: [
        { a: 1, b: 2 },
        { a: 1, b: 3 },
        { a: 1, b: 2 }
      ]
    })
    assert.deepStrictEqual(
      file.warnings.map(({ key, line }) => [key, line]),
      [
        ["h[0]", 2],
        ["h[1].<<", 3]
      ]
    )
  })
  it("numbers as keys are their text", () => {
    assert.deepStrictEqual(value("a: {1: x, 007: y, true: z}"), { a: { "1": "x", "007": "y", true: "z" } })
  })
  it("objects have no prototype", () => {
    assert.isNull(Object.getPrototypeOf(Result.getOrThrow(parse("a: 1")).value))
  })
  it("a byte order mark and CRLF", () => {
    const file = Result.getOrThrow(parse("\uFEFFa: 1\r\nb: 2\r\n"))
    assert.deepStrictEqual(plain(file.value), { a: 1, b: 2 })
    assert.deepStrictEqual(file.locate(["b"], "key"), { line: 2, column: 1 })
  })
  it("places of keys, values, items and of the nearest parent", () => {
    const file = Result.getOrThrow(parse("a:\n  - b: 1\n    c: [2, 3]\n"))
    assert.deepStrictEqual(file.locate(["a"], "key"), { line: 1, column: 1 })
    assert.deepStrictEqual(file.locate(["a", 0, "c"], "key"), { line: 3, column: 5 })
    assert.deepStrictEqual(file.locate(["a", 0, "c", 1], "value"), { line: 3, column: 12 })
    assert.deepStrictEqual(file.locate(["a", 0, "missing"], "value"), { line: 2, column: 5 })
    assert.deepStrictEqual(file.locate([], "value"), { line: 1, column: 1 })
  })
})
