import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { invoke } from "./CliHarness.ts"
import { files } from "./Inventory.ts"

describe("hosts", () => {
  it.effect("lists the inventory and marks a disabled host with its reason", () =>
    Effect.gen(function* () {
      const { exitCode, stdout } = yield* invoke(["hosts"], { files })
      const [header, web, db] = stdout.split("\n")
      assert.strictEqual(exitCode, 0)
      assert.match(header ?? "", /^ALIAS +HOST +PORT +TAGS +DESCRIPTION$/)
      assert.match(web ?? "", /^web-1 +10\.0\.0\.1 +22 +web,prod +Front end$/)
      assert.match(db ?? "", /^db-1 +db\.example\.org +2222 +prod +DISABLED: /)
    })
  )

  it.effect("selects by tag and prints JSON", () =>
    Effect.gen(function* () {
      const { stdout } = yield* invoke(["hosts", "--tag", "web", "--json"], { files })
      assert.deepStrictEqual(JSON.parse(stdout), [
        { alias: "web-1", host: "10.0.0.1", port: 22, tags: ["web", "prod"], description: "Front end" }
      ])
    })
  )

  it.effect("fails when the configuration cannot be used", () =>
    Effect.gen(function* () {
      const outcome = yield* invoke(["hosts"], { files: { ...files, "servers.yml": "hosts: 3\n" } })
      assert.deepStrictEqual([outcome.exitCode, outcome.stdout], [1, ""])
      assert.include(outcome.stderr, "servers.yml:1:")
    })
  )
})
