import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { chmodSync, mkdtempSync, rmSync, symlinkSync } from "node:fs"
import { tmpdir } from "node:os"
import { ConnectionPool } from "../../src/ssh/pool/ConnectionPool.ts"
import { eventually, login, makeRecorder, poolLayer, runCommand, targetOf } from "../support/SshFixtures.ts"
import * as Sshd from "../support/Sshd.ts"
import { CONFIRMED, KINDS, stopOf, type StopOptions } from "./StopOf.ts"

const SHELLS = ["bash", "dash", "ash", "zsh", "fish", "tcsh", "ksh"] as const

/** busybox under the name by which it is a shell; Debian gives it none. */
const ash = Effect.acquireRelease(
  Effect.sync(() => {
    const directory = mkdtempSync(`${tmpdir()}/shell-`)
    chmodSync(directory, 0o755)
    symlinkSync("/bin/busybox", `${directory}/ash`)
    return directory
  }),
  (directory) => Effect.sync(() => rmSync(directory, { recursive: true }))
)
const pathOf = (shell: (typeof SHELLS)[number]) =>
  shell === "ash" ? Effect.map(ash, (directory) => `${directory}/ash`) : Effect.succeed(`/bin/${shell}`)

const USER = "deploy"
const withShell = (shell: string, config: ReadonlyArray<string> = []): StopOptions => ({
  accounts: [{ name: USER, shell }],
  user: USER,
  config
})

/** The target of an account with that shell on a server of its own. */
const loginTo = Effect.fnUntraced(function* (shell: string, config: ReadonlyArray<string> = []) {
  const sshd = yield* Sshd.start(withShell(shell, config))
  return yield* targetOf(sshd, { login: login({ username: USER, pem: sshd.key.pem }) })
})

/** Words that shells read in different ways, and what a POSIX shell makes of them. */
const WORDS: ReadonlyArray<readonly [word: string, means: string]> = [
  ["'it'\\''s'", "it's"],
  ["'a\\b\\\\c\\'", "a\\b\\\\c\\"],
  ["'!!' '!x'", "!!|!x"],
  ["'{a,b}'", "{a,b}"],
  ["{x}", "{x}"],
  ["'$HOME `id` $(id)'", "$HOME `id` $(id)"],
  ["'two\nlines'", "two\nlines"],
  ["'tab\there'", "tab\there"],
  ["'ä€😀'", "ä€😀"],
  ["'~' '%' '^' '#'", "~|%|^|#"],
  ["/nonexistent*", "/nonexistent*"],
  ["''", ""],
  ["'%s' '\\n' '-n'", "%s|\\n|-n"],
  [`'${"long ".repeat(3000)}'`, "long ".repeat(3000)]
]
const EXACT = `printf '%s|' ${WORDS.map(([word]) => word).join(" ")}`
const MEANS = WORDS.map(([, means]) => `${means}|`).join("")

describe("an account whose login shell is", () => {
  for (const shell of SHELLS) {
    describe(shell, () => {
      it.live("gets a command's words, output, exit code and signal as they are, first and later", () =>
        Effect.gen(function* () {
          const target = yield* loginTo(yield* pathOf(shell))
          for (const turn of ["first", "second"]) {
            const words = yield* runCommand(target, EXACT)
            assert.deepStrictEqual(
              [words.stdout, words.stderr, words.exit],
              [MEANS, "", { _tag: "Exited", code: 0 }],
              turn
            )
            const streams = yield* runCommand(target, "echo out; echo err >&2; x='a b'; printf '<%s>' $x; exit 7")
            assert.deepStrictEqual(
              [streams.stdout, streams.stderr, streams.exit],
              ["out\n<a><b>", "err\n", { _tag: "Exited", code: 7 }]
            )
            const signalled = yield* runCommand(target, "/bin/sh -c 'kill -TERM $$'")
            assert.deepStrictEqual(signalled.exit, { _tag: "Signalled", signal: "TERM" })
          }
        }).pipe(Effect.provide(poolLayer), Effect.scoped)
      )

      const stops = [
        ["one that ignores HUP, TERM, PIPE and INT", true],
        ["a child whose parent is gone", false]
      ] as const
      for (const [kind, warm] of stops) {
        it.live(`is rid of ${kind} after a stop of ${warm ? "a later command" : "its first command"}`, () =>
          Effect.gen(function* () {
            const [command, count] = KINDS[kind]
            const options = { ...withShell(yield* pathOf(shell)), warm }
            assert.deepStrictEqual(yield* stopOf(command, count, options), CONFIRMED)
          }).pipe(Effect.provide(poolLayer), Effect.scoped)
        )
      }
    })
  }
})

/** Waits, and does not for the killer that comes after it. */
const ONCE = "[ -e ~/waited ] || { : > ~/waited; sleep 1000; }\n"

describe("an account whose start-up file does not come to its end", () => {
  it.live("has its login shell stopped before the command runs", () =>
    Effect.gen(function* () {
      const sshd = yield* Sshd.start({
        accounts: [{ name: USER, shell: "/bin/bash", files: { ".bashrc": ONCE } }]
      })
      const target = yield* targetOf(sshd, { login: login({ username: USER, pem: sshd.key.pem }) })
      const pool = yield* ConnectionPool
      const recorder = yield* makeRecorder
      const starting = yield* Effect.forkChild(Effect.scoped(pool.start(recorder.options(target, "echo hi"))))
      yield* eventually(Effect.map(sshd.processes, (all) => all.some((each) => each.command === "sleep 1000")))
      yield* Fiber.interrupt(starting)
      assert.deepStrictEqual(yield* recorder.stops, [{ remote: "confirmed", survivors: [] }])
      assert.deepStrictEqual(yield* sshd.processes, [])
    }).pipe(Effect.provide(poolLayer), Effect.scoped)
  )
})

/** Accounts that run no command of a client: the shell, and lines of sshd_config(5). */
const RESTRICTED: Readonly<Record<string, readonly [shell: string, config: ReadonlyArray<string>]>> = {
  "a restricted shell": ["/bin/rbash", []],
  nologin: ["/usr/sbin/nologin", []],
  "/bin/false": ["/bin/false", []],
  "/bin/true": ["/bin/true", []],
  "a forced command that succeeds": ["/bin/bash", ["ForceCommand echo MCPRUN 1 2; echo done; exit 0"]],
  "a forced command that repeats what it was sent": ["/bin/bash", ['ForceCommand echo "$SSH_ORIGINAL_COMMAND" >&2']],
  "sftp only": ["/bin/bash", ["ForceCommand internal-sftp"]]
}

describe("an account that allows no command", () => {
  for (const [kind, [shell, config]] of Object.entries(RESTRICTED)) {
    it.live(`gives an error and never a result: ${kind}`, () =>
      Effect.gen(function* () {
        const sshd = yield* Sshd.start(withShell(shell, config))
        const target = yield* targetOf(sshd, { login: login({ username: USER, pem: sshd.key.pem }) })
        const pool = yield* ConnectionPool
        for (const _ of ["first", "second"]) {
          const recorder = yield* makeRecorder
          const error = yield* Effect.flip(Effect.scoped(pool.start(recorder.options(target, "echo hi"))))
          assert.strictEqual(error.failure, "ChannelRefused")
          assert.match(error.detail, /^the login shell (?:ended \(exit code [0-9]+\) without a|printed no) header$/)
          assert.notMatch(yield* recorder.stdout, /^hi$/m)
        }
        // What a forced command does is not done again.
        const sessions = Effect.map(sshd.log, (log) => log.split("Starting session:").length - 1)
        yield* eventually(Effect.map(sessions, (count) => count >= 2))
        assert.strictEqual(yield* sessions, 2)
      }).pipe(Effect.provide(poolLayer), Effect.scoped)
    )
  }
})
