import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { execFileSync } from "node:child_process"
import { canExec, quoteWord, runText } from "../../../src/ssh/process/RemoteCommand.ts"

const sh = (text: string, shell = "sh") =>
  execFileSync(shell, ["-c", text], { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] })

const Tricky = Schema.String.check(Schema.isPattern(/^(?:[ -~\n]|'|\\|!|\$|`|"){0,60}$/))

describe("quoteWord", () => {
  it.effect.prop(
    "gives one word with exactly this text",
    { text: Tricky },
    ({ text }) =>
      Effect.sync(() => {
        assert.strictEqual(sh(`printf %s. ${quoteWord(text)}`), `${text}.`)
        assert.strictEqual(sh(`printf %s. ${quoteWord(text)}`, "bash"), `${text}.`)
      }),
    { arbitrary: { runs: 60 } }
  )

  it("leaves no quote, backslash or exclamation mark inside quotes, where shells disagree about them", () => {
    for (const text of ["a'b", "'", "\\", "\\'", "'; id #", "a\\'; id '", "!!", "x!y'z\\"]) {
      const tokens = quoteWord(text).match(/\\.|'[^']*'/g) ?? []
      assert.strictEqual(tokens.join(""), quoteWord(text), text)
      for (const token of tokens) assert.isFalse(token.startsWith("'") && /[\\!]/.test(token), text)
    }
    assert.strictEqual(quoteWord(""), "''")
  })
})

describe("canExec", () => {
  it("is true for one external program and false for anything that needs the shell", () => {
    const rows: ReadonlyArray<readonly [string, boolean]> = [
      ["sleep 5", true],
      ["'sleep' '5'", true],
      ["systemctl status nginx.service", true],
      ["/usr/bin/env -i true", true],
      ["grep 'a b' 'it'\\''s'", true],
      ["journalctl -u ssh --since='1 hour ago'", true],
      ["echo hi", false],
      ["'echo' hi", false],
      ["cd /tmp", false],
      ["true", false],
      ["A=1 env", false],
      ["'A=1' env", false],
      ["ls | wc", false],
      ["ls; id", false],
      ["ls && id", false],
      ["ls > x", false],
      ["ls $HOME", false],
      ["if", false],
      ["-x", false],
      ["", false]
    ]
    for (const [command, expected] of rows) assert.strictEqual(canExec(command), expected, command)
  })
})

describe("the wrapper", () => {
  it("prints the header and runs the command with the tag, in sh, from sh and bash", () => {
    for (const shell of ["sh", "bash"]) {
      const text = `{ ${runText("other", "cafe", `printf '%s|' "$LC_MCP_RUN" 'a'\\''b' '\\'`)}; } 2>&1`
      assert.match(sh(text, shell), /^MCPRUN cafe [0-9]+\ncafe\|a'b\|\\\|$/)
      assert.match(sh(`{ ${runText("other", "cafe", "env")}; } 2>&1`, shell), /\nLC_MCP_RUN=cafe\n/)
    }
  })

  it("keeps the exit code of the last command and the behaviour of builtins", () => {
    const code = (command: string) => {
      try {
        sh(runText("other", "cafe", command))
        return 0
      } catch (error) {
        return (error as { readonly status: number }).status
      }
    }
    assert.strictEqual(code("exit 3"), 3)
    assert.strictEqual(code("false; true"), 0)
    assert.strictEqual(code("true; false"), 1)
    assert.strictEqual(code("no-such-program"), 127)
    assert.strictEqual(code("cd /"), 0)
  })
})
