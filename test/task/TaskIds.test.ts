import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { TaskId } from "../../src/task/Task.ts"
import { suffixFrom, TaskIds } from "../../src/task/TaskIds.ts"

describe("TaskIds", () => {
  it.effect("ids have the wire form and no two are the same", () =>
    Effect.gen(function* () {
      const ids = yield* TaskIds
      const made = yield* Effect.forEach(Array.from({ length: 1000 }), () => ids.next("tag.web-1", "0123456789abcdef"))
      for (const id of made) assert.isTrue(Schema.is(TaskId)(id))
      assert.strictEqual(new Set(made).size, 1000)
    }).pipe(Effect.provide(TaskIds.layer))
  )

  it("every byte value gives one character of Crockford's alphabet, all of them as often", () => {
    const all = suffixFrom(Uint8Array.from({ length: 256 }, (_, i) => i))
    const counts = new Map<string, number>()
    for (const character of all) counts.set(character, (counts.get(character) ?? 0) + 1)
    assert.strictEqual([...counts.keys()].sort().join(""), "0123456789ABCDEFGHJKMNPQRSTVWXYZ")
    assert.deepStrictEqual(new Set(counts.values()), new Set([8]))
  })
})
