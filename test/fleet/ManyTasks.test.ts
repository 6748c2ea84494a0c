import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { linesOf, type Load, runManyTasks } from "./ManyTasks.ts"

const LOAD: Load = { tasks: 2000, readers: 50, lines: 30, printEvery: 20, readEvery: 1 }

/** Which command a page's lines are of: simulated hosts take the commands in the order in which they reach them. */
const commandOf = (lines: ReadonlyArray<string>): number => Number(/^command (\d+) /.exec(lines[0] ?? "")?.[1])

describe("2,000 tasks at once, read by 50 readers while they print", () => {
  it.live(
    "every line is delivered exactly once, in its order, to whoever reads by cursor",
    () =>
      Effect.gen(function* () {
        const delivered = yield* runManyTasks(LOAD)
        for (const { dropped, lines, status } of delivered) {
          assert.deepStrictEqual(lines, linesOf(commandOf(lines), LOAD))
          assert.deepStrictEqual({ dropped, status }, { dropped: 0, status: "completed" })
        }
        assert.strictEqual(new Set(delivered.map(({ lines }) => commandOf(lines))).size, LOAD.tasks)
        assert.isAbove(Math.max(...delivered.map(({ pages }) => pages)), 5, "they read while it was printed")
      }),
    60_000
  )
})
