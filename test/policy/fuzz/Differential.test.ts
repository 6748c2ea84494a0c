import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { differential } from "./Differential.ts"
import { makeShellRunner } from "./ShellRunner.ts"
import { FUZZ_STUBS } from "./Stubs.ts"

/** Enough for 5,000 allowed ones; `npm run fuzz` does more. */
const SCRIPTS = 12_000

describe("the canonical text of generated scripts, run by bash and dash", () => {
  it.live(
    "runs only commands that were analysed, with the analysed words, and what the caller's text runs",
    () =>
      Effect.gen(function* () {
        const runner = yield* makeShellRunner(FUZZ_STUBS)
        const report = yield* differential(runner, { seed: 20_261_123, scripts: SCRIPTS, shells: ["bash", "dash"] })
        assert.deepStrictEqual(report.findings, [])
        assert.isAtLeast(report.accepted, 5_000)
        assert.isAbove(report.executed, 2 * report.accepted)
        assert.isAbove(report.compared, report.accepted / 2)
      }).pipe(Effect.scoped),
    300_000
  )
})
