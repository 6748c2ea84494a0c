import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { spawnSync } from "node:child_process"
import { encodeText, PROBE_WORD } from "../../../src/ssh/process/LoginShell.ts"
import type { LoginShell } from "../../../src/ssh/process/LoginShell.ts"
import { runText } from "../../../src/ssh/process/RemoteCommand.ts"

const TAG = "00112233445566778899aabbccddeeff"

/** What a login shell makes of the text for a command, with `SHELL` as sshd would set it. */
const login = (
  shell: string,
  kind: LoginShell | undefined,
  command: string,
  environment: Record<string, string> = {}
) => {
  const { status, stderr, stdout } = spawnSync(shell, ["-c", runText(kind, TAG, command)], {
    encoding: "utf8",
    env: { PATH: process.env["PATH"] ?? "", HOME: "/nonexistent", SHELL: `/bin/${shell}`, ...environment }
  })
  return { status, stderr, stdout }
}

describe("encodeText", () => {
  it.effect.prop(
    "is one line without backslash but its own, which printf %b turns back",
    { text: Schema.String },
    ({ text }) =>
      Effect.sync(() => {
        const plain = text.replaceAll("\0", "").toWellFormed()
        const encoded = encodeText(plain)
        assert.match(encoded, /^(?:[ -[\]-~]|\\0[0-7]{3})*$/)
        const back = spawnSync("sh", ["-c", 'printf %b. "$1"', "sh", encoded], { encoding: "utf8" })
        assert.strictEqual(back.stdout, `${plain}.`)
      }),
    { arbitrary: { runs: 40 } }
  )
})

describe("the first command of a connection", () => {
  for (const shell of ["sh", "bash", "dash"]) {
    it(`says that ${shell} is a POSIX shell, and runs in it`, () => {
      const first = login(shell, undefined, `printf '%s|' "$LC_MCP_RUN" 'a b' '\\' '!'\necho "$0"`)
      assert.match(first.stderr, new RegExp(`^MCPRUN ${TAG} [0-9]+ posix\\n$`))
      assert.strictEqual(first.stdout, `${TAG}|a b|\\|!|/bin/${shell}\n`)
    })
  }

  it("says nothing of the kind when a forced command or an unknown shell read it", () => {
    const forced = login("bash", undefined, "echo hi", { SSH_ORIGINAL_COMMAND: "x" })
    assert.match(forced.stderr, / other\n$/)
    assert.strictEqual(forced.stdout, "hi\n")
    for (const name of ["/bin/zsh", "/usr/bin/fish", "/bin/rbash", ""]) {
      assert.match(login("sh", undefined, "echo hi", { SHELL: name }).stderr, / other\n$/, name)
    }
  })

  it("says foreign when the probe word was read in another way", () => {
    for (const read of ["x\\\\\\\\", "'{x}\\'", "''"]) {
      const text = runText(undefined, TAG, "echo hi").replace(PROBE_WORD, read)
      const { stderr, stdout } = spawnSync("sh", ["-c", text], {
        encoding: "utf8",
        env: { ...process.env, SHELL: "/bin/sh" }
      })
      assert.match(stderr, / foreign\n$/, read)
      assert.strictEqual(stdout, "hi\n")
    }
  })
})

describe("every form", () => {
  it("gives a command the same words, tag, exit code and pid of a leader", () => {
    for (const kind of [undefined, "posix", "other", "foreign"] as const) {
      const { status, stderr, stdout } = login("bash", kind, `printf '<%s>' 'it'\\''s' "$LC_MCP_RUN" $$; exit 7`)
      const pid = /^MCPRUN [0-9a-f]{32} ([0-9]+)/.exec(stderr)?.[1]
      assert.strictEqual(stdout, `<it's><${TAG}><${pid}>`, String(kind))
      assert.strictEqual(status, 7)
    }
  })

  it("lets a signal that ends one plain program be seen as a signal", () => {
    for (const kind of [undefined, "posix", "other", "foreign"] as const) {
      const text = runText(kind, TAG, `/bin/sh -c 'kill -TERM $$'`)
      const { signal } = spawnSync("bash", ["-c", text], { env: { ...process.env, SHELL: "/bin/bash" } })
      assert.strictEqual(signal, "SIGTERM", String(kind))
    }
  })
})
