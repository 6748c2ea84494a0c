import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { replayToken } from "../../src/simulation/report/ReplayToken.ts"
import { scenarioOf } from "../../src/simulation/Simulation.ts"
import { invoke } from "./CliHarness.ts"

const Printed = Schema.Struct({
  seed: Schema.Int,
  runs: Schema.Int,
  failures: Schema.Int,
  tasks: Schema.Int,
  hosts: Schema.Int,
  faults: Schema.Record(Schema.String, Schema.Int),
  virtual_seconds: Schema.Int,
  real_ms: Schema.Int,
  log_sha256: Schema.String.check(Schema.isPattern(/^[0-9a-f]{64}$/))
})

const decode = Schema.decodeUnknownSync(Schema.fromJsonString(Printed), { onExcessProperty: "error" })

describe("simulate", () => {
  it.effect("prints what was run and what struck where, and ends with 0 when all invariants hold", () =>
    Effect.gen(function* () {
      const { built, exitCode, stderr, stdout } = yield* invoke(["simulate", "--seed", "3", "--runs", "4"])
      assert.deepStrictEqual([exitCode, stderr, built], [0, "", []])
      assert.match(stdout, /^fault +dns +tcp /)
      assert.match(stdout, /4 runs \(seeds 3 to 6\): all invariants held/)
    })
  )

  it.effect("prints one JSON object with --json, the same one but for the real time whenever it is asked", () =>
    Effect.gen(function* () {
      const args = ["simulate", "--seed", "3", "--runs", "4", "--faults", "high", "--json"]
      const first = decode((yield* invoke(args)).stdout)
      const second = decode((yield* invoke(args)).stdout)
      assert.deepStrictEqual({ ...second, real_ms: 0 }, { ...first, real_ms: 0 })
      assert.deepStrictEqual([first.seed, first.runs, first.failures], [3, 4, 0])
      assert.isAbove(Object.keys(first.faults).length, 0)
    })
  )

  it.effect("takes the sizes of a run", () =>
    Effect.gen(function* () {
      const args = ["simulate", "--runs", "1", "--hosts", "30", "--tasks", "5", "--faults", "none", "--json"]
      const { faults, hosts } = decode((yield* invoke(args)).stdout)
      assert.deepStrictEqual([hosts, faults], [30, {}])
    })
  )

  it.effect("repeats the run of a token and shows its timeline", () =>
    Effect.gen(function* () {
      const token = replayToken(scenarioOf(5))
      const { exitCode, stdout } = yield* invoke(["simulate", "--replay", token])
      assert.strictEqual(exitCode, 0)
      assert.match(stdout, /the run ended after [\d.]+ s/)
      assert.match(stdout, /1 run \(seed \d+\): all invariants held/)
      assert.strictEqual(decode((yield* invoke(["simulate", "--json", "--replay", token])).stdout).runs, 1)
    })
  )

  it.effect("ends with 2 and says why when the arguments are wrong", () =>
    Effect.gen(function* () {
      const wrong: ReadonlyArray<readonly [ReadonlyArray<string>, RegExp]> = [
        [["--replay", "sim1-nonsense!"], /Not a replay token/],
        [["--replay", replayToken(scenarioOf(1)), "--runs", "2"], /holds the whole scenario/],
        [["--runs", "0"], /runs/],
        [["--seed", "-1"], /seed/],
        [["--faults", "some"], /faults/],
        [["--hosts", "1000000"], /hosts/]
      ]
      for (const [args, why] of wrong) {
        const outcome = yield* invoke(["simulate", ...args])
        assert.deepStrictEqual([args, outcome.exitCode, outcome.stdout], [args, 2, ""])
        assert.match(outcome.stderr, why)
      }
    })
  )
})
