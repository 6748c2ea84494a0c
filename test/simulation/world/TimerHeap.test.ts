import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { makeTimerHeap, type Timer } from "../../../src/simulation/world/TimerHeap.ts"

const small = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 20 }))
const Operation = Schema.Union([
  Schema.TaggedStruct("Add", { due: small }),
  Schema.TaggedStruct("Cancel", { which: small }),
  Schema.TaggedStruct("Take", { now: small })
])

/** What is taken out by the operations, as a sorted list does it. */
const byModel = (operations: ReadonlyArray<typeof Operation.Type>): ReadonlyArray<number> => {
  const taken: Array<number> = []
  let waiting: Array<{ readonly due: number; readonly number: number }> = []
  let made = 0
  for (const operation of operations) {
    if (operation._tag === "Add") waiting.push({ due: operation.due, number: made++ })
    else if (operation._tag === "Cancel") waiting = waiting.filter(({ number }) => number !== operation.which)
    else {
      waiting.sort((a, b) => a.due - b.due || a.number - b.number)
      const [first] = waiting
      if (first === undefined || first.due > operation.now) taken.push(-1)
      else {
        taken.push(first.number)
        waiting = waiting.slice(1)
      }
    }
    taken.push(waiting.length)
  }
  return taken
}

const byHeap = (operations: ReadonlyArray<typeof Operation.Type>): ReadonlyArray<number> => {
  const heap = makeTimerHeap()
  const timers: Array<Timer> = []
  const taken: Array<number> = []
  for (const operation of operations) {
    if (operation._tag === "Add") timers.push(heap.add(operation.due, () => undefined))
    else if (operation._tag === "Cancel") {
      const timer = timers[operation.which]
      if (timer !== undefined) heap.cancel(timer)
    } else {
      const timer = heap.takeDue(operation.now)
      taken.push(timer === undefined ? -1 : timers.indexOf(timer))
    }
    taken.push(heap.size())
  }
  return taken
}

describe("TimerHeap", () => {
  it.prop(
    "timers come by their time, then by age, and a cancelled one never",
    [Schema.Array(Operation)],
    ([operations]) => {
      assert.deepStrictEqual(byHeap(operations), byModel(operations))
    },
    { arbitrary: { runs: 500 } }
  )

  it("cancelled timers take no memory for long: the rest still comes in order", () => {
    const heap = makeTimerHeap()
    const timers = Array.from({ length: 20_000 }, (_, at) => heap.add((at * 7919) % 20_000, () => undefined))
    for (const [at, timer] of timers.entries()) if (at % 10 !== 0) heap.cancel(timer)
    assert.strictEqual(heap.size(), 2_000)
    const dues: Array<number> = []
    for (let timer = heap.takeDue(20_000); timer !== undefined; timer = heap.takeDue(20_000)) dues.push(timer.due)
    assert.strictEqual(dues.length, 2_000)
    assert.deepStrictEqual(
      dues,
      dues.toSorted((a, b) => a - b)
    )
    assert.strictEqual(heap.nextDue(), undefined)
  })

  it("a timer that came can be cancelled without harm", () => {
    const heap = makeTimerHeap()
    const first = heap.add(1, () => undefined)
    heap.add(2, () => undefined)
    heap.takeDue(1)
    heap.cancel(first)
    assert.strictEqual(heap.size(), 1)
    assert.strictEqual(heap.nextDue(), 2)
  })
})
