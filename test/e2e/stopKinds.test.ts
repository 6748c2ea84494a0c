import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { mkdtempSync, rmSync, symlinkSync } from "node:fs"
import { tmpdir } from "node:os"
import { poolLayer } from "../support/SshFixtures.ts"
import { CONFIRMED, KINDS, stopOf } from "./StopOf.ts"

/** A forced command that has another shell read what the client sent (sshd_config(5), ForceCommand). */
const forcedShell = (shell: string) => [`ForceCommand exec ${shell} -c "$SSH_ORIGINAL_COMMAND"`]

describe("a stop is confirmed and leaves no process of", () => {
  for (const [kind, [command, count]] of Object.entries(KINDS)) {
    it.live(`${kind}, in the login shell itself`, () =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* stopOf(command, count), CONFIRMED)
      }).pipe(Effect.provide(poolLayer), Effect.scoped)
    )
  }

  it.live("a first command, whose login shell is not known yet", () =>
    Effect.gen(function* () {
      const [command, count] = KINDS["children and grandchildren"]
      assert.deepStrictEqual(yield* stopOf(command, count, { warm: false }), CONFIRMED)
    }).pipe(Effect.provide(poolLayer), Effect.scoped)
  )

  it.live("a forced command that hands the text to dash", () =>
    Effect.gen(function* () {
      const [command, count] = KINDS["a loop"]
      assert.deepStrictEqual(yield* stopOf(command, count, { config: forcedShell("dash") }), CONFIRMED)
    }).pipe(Effect.provide(poolLayer), Effect.scoped)
  )

  it.live("a loop of the login shell whose connection was lost: the killer connects and finds it", () =>
    Effect.gen(function* () {
      const [command, count] = KINDS["a loop"]
      const { left } = yield* stopOf(command, count, { meanwhile: (sshd) => sshd.killSessions })
      assert.deepStrictEqual(left, [])
    }).pipe(Effect.provide(poolLayer), Effect.scoped)
  )
})

/** A directory with links to these programs, for a PATH that has nothing else. */
const pathOf = (links: Readonly<Record<string, string>>) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const directory = mkdtempSync(`${tmpdir()}/programs-`)
      for (const [name, file] of Object.entries(links)) symlinkSync(file, `${directory}/${name}`)
      return directory
    }),
    (path) => Effect.sync(() => rmSync(path, { recursive: true }))
  )

/** The applets of busybox that the wrapper, the killer and the commands use. */
const APPLETS = ["sh", "grep", "awk", "sleep", "kill", "cat", "env", "setsid", "nohup", "yes"]

describe("a stop on a host whose tools are busybox's is confirmed and leaves no process of", () => {
  for (const kind of ["children and grandchildren", "a child whose parent is gone", "a stopped process"] as const) {
    it.live(kind, () =>
      Effect.gen(function* () {
        const directory = yield* pathOf(Object.fromEntries(APPLETS.map((name) => [name, "/bin/busybox"])))
        const [command, count] = KINDS[kind]
        const stopped = yield* stopOf(command, count, { config: [`SetEnv PATH=${directory} HOME=/nonexistent`] })
        assert.deepStrictEqual(stopped, CONFIRMED)
      }).pipe(Effect.provide(poolLayer), Effect.scoped)
    )
  }
})

describe("a stop that cannot look for processes", () => {
  const BASE = { sh: "/bin/sh", sleep: "/bin/sleep" }
  const TOOLS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
    "no grep and awk": BASE,
    "a grep that finds nothing": { ...BASE, awk: "/usr/bin/awk", grep: "/bin/false" },
    "an awk that says nothing": { ...BASE, awk: "/bin/true", grep: "/bin/grep" }
  }
  for (const [kind, tools] of Object.entries(TOOLS)) {
    it.live(`stops the process group of an account that has ${kind}, and does not claim more`, () =>
      Effect.gen(function* () {
        const directory = yield* pathOf(tools)
        const stopped = yield* stopOf("sleep 1000", 1, { config: [`SetEnv PATH=${directory} HOME=/nonexistent`] })
        assert.deepStrictEqual(stopped, { remote: "unconfirmed", known: [], left: [] })
      }).pipe(Effect.provide(poolLayer), Effect.scoped)
    )
  }
})
