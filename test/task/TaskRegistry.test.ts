import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TaskId } from "../../src/task/Task.ts"
import { makeRecord } from "../../src/task/TaskRecord.ts"
import { makeTaskRegistry } from "../../src/task/TaskRegistry.ts"
import { command } from "./TaskHarness.ts"

const record = (n: number) =>
  makeRecord(TaskId.make(`web:0123456789abcdef:${String(n).padStart(26, "0")}`), n, {
    _tag: "Command",
    spec: command()
  })

describe("TaskRegistry", () => {
  it.effect("when it is full, the task that ended longest ago goes, and live ones never do", () =>
    Effect.gen(function* () {
      const registry = yield* makeTaskRegistry(3)
      const [a, b, c, d, e] = yield* Effect.all([record(1), record(2), record(3), record(4), record(5)])
      for (const one of [a, b, c]) assert.isTrue(yield* registry.add(one))
      assert.isFalse(yield* registry.add(d))
      yield* registry.finish(c.id, 10)
      yield* registry.finish(b.id, 20)
      assert.isTrue(yield* registry.add(d))
      assert.deepStrictEqual(
        (yield* registry.all).map((entry) => entry.record.sequence),
        [4, 2, 1]
      )
      assert.isTrue(yield* registry.add(e))
      assert.deepStrictEqual(
        (yield* registry.all).map((entry) => entry.record.sequence),
        [5, 4, 1]
      )
      assert.isFalse(yield* registry.add(c))
    })
  )

  it.effect("finished tasks that hold too much output together go, longest ended first, once they could be read", () =>
    Effect.gen(function* () {
      const registry = yield* makeTaskRegistry(10, 1000)
      const [a, b, c] = yield* Effect.all([record(1), record(2), record(3)])
      yield* Effect.forEach([a, b, c], (one) =>
        Effect.andThen(
          registry.add(one),
          one.output.append({ stream: "stdout", bytes: new Uint8Array(one === c ? 1500 : 400).fill(0x61) })
        )
      )
      yield* registry.finish(a.id, 10)
      yield* registry.finish(b.id, 20)
      yield* registry.finish(c.id, 30)
      const swept = (now: number) =>
        Effect.map(Effect.andThen(registry.sweep(now), registry.all), (all) => all.map(({ record }) => record.id))
      assert.deepStrictEqual(yield* swept(5009), [c.id, b.id, a.id])
      assert.deepStrictEqual(yield* swept(5010), [c.id, b.id])
      assert.deepStrictEqual(yield* swept(5029), [c.id])
      assert.deepStrictEqual(yield* swept(299_999), [c.id])
    })
  )

  it.effect("a sweep forgets what is over and keeps what is not", () =>
    Effect.gen(function* () {
      const registry = yield* makeTaskRegistry()
      const [a, b] = yield* Effect.all([record(1), record(2)])
      yield* Effect.forEach([a, b], registry.add)
      yield* registry.finish(a.id, 1000)
      yield* registry.sweep(300_999)
      assert.lengthOf(yield* registry.all, 2)
      yield* registry.sweep(301_000)
      assert.deepStrictEqual(
        (yield* registry.all).map((entry) => entry.record.id),
        [b.id]
      )
      assert.strictEqual((yield* Effect.flip(registry.find(a.id)))._tag, "TaskNotFound")
    })
  )
})
