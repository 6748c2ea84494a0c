import { execFileSync } from "node:child_process"
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Effect, Result, Schema } from "effect"
import { commandHash, parseCommand } from "../../../src/policy/shell/ShellCommand.ts"
import { quoteCommand } from "../../../src/policy/shell/Quote.ts"

const codeOf = (command: string): string => {
  const parsed = parseCommand(command)
  return Result.isFailure(parsed) ? parsed.failure.code : "accepted"
}

const argvOf = (command: string): ReadonlyArray<string> | undefined => {
  const parsed = parseCommand(command)
  return Result.isSuccess(parsed) ? parsed.success.commands[0]?.argv : undefined
}

const ACCEPTED: ReadonlyArray<readonly [command: string, argv: ReadonlyArray<string>, canonical: string]> = [
  ["uptime", ["uptime"], "uptime"],
  ["  uptime\t-p \n", ["uptime", "-p"], "uptime -p"],
  ["'upt'ime", ["uptime"], "uptime"],
  ["r\\m x", ["rm", "x"], "rm x"],
  ["echo \"a b\" 'c' d\\ e $'f\\tg'", ["echo", "a b", "c", "d e", "f\tg"], "echo 'a b' c 'd e' 'f\tg'"],
  ["echo ''", ["echo", ""], "echo ''"],
  ["echo 'it'\\''s'", ["echo", "it's"], "echo 'it'\\''s'"],
  ["echo '$(reboot)' \"\\$HOME\" '`x`'", ["echo", "$(reboot)", "$HOME", "`x`"], "echo '$(reboot)' '$HOME' '`x`'"],
  ["echo a\\\nb", ["echo", "ab"], "echo ab"],
  ["echo a\r\n", ["echo", "a"], "echo a"],
  ["uptime # load", ["uptime"], "uptime"],
  ["uptime;", ["uptime"], "uptime"],
  ["echo {} !x a#b ^ HEAD~1", ["echo", "{}", "!x", "a#b", "^", "HEAD~1"], "echo '{}' '!x' 'a#b' '^' 'HEAD~1'"],
  ["env A=b c", ["env", "A=b", "c"], "env A=b c"],
  ["'if' x", ["if", "x"], "'if' x"],
  ["'a=b' x", ["a=b", "x"], "'a=b' x"],
  ["echo '~' \"~/x\"", ["echo", "~", "~/x"], "echo '~' '~/x'"],
  [
    "find . -name '*.c' -o -name \\*.h",
    ["find", ".", "-name", "*.c", "-o", "-name", "*.h"],
    "find . -name '*.c' -o -name '*.h'"
  ]
]

const REFUSED: ReadonlyArray<readonly [code: string, ...commands: ReadonlyArray<string>]> = [
  ["invalid-text", "", " ", "a\0", "a\u202eb"],
  ["too-long", "x".repeat(10_001)],
  [
    "parse",
    "echo '",
    'echo "',
    "a &&",
    "| a",
    "a )",
    "a;;",
    "if a; then b",
    "# only",
    "echo \\",
    "echo a\\",
    "a |",
    "{ a"
  ],
  ["construct/pipeline", "a | b", "a |& b"],
  ["construct/list", "a; b", "a\nb", "a && b", "a || b", "a & b"],
  ["construct/background", "a &"],
  ["construct/redirection", "a > b", "a 2>&1", "< a b", "> a", "a &> b", "(a) > b", "a {fd}> b", "a >| b"],
  ["construct/here-document", "a <<E\nx\nE", "a <<'E'\nx\nE"],
  ["construct/here-string", "a <<< b"],
  ["construct/substitution", "a $(b)", "a `b`", 'a "$(b)"', 'a "`b`"', "a x$(b)y", "a ${ b; }"],
  ["construct/process-substitution", "a <(b)", "a >(b)"],
  ["construct/arithmetic", "a $((1))", "((1))", "a $[1]", "a $[1", 'a "$[1"'],
  ["construct/brace-expansion", "a {b,c}", "a {1..3}", "a x{b,c}y"],
  ["construct/extended-glob", "a @(b)", "a !(b)"],
  ["construct/locale-string", 'a $"b"'],
  ["construct/byte-escape", "a $'\\xff'"],
  ["construct/control-character", "a $'\\1'", "a $'\\e'", "a $'\\u202e'", "a $'\\u200b'", "a $'\\r'"],
  ["construct/assignment", "A=b", "A=b c", "A+=b", "A[0]=b", "A=(b)", "export A=b"],
  ["construct/group", "(a)", "{ a; }"],
  ["construct/condition", "if a; then b; fi", "case a in b) c;; esac"],
  [
    "construct/loop",
    "for a in b; do c; done",
    "while a; do b; done",
    "select a in b; do c; done",
    "for ((;;)); do a; done"
  ],
  ["construct/function", "f() { a; }", "function f { a; }"],
  ["construct/coprocess", "coproc a"],
  ["construct/test", "[[ a ]]"],
  ["construct/time", "time a"],
  ["construct/negation", "! a"],
  [
    "dynamic-word",
    "a $b",
    'a "$b"',
    "a ${b}",
    "a ${b:-c}",
    'a "${b@P}"',
    "a *",
    "a b?",
    "a [bc]",
    "a ~",
    "a ~/b",
    "a ~root",
    "dd if=~/x",
    "a $1 $@ $#"
  ],
  ["dynamic-command-name", "$a", "*", "~/a", "${a} b", '"$a"', "/bin/r?"],
  ["construct/substitution", "$(a)", "`a` b"],
  [
    "command-name",
    "-a",
    "- a",
    "=a",
    "%1",
    "./a",
    "../a",
    "/a/../b",
    "/a/./b",
    "//a",
    "/a//b",
    "''",
    "'' a",
    ".",
    ".."
  ],
  ["too-many-commands", `echo '${"if ".repeat(65)}'`]
]

describe("parseCommand", () => {
  it("accepts one simple command of static words, decoded and quoted anew", () => {
    for (const [command, argv, canonical] of ACCEPTED) {
      const parsed = parseCommand(command)
      assert.isTrue(Result.isSuccess(parsed), command)
      if (Result.isFailure(parsed)) continue
      assert.deepStrictEqual(
        parsed.success.commands.map((each) => each.argv),
        [argv],
        command
      )
      assert.strictEqual(parsed.success.canonical, canonical)
    }
  })

  it("refuses everything else by a stable code", () => {
    for (const [code, ...commands] of REFUSED) {
      for (const command of commands) assert.strictEqual(codeOf(command), code, JSON.stringify(command))
    }
  })

  it("points at the offending piece", () => {
    const parsed = parseCommand(" uptime $HOME ")
    assert.isTrue(Result.isFailure(parsed))
    if (Result.isFailure(parsed)) {
      assert.strictEqual(parsed.failure.text, "$HOME")
      assert.deepStrictEqual(parsed.failure.span, [7, 12])
    }
  })

  it("refuses in bounded time what exhausts a parser", () => {
    for (const opener of [
      "$(",
      "`",
      "${",
      "<(",
      "(",
      '"$(',
      "{ ",
      "[[ ",
      "$((",
      "$[",
      "if ",
      "case x in ",
      "while ",
      "a(){ "
    ]) {
      assert.notStrictEqual(codeOf(opener.repeat(Math.floor(9_999 / opener.length))), "accepted", opener)
      assert.notStrictEqual(codeOf(opener.repeat(60)), "accepted", opener)
    }
  })

  it.prop("never throws", [Schema.String], ([text]) => {
    parseCommand(text)
    return true
  })

  it.prop("has a fixed point in its canonical text", [Schema.Array(Schema.String)], ([words]) => {
    const parsed = parseCommand(quoteCommand(["echo", ...words]))
    if (Result.isFailure(parsed)) return true
    const again = parseCommand(parsed.success.canonical)
    return (
      Result.isSuccess(again) &&
      again.success.canonical === parsed.success.canonical &&
      JSON.stringify(argvOf(parsed.success.canonical)) === JSON.stringify(["echo", ...words])
    )
  })
})

describe("commandHash", () => {
  it("is the first 16 digits of SHA-256 of the trimmed text", () => {
    assert.strictEqual(commandHash("uptime"), "dd291cd6294bafef")
    assert.strictEqual(commandHash(" uptime\r\n"), commandHash("uptime"))
    assert.strictEqual(commandHash("a\r\nb"), commandHash("a\nb"))
    assert.notStrictEqual(commandHash("uptime"), commandHash("uptime -p"))
  })
})

/** Characters that shells treat specially somewhere, and some that they should not. */
const ALPHABET = " \t\n'\"\\$`!#&()*;<>?[]{}|~=%^@:,./+-_aA0é日🚀".match(/./gsu) ?? []

const Words = Schema.Array(
  Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: ALPHABET.length - 1 })))
)

const SHELLS: ReadonlyArray<readonly [program: string, ...args: ReadonlyArray<string>]> = [
  ["bash", "--norc", "--noprofile"],
  ["dash"]
]

describe("the canonical text", () => {
  it.effect("is read by real shells as exactly the decoded words", () =>
    Effect.gen(function* () {
      const samples = yield* Arbitrary.sampleEffect(Arbitrary.schema(Words), { count: 400, seed: 7 })
      const fixed = [
        ...ALPHABET.map((each) => [each, `${each}x`, `x${each}`, `${each}${each}`]),
        ["", "a=b", "~", "if"]
      ]
      const cases = [
        ...fixed,
        ...samples.map((words) => words.map((word) => word.map((index) => ALPHABET[index]).join("")))
      ]
      // Each case prints its words NUL-terminated, and then a word that no case holds.
      const script = cases.map((words) => quoteCommand(["show", ...words])).join("\n")
      const expected = cases.map((words) => [...words, "\u0001"].map((word) => `${word}\0`).join("")).join("")
      for (const [shell, ...args] of SHELLS) {
        const printed = execFileSync(
          shell,
          [...args, "-c", `show() { for w; do printf '%s\\0' "$w"; done; printf '\\001\\0'; }\n${script}`],
          {
            encoding: "utf8",
            maxBuffer: 64 * 1024 * 1024
          }
        )
        assert.strictEqual(printed, expected, shell)
      }
    })
  )

  it("is read by real shells as the name of a program, whatever it looks like", () => {
    const names =
      "if then else elif fi for in do done while until case esac function select time coproc a=b a+=b { } ! [[ ]] ~x é repeat foreach".split(
        " "
      )
    const directory = mkdtempSync(join(tmpdir(), "names-"))
    try {
      for (const name of names) {
        writeFileSync(join(directory, name), '#!/bin/sh\nprintf \'%s|\' "${0##*/}" "$@"\n')
        chmodSync(join(directory, name), 0o755)
      }
      const script = names.map((name) => quoteCommand([name, "x"])).join("\n")
      for (const [shell, ...args] of SHELLS) {
        const printed = execFileSync(shell, [...args, "-c", script], {
          encoding: "utf8",
          env: { PATH: `${directory}:/usr/bin:/bin` }
        })
        assert.strictEqual(printed, names.map((name) => `${name}|x|`).join(""), shell)
      }
    } finally {
      rmSync(directory, { recursive: true })
    }
  })
})
