import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { request } from "node:http"
import { FIXTURE } from "../../conformance/FixtureCatalogue.ts"
import { serveHttp } from "../../conformance/HttpServer.ts"
import { NOT_APPLICABLE } from "../../conformance/NotApplicable.ts"
import { runConformance, type ScenarioOutcome } from "../../conformance/Suite.ts"
import { INITIALIZE } from "../../support/RawServer.ts"

const passed = ({ failed, succeeded }: ScenarioOutcome): boolean => succeeded > 0 && failed.length === 0

/** The status of an `initialize` that comes with these headers. */
const initializeWith = (url: string, headers: Readonly<Record<string, string>>) =>
  Effect.callback<number | undefined>((resume) => {
    const sent = request(
      url,
      {
        method: "POST",
        headers: { "content-type": "application/json", accept: "application/json, text/event-stream", ...headers }
      },
      (response) => {
        resume(Effect.succeed(response.statusCode))
        response.destroy()
      }
    )
    sent.end(JSON.stringify({ jsonrpc: "2.0", id: 1, method: "initialize", params: INITIALIZE }))
  })

describe("the official conformance suite, 2025-11-25", () => {
  it.live(
    "passes every scenario that applies, and no scenario that is said not to apply",
    () =>
      Effect.gen(function* () {
        const outcomes = yield* runConformance(yield* serveHttp(FIXTURE))
        assert.isAtLeast(outcomes.length, 33, "the requirements and what is only reported")
        assert.deepStrictEqual(
          outcomes
            .filter((outcome) => !passed(outcome))
            .map(({ scenario }) => scenario)
            .sort(),
          Object.keys(NOT_APPLICABLE).sort(),
          JSON.stringify(outcomes.filter(({ failed }) => failed.length > 0))
        )
        for (const reason of Object.values(NOT_APPLICABLE)) assert.isAbove(reason.length, 40)
      }),
    120_000
  )
})

describe("the fixture's HTTP server", () => {
  it.live("refuses a foreign origin and a foreign host, each by itself, with 403", () =>
    Effect.gen(function* () {
      const url = yield* serveHttp(FIXTURE)
      const { host, port } = new URL(url)
      for (const [headers, status] of [
        [{}, 200],
        [{ host, origin: `http://localhost:${port}` }, 200],
        [{ origin: "http://evil.example" }, 403],
        [{ origin: "http://127.0.0.1.evil.example" }, 403],
        [{ origin: "null" }, 403],
        [{ host: "evil.example" }, 403],
        [{ host: `evil.example:${port}`, origin: `http://evil.example:${port}` }, 403]
      ] as const) {
        assert.strictEqual(yield* initializeWith(url, headers), status, JSON.stringify(headers))
      }
    })
  )
})
