import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { invoke } from "./CliHarness.ts"
import { files } from "./Inventory.ts"

describe("check", () => {
  it.effect("prints every problem with its place, and fails on an error", () =>
    Effect.gen(function* () {
      const outcome = yield* invoke(["check"], {
        files: { ...files, "policy.yml": "rulez: []\n" }
      })
      assert.strictEqual(outcome.exitCode, 1)
      assert.match(outcome.stdout, /^policy\.yml:1:1: rulez: .*did you mean rules\?/m)
    })
  )

  it.effect("fails when a host is disabled, and names the credential's place", () =>
    Effect.gen(function* () {
      const outcome = yield* invoke(["check"], { files })
      assert.strictEqual(outcome.exitCode, 1)
      assert.match(outcome.stdout, /^credentials\.yml:3:\d+: /m)
      assert.match(outcome.stdout, /1 error, \d+ warnings?, 2 hosts, 1 rule\n$/)
    })
  )

  it.effect("ends well on a directory with warnings only", () =>
    Effect.gen(function* () {
      const outcome = yield* invoke(["check"], {
        files: { "servers.yml": "hosts: []\n", "credentials.yml": "entries: []\n" }
      })
      assert.strictEqual(outcome.exitCode, 0)
      assert.match(outcome.stdout, /^policy\.yml:1:1: warning: /m)
    })
  )
})
