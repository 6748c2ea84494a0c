import { assert, describe, it } from "@effect/vitest"
import { HashMap, Option, Schema } from "effect"
import * as Admission from "../../src/task/Admission.ts"

type State = Admission.Admission<Admission.Ticket>

const ticket = (sequence: number, alias = "a", limits: Partial<Admission.Ticket> = {}): Admission.Ticket => ({
  sequence,
  alias,
  globalLimit: 64,
  hostLimit: 8,
  ...limits
})

const ask = (state: State, one: Admission.Ticket, maxQueued = 100) => {
  const [admitted, next] = Option.getOrThrow(Admission.request(state, one, maxQueued))
  return { admitted: admitted.map(({ sequence }) => sequence), next }
}

const give = (state: State, one: Admission.Ticket) => {
  const [admitted, next] = Admission.leave(state, one)
  return { admitted: admitted.map(({ sequence }) => sequence), next }
}

describe("Admission", () => {
  it("a full host makes its next command wait, and no other host's", () => {
    const one = { hostLimit: 1 }
    const first = ask(Admission.empty(), ticket(1, "a", one))
    const second = ask(first.next, ticket(2, "a", one))
    const other = ask(second.next, ticket(3, "b", one))
    assert.deepStrictEqual([first.admitted, second.admitted, other.admitted], [[1], [], [3]])
    assert.strictEqual(Admission.waitsFor(other.next, ticket(2, "a", one)), "max_tasks_per_host")
    assert.deepStrictEqual(give(other.next, ticket(1, "a", one)).admitted, [2])
  })

  it("a freed slot goes to whoever waits longest, whatever its host", () => {
    const one = { globalLimit: 1 }
    const a = ask(Admission.empty(), ticket(1, "a", one))
    const b = ask(a.next, ticket(2, "b", one))
    const c = ask(b.next, ticket(3, "c", one))
    const d = ask(c.next, ticket(4, "b", one))
    assert.strictEqual(Admission.waitsFor(d.next, ticket(4, "b", one)), "max_concurrent_tasks")
    const afterA = give(d.next, ticket(1, "a", one))
    const afterB = give(afterA.next, ticket(2, "b", one))
    const afterC = give(afterB.next, ticket(3, "c", one))
    assert.deepStrictEqual([afterA.admitted, afterB.admitted, afterC.admitted], [[2], [3], [4]])
  })

  it("only as many wait as may", () => {
    const one = { hostLimit: 1 }
    const first = ask(Admission.empty(), ticket(1, "a", one), 1)
    const second = ask(first.next, ticket(2, "a", one), 1)
    assert.isTrue(Option.isNone(Admission.request(second.next, ticket(3, "a", one), 1)))
    assert.deepStrictEqual(ask(second.next, ticket(4, "b", one), 0).admitted, [4])
  })

  it("leaving the queue frees nothing but the place", () => {
    const one = { hostLimit: 1 }
    const first = ask(Admission.empty(), ticket(1, "a", one))
    const second = ask(first.next, ticket(2, "a", one))
    const left = give(second.next, ticket(2, "a", one))
    assert.deepStrictEqual([left.admitted, left.next.running, left.next.queued], [[], 1, 0])
  })

  it("a command held to a lower limit does not hold up other hosts", () => {
    const first = ask(Admission.empty(), ticket(1, "a"))
    const strict = ask(first.next, ticket(2, "b", { globalLimit: 1 }))
    assert.deepStrictEqual(strict.admitted, [])
    assert.deepStrictEqual(ask(strict.next, ticket(3, "c")).admitted, [3])
  })

  const Step = Schema.Union([
    Schema.TaggedStruct("Ask", { alias: Schema.Literals(["a", "b", "c"]) }),
    Schema.TaggedStruct("Leave", { which: Schema.Natural })
  ])

  it.prop(
    "limits hold, no slot is lost, no free slot is left while somebody can use it",
    [Schema.Array(Step)],
    ([steps]) => {
      const limits = { globalLimit: 4, hostLimit: 2 }
      let state: State = Admission.empty()
      let live: ReadonlyArray<Admission.Ticket> = []
      const running = new Set<number>()
      let sequence = 0
      for (const step of steps) {
        if (step._tag === "Ask") {
          const one = ticket(++sequence, step.alias, limits)
          const asked = Admission.request(state, one, 5)
          if (Option.isNone(asked)) continue
          live = [...live, one]
          asked.value[0].forEach((admitted) => running.add(admitted.sequence))
          state = asked.value[1]
        } else {
          const one = live[step.which % Math.max(1, live.length)]
          if (one === undefined) continue
          live = live.filter((other) => other !== one)
          running.delete(one.sequence)
          const [admitted, next] = Admission.leave(state, one)
          admitted.forEach((next) => running.add(next.sequence))
          state = next
        }
        const perHost = (alias: string) => live.filter((one) => one.alias === alias && running.has(one.sequence)).length
        const waiting = live.filter((one) => !running.has(one.sequence))
        assert.strictEqual(state.running, running.size)
        assert.strictEqual(state.queued, waiting.length)
        assert.isAtMost(state.running, 4)
        assert.isAtMost(state.queued, 5)
        for (const alias of ["a", "b", "c"]) assert.isAtMost(perHost(alias), 2)
        for (const one of waiting) assert.isTrue(state.running === 4 || perHost(one.alias) === 2)
      }
      for (const one of live) state = Admission.leave(state, one)[1]
      assert.deepStrictEqual([state.running, state.queued, HashMap.size(state.lanes)], [0, 0, 0])
    }
  )
})
