import { assert, describe, it } from "@effect/vitest"
import { Effect, Ref } from "effect"
import { invoke } from "./CliHarness.ts"

describe("the command line", () => {
  it.effect("serves when no command is named, and as serve and stdio", () =>
    Effect.gen(function* () {
      const served = yield* Ref.make(0)
      const serve = Ref.update(served, (n) => n + 1)
      for (const args of [[], ["serve"], ["stdio"]]) {
        const outcome = yield* invoke(args, { serve })
        assert.deepStrictEqual([outcome.exitCode, outcome.stdout], [0, ""])
        assert.deepStrictEqual(outcome.built, [[{}, "serve"]])
      }
      assert.strictEqual(yield* Ref.get(served), 3)
    })
  )

  it.effect("takes the common flags before and after the command's name", () =>
    Effect.gen(function* () {
      const flags = ["--keys-dir", "/k", "--secrets-dir", "/s", "--log-level", "warn"]
      const expected = [[{ keysDir: "/k", secretsDir: "/s", logLevel: "Warn" }, "serve"]] as const
      assert.deepStrictEqual((yield* invoke([...flags, "serve"], { serve: Effect.void })).built, expected)
      assert.deepStrictEqual((yield* invoke(["serve", ...flags], { serve: Effect.void })).built, expected)
    })
  )

  it.effect("ends with 2 and says so on stderr alone when the usage is wrong", () =>
    Effect.gen(function* () {
      const wrong: ReadonlyArray<ReadonlyArray<string>> = [
        ["nonsense"],
        ["--nonsense"],
        ["--log-level", "loud"],
        ["plan"],
        ["plan", "web-1"],
        ["run"],
        ["run", "web-1"],
        ["run", "--tag", "web"],
        ["run", "web-1", "uptime", "--concurrency", "3"],
        ["run", "--tag", "web", "uptime", "--concurrency", "0"],
        ["run", "--tag", "web", "uptime", "--batch", "0"],
        ["run", "--tag", "web", "uptime", "--max-failures", "some"],
        ["run", "web-1", "uptime", "--timeout", "0"]
      ]
      for (const args of wrong) {
        const outcome = yield* invoke(args)
        assert.deepStrictEqual([args, outcome.exitCode, outcome.stdout], [args, 2, ""])
        assert.notStrictEqual(outcome.stderr, "")
      }
    })
  )

  it.effect("prints help and the version as results", () =>
    Effect.gen(function* () {
      const help = yield* invoke(["run", "--help"])
      assert.deepStrictEqual([help.exitCode, help.stderr], [0, ""])
      assert.include(help.stdout, "--max-failures")
      assert.include((yield* invoke(["--version"])).stdout, "9.9.9")
    })
  )
})

describe("a bug", () => {
  it.effect("is told on stderr and ends with 255", () =>
    Effect.gen(function* () {
      const broken = Effect.die(new Error("broken"))
      const ran = yield* invoke(["run", "web-1", "uptime"], { orchestrator: { start: () => broken } })
      assert.deepStrictEqual([ran.exitCode, ran.stdout], [255, ""])
      assert.match(ran.stderr, /^Internal error: .*broken/)
    })
  )
})
