import { assert, describe, it } from "@effect/vitest"
import { type DynamicWord, staticWord, unknownWord, type Words } from "../../../src/policy/shell/Word.ts"
import { explains } from "./Explanation.ts"
import { generateScript } from "./ScriptGenerator.ts"
import { HOME } from "./ShellRunner.ts"

const a = staticWord("a")
const logs: DynamicWord = {
  ...unknownWord("/var/*.log", "each"),
  prefix: "/var/",
  suffix: ".log",
  mayBeOption: false,
  mayTraverse: false
}
const home: DynamicWord = { ...unknownWord("~/'x y'", "one"), prefix: "/", home: "~/x y" }

const cases: ReadonlyArray<readonly [string, Words, readonly [string, ...ReadonlyArray<string>], boolean]> = [
  ["equal static words", [a, staticWord("x y")], ["a", "x y"], true],
  ["another name", [a], ["b"], false],
  ["a word more", [a, staticWord("x")], ["a", "x", "y"], false],
  ["a word less", [a, staticWord("x")], ["a"], false],
  ["one quoted unknown word", [a, unknownWord('"$v"', "one")], ["a", "-x ../y"], true],
  ["two for one", [a, unknownWord('"$v"', "one")], ["a", "x", "y"], false],
  ["none for one", [a, unknownWord('"$v"', "one")], ["a"], false],
  ["none for any", [a, unknownWord("$v", "any"), staticWord("z")], ["a", "z"], true],
  ["three for any", [a, unknownWord("$v", "any"), staticWord("z")], ["a", "x", "z", "y", "z"], true],
  ["none for each", [a, unknownWord("*", "each")], ["a"], false],
  ["two for each", [a, logs], ["a", "/var/x.log", "/var/y.log"], true],
  ["a wrong prefix", [a, logs], ["a", "/etc/x.log"], false],
  ["a wrong suffix", [a, logs], ["a", "/var/x"], false],
  ["a path that climbs", [a, logs], ["a", "/var/../x.log"], false],
  ["an option that may not be one", [a, { ...unknownWord("$v", "any"), mayBeOption: false }], ["a", "-x"], false],
  ["the home directory", [a, home], ["a", `${HOME}/x y`], true],
  ["another home directory", [a, home], ["a", "/x/x y"], false]
]

describe("explains", () => {
  it("takes an argument list for one that the words may become, or not", () => {
    for (const [name, words, argv, expected] of cases) assert.strictEqual(explains(words, argv), expected, name)
  })
})

describe("generateScript", () => {
  it("makes the same script for the same seed and index, and others for others", () => {
    const texts = (seed: number) => Array.from({ length: 50 }, (_, index) => generateScript(seed, index).text)
    assert.deepStrictEqual(texts(7), texts(7))
    assert.isAbove(new Set([...texts(7), ...texts(8)]).size, 80)
  })
})
