import { execFile, spawn } from "node:child_process"
import { text } from "node:stream/consumers"
import { promisify } from "node:util"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { simulate } from "../../../src/simulation/Simulation.ts"
import type { Hunt } from "./hunt.ts"
import { copyWith, type Edit, remove } from "./Mutant.ts"
import { MUTANTS } from "./Mutants.ts"

/** Within which each bug must be found. */
const SEEDS = 2_000

/** Seeds of an unchanged copy: what finds the mutants must not find everything that was copied. */
const CLEAN_SEEDS = 50

const HUNT = new URL("hunt.ts", import.meta.url).pathname

const run = promisify(execFile)

/** Hunts in a copy of the sources with these edits, in a process of its own that ends with the test. */
const hunt = (edits: ReadonlyArray<Edit>, seeds: number): Effect.Effect<Hunt> =>
  Effect.acquireUseRelease(
    Effect.sync(() => copyWith(edits)),
    (directory) =>
      Effect.promise((signal) => run(process.execPath, [HUNT, directory, String(seeds)], { signal })).pipe(
        Effect.map(({ stdout }): Hunt => JSON.parse(stdout))
      ),
    (directory) => Effect.sync(() => remove(directory))
  )

describe("the simulation can fail: it finds within 2,000 seeds that", () => {
  for (const { edits, name } of MUTANTS) {
    it.live(
      name,
      () =>
        Effect.gen(function* () {
          const found = yield* hunt(edits, SEEDS)
          assert.isDefined(found.invariant, `not found in ${found.seeds} seeds, ${found.tasks} tasks`)
          const product = simulate({ seed: found.seeds, runs: 1, shrink: false }).failures.map((each) => each.violation)
          assert.deepStrictEqual(product, [], "the product fails the same seed: it is not the mutant that was found")
        }),
      600_000
    )
  }
})

/** Runs the program of a copy of the sources, and gives its exit code and what it printed. */
const program = (directory: string, args: ReadonlyArray<string>) =>
  Effect.promise(async (signal) => {
    const child = spawn(process.execPath, [`${directory}/src/main.ts`, ...args], { signal })
    const [stdout, stderr, exitCode] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      new Promise<number | null>((resolve) => child.once("close", resolve))
    ])
    return { exitCode, stdout, stderr }
  })

describe("simulate, on a server that is broken", () => {
  const [first] = MUTANTS.filter(({ name }) => name.includes("audited twice"))

  it.live(
    "ends with 1 and prints the seed, the rule, and a token that breaks it again in a few steps",
    () =>
      Effect.acquireUseRelease(
        Effect.sync(() => copyWith(first?.edits ?? [])),
        (directory) =>
          Effect.gen(function* () {
            const failed = yield* program(directory, ["simulate", "--runs", "100"])
            assert.deepStrictEqual([failed.exitCode, failed.stderr], [1, ""])
            assert.match(failed.stdout, /^Seed \d+ broke the invariant one-audit-record: /)
            assert.match(failed.stdout, /smallest scenario found that breaks it:\nseed \d+, 1 hosts, [12] steps\n/)
            const [, seed = ""] = /simulate (--seed \d+) --runs 1\n/.exec(failed.stdout) ?? []
            const [, token = ""] = /simulate --replay (sim1-\S+)\n/.exec(failed.stdout) ?? []
            const again = yield* program(directory, ["simulate", "--replay", token])
            assert.strictEqual(again.exitCode, 1)
            assert.match(again.stdout, /^broken at [\d.]+ s: one-audit-record: /m)
            const whole = yield* program(directory, ["simulate", "--runs", "1", "--json", ...seed.split(" ")])
            assert.strictEqual(whole.exitCode, 1)
            assert.strictEqual(JSON.parse(whole.stdout).failures, 1)
            assert.match(whole.stderr, /broke the invariant one-audit-record/)
          }),
        (directory) => Effect.sync(() => remove(directory))
      ),
    120_000
  )
})

describe("the copy that the mutants are made of", () => {
  it.live(
    "breaks nothing",
    () =>
      Effect.gen(function* () {
        const found = yield* hunt([], CLEAN_SEEDS)
        assert.deepStrictEqual([found.seeds, found.invariant, found.detail], [CLEAN_SEEDS, undefined, undefined])
      }),
    600_000
  )
})
