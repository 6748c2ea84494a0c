import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { contentOf, makeShellRunner, type ShellName } from "./ShellRunner.ts"
import { FUZZ_STUBS } from "./Stubs.ts"

const shells: ReadonlyArray<ShellName> = ["bash", "dash"]

describe("ShellRunner", () => {
  it.live("logs every argument, input, message and status of every text", () =>
    Effect.gen(function* () {
      const runner = yield* makeShellRunner(FUZZ_STUBS)
      const runs = yield* runner.run(
        shells.flatMap((shell) => [
          { shell, text: "a 'x\ny' '' \"$HOME\" sub/*; exit 3" },
          { shell, text: "p 'x y' | i; nothing" }
        ])
      )
      const [first, second] = runs
      assert.deepStrictEqual(first?.executed, [["a", "x\ny", "", "/h/me", "sub/-q", "sub/q.log"]])
      assert.strictEqual(first?.code, 3)
      assert.deepStrictEqual(second?.inputs, ["x y\n"])
      assert.include(second?.stderr, "not found")
      assert.strictEqual(second?.code, 127)
      assert.deepStrictEqual(
        runs.slice(2, 4).map((run) => [run.executed.length, run.code]),
        [
          [1, 3],
          [2, 127]
        ]
      )
    }).pipe(Effect.scoped)
  )

  it.live(
    "kills a text that does not end, and says so",
    () =>
      Effect.gen(function* () {
        const runner = yield* makeShellRunner(FUZZ_STUBS)
        const runs = yield* runner.run([
          { shell: "dash", text: "while :; do :; done" },
          { shell: "dash", text: "a" }
        ])
        assert.deepStrictEqual(
          runs.map((run) => [run.endless, run.executed.length]),
          [
            [true, 0],
            [false, 1]
          ]
        )
      }).pipe(Effect.scoped),
    20_000
  )

  it.live("says which files each text made or changed, and puts them back", () =>
    Effect.gen(function* () {
      const runner = yield* makeShellRunner(FUZZ_STUBS)
      const runs = yield* runner.run([
        { shell: "dash", text: "p x > new; p y >> 'x y.log'; a > sub/-q; p z > -new" },
        { shell: "bash", text: "i < sub/-q; p new* -new*" },
        { shell: "dash", text: "sh -c 'a > in/x'" }
      ])
      assert.deepStrictEqual(
        runs.map((run) => run.wrote),
        [["-new", "new", "sub/-q", "x y.log"], [], ["in/x"]]
      )
      assert.deepStrictEqual(runs[1]?.inputs, [contentOf("sub/-q")])
      assert.deepStrictEqual(runs[1]?.executed[1], ["p", "new*", "-new*"])
    }).pipe(Effect.scoped)
  )
})
