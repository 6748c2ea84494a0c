import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { matchesGlob } from "../../../src/policy/Glob.ts"
import { compileAllowPattern, matchAllowPattern } from "../../../src/policy/rules/AllowPattern.ts"
import { checkTranslation } from "../../../src/policy/rules/Translation.ts"
import { hasProblems, problemsOf } from "./Problems.ts"
import { PATTERN_PIECES, staticWords, TEXTS } from "./words.ts"

const STRICTER = "is stricter than in the original: "

/** The notes about one allow rule of a file without a version: places and the beginning of each reason. */
const notesOf = (rule: object): ReadonlyArray<string> =>
  problemsOf({ version: 1, rules: [{ action: "allow", ...rule }] })
    .filter((problem) => problem.includes(STRICTER))
    .map((problem) => problem.replace("warning rules.0.", "").replace(`rules[0] ${STRICTER}`, ""))

const NAME = "the star at the end of the program's name"
const PATH = "the star at the end of a path"
const MIDDLE = "a wildcard that more text follows"
const OPERATORS = "each command of a pipeline or list is matched alone"
const GUARDED = "options that run programs or write files"
const WRAPPER = "what it runs needs a rule of its own"

const noted = (pattern: string, ...reasons: ReadonlyArray<string>): void => {
  const notes = notesOf({ commands: [pattern] })
  assert.deepStrictEqual(
    notes.map((note) => reasons.find((reason) => note.startsWith(`commands.0: ${reason}`)) ?? note),
    reasons,
    pattern
  )
}

describe("notes on files of the original", () => {
  it("name the star behind a program's name", () => {
    noted("uptime*", NAME)
    noted("/usr/bin/uptime*", "the star at the end of the program's name")
    noted("uptime *")
    noted("uptime")
    noted("df -h*")
  })

  it("name the star at the end of a path", () => {
    noted("cat /var/log/*", PATH)
    noted("cat ~/logs/*", PATH)
    noted("cat /var/log/*.log", MIDDLE)
    noted("ls 'a/*'")
  })

  it("name a star in the middle", () => {
    noted("cat * /etc/hosts", MIDDLE)
    noted("ls *x y", MIDDLE)
    noted("diff * /var/log/*", PATH, MIDDLE)
    noted("ls a?c", MIDDLE)
    noted("ls a[!x]c y", MIDDLE)
    noted("ls ?a b? [xy]")
  })

  it("name operators of the shell outside quotes, and then nothing else of that pattern", () => {
    for (const pattern of [
      "ps aux | grep *",
      "a* && b*",
      "a; b",
      "uptime > /tmp/*",
      "sort < /x",
      "a `b`",
      "ls $(x) *"
    ]) {
      noted(pattern, OPERATORS)
    }
    noted("grep 'a|b' x")
    noted('echo "a; b"')
    noted("ls $HOME", "a variable in a pattern is plain text")
  })

  it("name guarded programs under a wildcard", () => {
    noted("awk *", GUARDED)
    noted("sort -o *", GUARDED)
    noted("sort ?", GUARDED)
    noted("sort x")
    noted("cat *")
    assert.deepStrictEqual(notesOf({ commands: ["awk *"], unsafe_args: true }), [])
  })

  it("name wrappers under a wildcard unless the pattern names the inner command", () => {
    noted("sudo *", WRAPPER)
    noted("xargs *", WRAPPER)
    noted("timeout * uptime", MIDDLE, WRAPPER)
    noted("sudo cat *")
    noted("sudo awk *", GUARDED)
    noted("sudo nice cat *")
    noted("sudo reboot")
    noted("sh -c *", WRAPPER)
  })

  it("name what a star for any program does not cover", () => {
    noted("*", "the star for the program's name covers no program that is given by its path", GUARDED, WRAPPER)
  })

  it("name guarded programs and wrappers among exact words", () => {
    assert.strictEqual(notesOf({ simple_binaries: ["uptime", "awk"] }).length, 1)
    assert.match(notesOf({ simple_binaries: ["uptime", "awk"] })[0] ?? "", /^simple_binaries\.1: options that run/)
    assert.match(notesOf({ simple_binaries: ["nice"] })[0] ?? "", /^simple_binaries\.0: what it runs/)
    assert.deepStrictEqual(notesOf({ simple_binaries: ["awk", "nice"], simple_max_args: 0 }), [])
    assert.match(notesOf({ binary: "sort", arg_prefix: ["-u"] })[0] ?? "", /^binary: options that run/)
    assert.deepStrictEqual(notesOf({ binary: "sort", arg_prefix: ["-u"], allow_extra_args: false }), [])
    assert.deepStrictEqual(notesOf({ binary: "sudo", arg_prefix: ["cat"] }), [])
  })

  it("are one for each rule and reason, with up to three patterns, at the first", () => {
    const notes = notesOf({ commands: ["id", "a*", "b*", "c*", "d*", "cat /x/*"] })
    assert.deepStrictEqual(notes.length, 2)
    assert.match(notes[0] ?? "", /^commands\.1: .* \("a\*", "b\*", "c\*" and 1 more\)$/)
    assert.match(notes[1] ?? "", /^commands\.5: .* \("cat \/x\/\*"\)$/)
    assert.include(notesOf({ commands: [`${"x".repeat(300)}*`] })[0], `"${"x".repeat(24)}…"`)
  })

  it("are not made for version 3 and for rules that deny", () => {
    const rule = { commands: ["uptime*", "sudo *", "cat /x/*"] }
    hasProblems(problemsOf({ rules: [{ action: "allow", ...rule }] }), [])
    hasProblems(problemsOf({ version: 2, rules: [{ action: "deny", ...rule }] }), [])
    hasProblems(problemsOf({ version: 2, rules: [rule] }), [])
  })

  it.prop(
    "are complete: without one, a pattern covers all that the original's match covered, but for .. segments",
    [
      Schema.Literals(["a", "a*", "a b"]),
      Schema.Array(Schema.Literals(PATTERN_PIECES)),
      Schema.Array(Schema.Literals(TEXTS)).check(Schema.isMaxLength(4))
    ],
    ([name, pieces, given]) => {
      const source = [name, ...pieces].join(" ")
      const args = given.filter((text) => !text.includes("..") && !text.includes(" "))
      const pattern = compileAllowPattern(source)
      const isStricter =
        matchesGlob(source, ["a", ...args].join(" ")) &&
        (pattern === undefined || matchAllowPattern(pattern, staticWords(["a", ...args])) === undefined)
      return !isStricter || checkTranslation({ action: "allow", commands: [source] }, 0).length > 0
    },
    { arbitrary: { runs: 5000, seed: "translation" } }
  )
})
