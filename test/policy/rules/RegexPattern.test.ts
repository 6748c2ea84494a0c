import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import * as library from "re2js"
import { makeRegexEngine } from "../../../src/policy/rules/Re2.ts"
import { regexHead } from "../../../src/policy/rules/RegexHead.ts"
import {
  compileRegexPattern,
  matchRegexPattern,
  mayMatchRegexPattern,
  regexProgram
} from "../../../src/policy/rules/RegexPattern.ts"
import type { Words } from "../../../src/policy/shell/Word.ts"
import { expanded, Part, staticWords, wordsOf } from "./words.ts"

const engine = makeRegexEngine(library)

const allows = (source: string, words: Words): boolean =>
  matchRegexPattern(compileRegexPattern(source, engine), words) !== undefined

const mayDeny = (source: string, words: Words): boolean =>
  mayMatchRegexPattern(compileRegexPattern(source, engine), words)

const isAccepted = (source: string): boolean => Result.isSuccess(engine.compile(source))

describe("the regular expressions", () => {
  it("match whole texts, case-sensitive, in linear time", () => {
    const test = (source: string, text: string): boolean =>
      Result.match(engine.compile(source), { onFailure: () => false, onSuccess: (matches) => matches(text) })
    assert.isTrue(test("a|ab", "ab"))
    assert.isFalse(test("a", "ab"))
    assert.isFalse(test("a", "ba"))
    assert.isFalse(test("a", "A"))
    assert.isFalse(test("ab$", "ab\n"))
    assert.isFalse(test("^(a+)+$", `${"a".repeat(10_000)}!`))
  })

  it("are refused with a reason when they are not of linear time, malformed or too long", () => {
    for (const source of ["(?<=a)b", "(a)\\1", "[", "a{1001}", "a".repeat(513)])
      assert.isFalse(isAccepted(source), source)
    assert.isTrue(isAccepted("a".repeat(512)))
    assert.include(Result.merge(Result.map(engine.compile("["), () => "")), "missing closing ]")
  })

  it("have a literal head where it is plain", () => {
    const heads: ReadonlyArray<readonly [source: string, head: string, isWhole: boolean]> = [
      ["df -h", "df -h", true],
      ["^df -h$", "df -h", true],
      ["df .*", "df ", false],
      ["df(| -h)", "df", false],
      ["dfx?", "df", false],
      ["dfx*", "df", false],
      ["dfx{0,1}", "df", false],
      ["dfx+", "dfx", false],
      ["df|rm", "", false],
      ["df \\[a\\|b\\]", "df [a|b]", true],
      ["df [|]", "df ", false],
      ["df []|)] (a|b)", "df ", false],
      ["df [(]|rm", "", false],
      ["df [[:alpha:](]|rm", "", false],
      ["df [+-[:(:]|rm]", "", false],
      ["df (a)|rm", "", false],
      ["df \\Q(\\E|rm", "", false],
      ["\\d", "", false],
      ["(?i)df", "", false],
      ["a\\.b\\b", "a.b", false],
      ["a😀?", "a", false],
      ["", "", true]
    ]
    for (const [source, text, isWhole] of heads) assert.deepStrictEqual(regexHead(source), { text, isWhole }, source)
  })

  it("are looked up by a program that the head names", () => {
    const program = (source: string) => regexProgram(compileRegexPattern(source, engine))
    assert.strictEqual(program("df -h"), "df")
    assert.strictEqual(program("df"), "df")
    assert.strictEqual(program("\\[ .*"), undefined)
    assert.strictEqual(program("df.*"), undefined)
    assert.strictEqual(program("/bin/df .*"), "/bin/df")
    assert.strictEqual(regexProgram(compileRegexPattern("df -h", undefined)), undefined)
  })

  const PIECES = [
    "a",
    "b",
    ".",
    "*",
    "+",
    "?",
    "|",
    "(",
    ")",
    "[",
    "]",
    "^",
    "$",
    "\\",
    "\\|",
    "[|]",
    " ",
    "{2}",
    "(?:",
    "-"
  ] as const
  it.prop(
    "begin every match with their head",
    [
      Schema.Array(Schema.Literals(PIECES)),
      Schema.Array(Schema.Literals(["a", "b", " ", "-", "|", "[", "]", "\\", "^"]))
    ],
    ([pieces, text]) => {
      const source = pieces.join("")
      const { isWhole, text: head } = regexHead(source)
      return Result.match(engine.compile(source), {
        onFailure: () => true,
        onSuccess: (matches) =>
          [text.join(""), head, head + text.join("")].every(
            (each) => !matches(each) || (each.startsWith(head) && (!isWhole || each === head))
          )
      })
    },
    { arbitrary: { runs: 6000, seed: "heads" } }
  )
})

describe("a regular expression of an allow rule", () => {
  it("matches the canonical text of static words", () => {
    assert.isTrue(allows("systemctl (status|show) [a-z-]+", wordsOf("systemctl status nginx")))
    assert.isFalse(allows("systemctl (status|show) [a-z-]+", wordsOf("systemctl stop nginx")))
    assert.isFalse(allows("systemctl (status|show) [a-z-]+", wordsOf("systemctl status nginx reboot")))
    assert.isTrue(allows("grep 'a b' [a-z]+", staticWords(["grep", "a b", "x"])))
    assert.isFalse(allows("grep a b [a-z]+", staticWords(["grep", "a b", "x"])))
  })

  it("matches no dynamic word, no .. segment, and a program by path only when it begins with it", () => {
    for (const command of ["ls $x", 'ls "$x"', "ls *", "ls ~/a", "ls ../a", "ls a/..", "ls --a=../b", "$x"]) {
      assert.isFalse(allows(".*", wordsOf(command)), command)
    }
    assert.isTrue(allows(".*", wordsOf("ls a")))
    assert.isFalse(allows(".*", wordsOf("/bin/ls a")))
    assert.isFalse(allows("/bin/l.*", wordsOf("/bin/ls a")))
    assert.isTrue(allows("/bin/ls .*", wordsOf("/bin/ls a")))
    assert.isTrue(allows("^/bin/ls$", wordsOf("/bin/ls")))
  })

  it("covers the name when it is literal, and never an argument", () => {
    const coverage = (source: string, command: string) =>
      matchRegexPattern(compileRegexPattern(source, engine), wordsOf(command))
    assert.deepStrictEqual(coverage("df -h", "df -h"), [true, false])
    assert.deepStrictEqual(coverage("df.*", "df -h"), [false, false])
    assert.deepStrictEqual(coverage("df", "df"), [true])
  })

  it("never matches without an engine or when it does not compile", () => {
    assert.isUndefined(matchRegexPattern(compileRegexPattern("df", undefined), wordsOf("df")))
    assert.isFalse(allows("(?=d)df", wordsOf("df")))
  })
})

describe("a regular expression of a deny rule", () => {
  it("fires on the canonical text and without its quotes, under any path", () => {
    assert.isTrue(mayDeny("rm .*", wordsOf("rm -rf x")))
    assert.isTrue(mayDeny("rm .*", wordsOf("/bin/rm -rf x")))
    assert.isTrue(mayDeny("/bin/rm .*", wordsOf("/bin/rm -rf x")))
    assert.isTrue(mayDeny("grep a b", staticWords(["grep", "a b"])))
    assert.isTrue(mayDeny("grep 'a b'", staticWords(["grep", "a b"])))
    assert.isFalse(mayDeny("rm .*", wordsOf("ls rm")))
  })

  it("fires on dynamic words unless the command begins otherwise", () => {
    assert.isTrue(mayDeny("docker rm .*", wordsOf("docker $x")))
    assert.isTrue(mayDeny("docker rm .*", wordsOf('/usr/bin/docker "$x"')))
    assert.isTrue(mayDeny("docker", wordsOf("docker $x")))
    assert.isTrue(mayDeny(".*shadow.*", wordsOf("cat /etc/*")))
    assert.isTrue(mayDeny("ls|rm", wordsOf("rm $x")))
    assert.isFalse(mayDeny("docker rm .*", wordsOf("docker ps $x")))
    assert.isFalse(mayDeny("docker rm .*", wordsOf("ls *")))
    assert.isTrue(mayDeny("ls", wordsOf("$x")))
  })

  it("always fires without an engine or when it does not compile", () => {
    assert.isTrue(mayMatchRegexPattern(compileRegexPattern("df", undefined), wordsOf("ls")))
    assert.isTrue(mayDeny("(?=d)df", wordsOf("ls")))
  })

  it.prop(
    "fires on a command when it fires on anything that the command may become",
    [
      Schema.Literals([
        "a",
        "a b",
        "a .*",
        "a a( .*)?",
        "a ab?.*",
        "(b|a) .*",
        "a (a|b).*",
        "a '.*",
        "a -x.*q",
        "a|b",
        ".*b"
      ]),
      Schema.Array(Part)
    ],
    ([source, parts]) => {
      const { texts, words } = expanded(parts)
      return !mayDeny(source, staticWords(texts)) || mayDeny(source, words)
    },
    { arbitrary: { runs: 5000, seed: "deny regex" } }
  )
})
