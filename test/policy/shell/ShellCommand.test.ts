import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import { commandHash, parseCommand } from "../../../src/policy/shell/ShellCommand.ts"
import { quoteCommand } from "../../../src/policy/shell/Quote.ts"
import { showWord } from "../../../src/policy/shell/Word.ts"

const codeOf = (command: string): string => {
  const parsed = parseCommand(command)
  return Result.isFailure(parsed) ? parsed.failure.code : "accepted"
}

/** The words of the only command; those that expand as their canonical text. */
const argvOf = (command: string): ReadonlyArray<string> | undefined => {
  const parsed = parseCommand(command)
  return Result.isSuccess(parsed) ? parsed.success.commands[0]?.words.map(showWord) : undefined
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

describe("parseCommand", () => {
  it("decodes the words of a command and quotes them anew", () => {
    for (const [command, argv, canonical] of ACCEPTED) {
      const parsed = parseCommand(command)
      assert.isTrue(Result.isSuccess(parsed), command)
      if (Result.isFailure(parsed)) continue
      assert.deepStrictEqual(
        parsed.success.commands.map((each) => each.words.map(showWord)),
        [argv],
        command
      )
      assert.strictEqual(parsed.success.canonical, canonical)
    }
  })

  it("points at the offending piece", () => {
    const parsed = parseCommand(" uptime <(ls) ")
    assert.isTrue(Result.isFailure(parsed))
    if (Result.isFailure(parsed)) {
      assert.strictEqual(parsed.failure.text, "<(ls)")
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

describe("scripts inside a command", () => {
  it("are brought to their canonical form, also behind wrappers and in one another", () => {
    const canonical: Readonly<Record<string, string>> = {
      "sh -c 'r\\m  x;ls'": "sh -c 'rm x; ls'",
      "sudo -n timeout 5 bash -c 'ls &>/dev/null'": "sudo -n timeout 5 bash -c 'ls >/dev/null 2>&1'",
      "sh -c \"sh -c 'ls|wc'\"": "sh -c 'sh -c '\\''ls | wc'\\'''",
      "eval ls '|' wc": "eval 'ls | wc'",
      "sh -c 'f() { x; }'": "sh -c 'f() { x; }'",
      "find /srv -exec sh -c 'ls;df' ';'": "find /srv -exec sh -c 'ls; df' ';'"
    }
    for (const [command, expected] of Object.entries(canonical)) {
      const parsed = parseCommand(command)
      assert.strictEqual(Result.isSuccess(parsed) ? parsed.success.canonical : "refused", expected)
    }
  })

  it("are refused when their quotes make the text too long", () => {
    const quotes = "'".repeat(9_000)
    assert.strictEqual(codeOf(`echo "${quotes}"`), "accepted")
    assert.strictEqual(codeOf(`sh -c "echo \\"${quotes}\\""`), "too-long")
  })

  it("keep the words as they were written, which rules may name", () => {
    const parsed = parseCommand("sh -c 'ls;df'")
    assert.isTrue(Result.isSuccess(parsed))
    if (Result.isFailure(parsed)) return
    const [command] = parsed.success.commands
    assert.deepStrictEqual(command?.written.map(showWord), ["sh", "-c", "ls;df"])
    assert.deepStrictEqual(command?.words.map(showWord), ["sh", "-c", "ls; df"])
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
