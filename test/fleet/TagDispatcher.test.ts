import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import type { TagRequest } from "../../src/fleet/TagDispatcher.ts"
import { Orchestrator } from "../../src/Orchestrator.ts"
import { type Behaviour, openFleet } from "./ScriptedFleet.ts"

const runOnTag = (request: Partial<TagRequest>) =>
  Orchestrator.use((orchestrator) => orchestrator.runOnTagToEnd({ tag: "web", command: "uptime", ...request }))

const TAGS = {
  "web-1": ["web"],
  "web-2": ["web", "old"],
  "web-3": ["web"],
  "denied-1": ["web"],
  "db-1": ["db"]
}

describe("a command on the hosts of a tag", () => {
  it.live("runs on the hosts of the tag that policy allows, and on no other", () =>
    Effect.gen(function* () {
      const { context, ran } = yield* openFleet(TAGS, new Map())
      const result = yield* Effect.provideContext(runOnTag({}), context)
      assert.deepStrictEqual(yield* ran, ["web-1", "web-2", "web-3"])
      assert.strictEqual(result.hosts_matched, 4)
      assert.deepStrictEqual(result.failed_hosts, ["denied-1"])
      assert.deepInclude(result.summary, { successful: 3, denied: 1 })
      assert.deepInclude(
        result.results.find(({ alias }) => alias === "denied-1"),
        { denied: true, reason: "policy" }
      )
    })
  )

  it.live("on some hosts of the tag runs there only; a host without the tag is denied and says what to do", () =>
    Effect.gen(function* () {
      const { context, ran } = yield* openFleet(TAGS, new Map())
      const result = yield* Effect.provideContext(
        runOnTag({ only: ["db-1", "web-3", "web-1", "web-3", "nope"] }),
        context
      )
      assert.deepStrictEqual(yield* ran, ["web-1", "web-3"])
      assert.deepStrictEqual(
        result.results.map(({ alias }) => alias),
        ["web-1", "web-3", "db-1", "nope"]
      )
      assert.deepStrictEqual(result.failed_hosts, ["db-1", "nope"])
      assert.deepStrictEqual([result.hosts_matched, result.summary?.total_hosts], [2, 4])
      const refused = result.results.find(({ alias }) => alias === "db-1")
      assert.isTrue(refused !== undefined && "denied" in refused && refused.reason === "config")
      assert.include(JSON.stringify(refused), "ssh_list_hosts")
    })
  )

  it.live("on hosts of which none has the tag contacts nothing and denies each", () =>
    Effect.gen(function* () {
      const { context, ran } = yield* openFleet(TAGS, new Map())
      const result = yield* Effect.provideContext(runOnTag({ only: ["db-1"] }), context)
      assert.deepStrictEqual(yield* ran, [])
      assert.deepInclude(result.summary, { total_hosts: 1, successful: 0, denied: 1 })
    })
  )

  it.live("says that no host matched when the tag has none", () =>
    Effect.gen(function* () {
      const { context } = yield* openFleet(TAGS, new Map())
      assert.deepStrictEqual(yield* Effect.provideContext(runOnTag({ tag: "none" }), context), {
        tag: "none",
        results: [],
        note: "No hosts matched."
      })
    })
  )

  const Outcomes = Schema.Array(Schema.Literals(["ok", "other", "fail"])).check(
    Schema.isMinLength(1),
    Schema.isMaxLength(8)
  )
  it.live.prop(
    "failed_hosts and not_started, passed back as only, retry just those until all have succeeded",
    { outcomes: Outcomes, maxFailures: Schema.Literals(["0", "50%", "100%"]) },
    ({ maxFailures, outcomes }) =>
      Effect.gen(function* () {
        const aliases = outcomes.map((_, at) => `web-${at}`)
        const long = "the same long line of every host that is well\n".repeat(4)
        const well = (at: number): Behaviour => ({ code: 0, output: outcomes[at] === "other" ? `only ${at}\n` : long })
        const behaviours = new Map(
          outcomes.map((outcome, at): readonly [string, Behaviour] => [
            `web-${at}`,
            outcome === "fail" ? { code: 1, output: "sick\n" } : well(at)
          ])
        )
        const { context, ran } = yield* openFleet(
          Object.fromEntries(aliases.map((alias) => [alias, ["web"]])),
          behaviours
        )
        const first = yield* Effect.provideContext(runOnTag({ maxFailures, concurrency: 2 }), context)
        const { failed_hosts = [], not_started = [] } = first
        const done = aliases.filter((alias) => !failed_hosts.includes(alias) && !not_started.includes(alias))
        assert.deepStrictEqual(yield* ran, [...done, ...failed_hosts].sort())
        const rest = [...failed_hosts, ...not_started]
        if (rest.length === 0) return
        for (const [at, alias] of aliases.entries()) behaviours.set(alias, well(at))
        const second = yield* Effect.provideContext(runOnTag({ only: rest }), context)
        assert.deepStrictEqual(yield* ran, rest.toSorted())
        assert.deepStrictEqual([second.failed_hosts, second.not_started], [[], []])
        assert.strictEqual(second.summary?.successful, rest.length)
        for (const result of second.results) {
          const group = second.groups?.find(({ hosts }) => hosts.includes(result.alias))
          const output = group?.output ?? ("denied" in result ? "" : result.output)
          assert.strictEqual(output, well(aliases.indexOf(result.alias)).output)
        }
      }),
    { arbitrary: { runs: 15 } }
  )
})
