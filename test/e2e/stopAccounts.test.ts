import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { poolLayer } from "../support/SshFixtures.ts"
import { CONFIRMED, KINDS, stopOf, type StopOptions } from "./StopOf.ts"

/** A login that is not root's. */
const asUser: StopOptions = { accounts: [{ name: "deploy", shell: "/bin/bash" }], user: "deploy" }

describe("an account that is not root: a stop is confirmed and leaves no process of", () => {
  for (const [kind, [command, count]] of Object.entries(KINDS)) {
    it.live(kind, () =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* stopOf(command, count, asUser), CONFIRMED)
      }).pipe(Effect.provide(poolLayer), Effect.scoped)
    )
  }
})

describe("an account that does not see the processes of others (hidepid)", () => {
  it.live("has its processes stopped, which is not confirmed: one may run as another user", () =>
    Effect.gen(function* () {
      const [command, count] = KINDS["a child whose parent is gone"]
      const stopped = yield* stopOf(command, count, { ...asUser, machine: { hidepid: true } })
      assert.deepStrictEqual(stopped, { remote: "unconfirmed", known: [], left: [] })
    }).pipe(Effect.provide(poolLayer), Effect.scoped)
  )

  it.live("has nothing left where root, who sees them, stops", () =>
    Effect.gen(function* () {
      const [command, count] = KINDS["a child whose parent is gone"]
      const stopped = yield* stopOf(command, count, { accounts: asUser.accounts ?? [], machine: { hidepid: true } })
      assert.deepStrictEqual(stopped, CONFIRMED)
    }).pipe(Effect.provide(poolLayer), Effect.scoped)
  )
})

/** What that account may run as root without a password; sudoers(5). */
const sudo = (...lines: ReadonlyArray<string>): StopOptions => ({
  ...asUser,
  machine: {
    sudoers: [...lines, "deploy ALL=(root) NOPASSWD: /usr/bin/sleep, /usr/bin/sh, /usr/bin/setsid", ""].join("\n")
  }
})
const KILL = "deploy ALL=(root) NOPASSWD: /usr/bin/kill"
const FIND = "deploy ALL=(root) NOPASSWD: /usr/bin/grep"
/** As Debian ships it: the command runs on a terminal of sudo's, where there is one to copy from. */
const PTY = "Defaults use_pty"

/** Commands that leave processes of root's behind them, and how many processes each has. */
const ROOT = {
  "one program of root's": ["sudo -n sleep 1000", 2],
  "one that ignores HUP, TERM, PIPE and INT": [
    `sudo -n sh -c 'trap "" HUP TERM PIPE INT; while :; do sleep 1; done'`,
    3
  ],
  "one in a session of its own": ["sudo -n setsid sleep 1000", 2],
  "one that a script starts which is not seen to use sudo": [`sh -c 's=su; "$s"do -n sleep 1000; true'`, 3],
  "one whose output goes elsewhere": ["sudo -n sleep 1000 >/dev/null 2>&1 & sleep 1000", 3]
} as const

describe("sudo allowed for the command and for kill: a stop is confirmed and leaves no process of", () => {
  for (const [name, settings] of Object.entries({ plain: [], use_pty: [PTY] })) {
    for (const [kind, [command, count]] of Object.entries(ROOT)) {
      it.live(`${kind} (${name})`, () =>
        Effect.gen(function* () {
          assert.deepStrictEqual(yield* stopOf(command, count, sudo(...settings, KILL)), CONFIRMED)
        }).pipe(Effect.provide(poolLayer), Effect.scoped)
      )
    }
  }

  it.live("an orphan in a session of its own, which only sudo's environment leads to", () =>
    Effect.gen(function* () {
      const command = `sudo -n sh -c 'setsid sleep 1000 >/dev/null 2>&1 & exit'; sleep 1000`
      assert.deepStrictEqual(yield* stopOf(command, 2, sudo(KILL, FIND)), CONFIRMED)
    }).pipe(Effect.provide(poolLayer), Effect.scoped)
  )
})

describe("sudo allowed for the command, not for kill", () => {
  for (const kind of [
    "one program of root's",
    "one in a session of its own",
    "one whose output goes elsewhere"
  ] as const) {
    it.live(`a stop is confirmed of ${kind}: sudo passes TERM on`, () =>
      Effect.gen(function* () {
        const [command, count] = ROOT[kind]
        assert.deepStrictEqual(yield* stopOf(command, count, sudo()), CONFIRMED)
      }).pipe(Effect.provide(poolLayer), Effect.scoped)
    )
  }

  const STUBBORN = {
    "one that ignores HUP, TERM, PIPE and INT": ROOT["one that ignores HUP, TERM, PIPE and INT"],
    "such a one in a session of its own, whose output goes elsewhere": [
      `sudo -n setsid sh -c 'trap "" HUP TERM PIPE INT; while :; do sleep 1; done' >/dev/null 2>&1 & sleep 1000`,
      4
    ]
  } as const
  for (const [kind, [command, count]] of Object.entries(STUBBORN)) {
    for (const [name, settings] of Object.entries({ plain: [], use_pty: [PTY] })) {
      it.live(`a stop does not claim to have stopped ${kind}, and knows what is alive (${name})`, () =>
        Effect.gen(function* () {
          const { known, left, remote } = yield* stopOf(command, count, sudo(...settings))
          assert.strictEqual(remote, "unconfirmed")
          assert.include(known.join("\n"), "sh -c trap")
          // Its `sleep 1` may be another one by now.
          assert.deepStrictEqual(
            left.filter((each) => !known.includes(each) && each !== "sleep 1"),
            []
          )
        }).pipe(Effect.provide(poolLayer), Effect.scoped)
      )
    }
  }
})
