import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Schema, Scope } from "effect"
import { TestClock } from "effect/testing"
import {
  afterEnd,
  afterRefusal,
  afterSuccess,
  changeTaken,
  COMMANDS_PER_CONNECTION,
  CONNECTIONS_PER_TARGET,
  makeConnectionSlots,
  MAX_COMMANDS_PER_CONNECTION,
  noneTaken,
  place,
  PROOFS,
  REFUSAL_MILLIS
} from "../../../src/ssh/pool/ConnectionSlots.ts"
import type { SlotState } from "../../../src/ssh/pool/ConnectionSlots.ts"

/** A state after `count` commands started on connection 0. */
const started = (count: number, state: SlotState = noneTaken, now = 0): SlotState =>
  Array.from({ length: count }).reduce<SlotState>((current) => afterSuccess(changeTaken(current, 0, 1), 0, now), state)

/** Ends the newest command on connection 0 and starts another, `times` times. */
const churn = (state: SlotState, times: number, now = 0): SlotState =>
  Array.from({ length: times }).reduce<SlotState>(
    (current) => started(1, changeTaken(afterEnd(current, 0), 0, -1), now),
    state
  )

describe("what a host teaches about its sessions", () => {
  it("the limit rises by one after twenty sessions that filled a connection, up to nine", () => {
    const full = started(COMMANDS_PER_CONNECTION)
    assert.strictEqual(churn(full, PROOFS - 2).limit, COMMANDS_PER_CONNECTION)
    assert.strictEqual(churn(full, PROOFS - 1).limit, COMMANDS_PER_CONNECTION + 1)
    let state = full
    for (let round = 0; round < 20; round++) state = started(1, churn(state, PROOFS * 2))
    assert.strictEqual(state.limit, MAX_COMMANDS_PER_CONNECTION)
  })

  it("commands on a connection that is not full prove nothing", () => {
    assert.strictEqual(churn(started(COMMANDS_PER_CONNECTION - 1), 1000).limit, COMMANDS_PER_CONNECTION)
  })

  it("a refusal lowers the limit to the sessions that are open, and holds it there for 60 s", () => {
    const refused = afterRefusal(changeTaken(started(3), 0, 1), 0, 1000)
    assert.strictEqual(refused.limit, 3)
    const later = changeTaken(refused, 0, -1)
    assert.strictEqual(churn(later, PROOFS * 3, 1000 + REFUSAL_MILLIS - 1).limit, 3)
    assert.strictEqual(churn(later, PROOFS, 1000 + REFUSAL_MILLIS).limit, 4)
  })

  it("a refusal of a command that is alone teaches nothing", () => {
    assert.strictEqual(afterRefusal(changeTaken(noneTaken, 0, 1), 0, 0).limit, COMMANDS_PER_CONNECTION)
  })

  it.effect.prop(
    "the limit stays between 1 and 9, and a command always goes to the first connection with room",
    { steps: Schema.Array(Schema.Literals(["start", "refuse", "end"])) },
    ({ steps }) =>
      Effect.sync(() => {
        let state = noneTaken
        const open: Array<number> = []
        for (const [at, step] of steps.entries()) {
          const index = place(state)
          if (step === "start") {
            state = afterSuccess(changeTaken(state, index, 1), index, at)
            open.push(index)
          } else if (step === "refuse") {
            state = changeTaken(afterRefusal(changeTaken(state, index, 1), index, at), index, -1)
          } else {
            const ended = open.pop()
            if (ended !== undefined) state = changeTaken(afterEnd(state, ended), ended, -1)
          }
          assert.isTrue(state.limit >= 1 && state.limit <= MAX_COMMANDS_PER_CONNECTION)
          const next = place(state)
          assert.isTrue(state.taken.slice(0, next).every((taken) => taken >= state.limit))
          assert.deepStrictEqual(state.taken, state.open)
        }
      })
  )
})

describe("the places of a target", () => {
  it.effect("are forty, given in order of arrival, and free again when the Scope closes", () =>
    Effect.gen(function* () {
      const slots = yield* makeConnectionSlots
      const scopes: Array<Scope.Closeable> = []
      const taken: Array<number> = []
      for (let at = 0; at < CONNECTIONS_PER_TARGET * COMMANDS_PER_CONNECTION; at++) {
        const scope = yield* Scope.make()
        scopes.push(scope)
        taken.push(yield* Scope.provide(slots.take, scope))
      }
      assert.deepStrictEqual(
        taken,
        Array.from({ length: 40 }, (_, at) => Math.floor(at / 5))
      )
      assert.isFalse(yield* slots.hasRoom(7))
      const first = yield* Effect.forkChild(Effect.scoped(slots.take), { startImmediately: true })
      const second = yield* Effect.forkChild(Effect.scoped(slots.take), { startImmediately: true })
      yield* TestClock.adjust("1 second")
      assert.isUndefined(first.pollUnsafe())
      yield* Scope.close(scopes[12] ?? (yield* Scope.make()), Exit.void)
      assert.strictEqual(yield* Fiber.join(first), 2)
      assert.strictEqual(yield* Fiber.join(second), 2)
      for (const scope of scopes) yield* Scope.close(scope, Exit.void)
      assert.deepStrictEqual(yield* slots.load, { taken: 0, places: 40 })
    })
  )

  it.effect("a lower limit makes new commands wait until enough have ended", () =>
    Effect.gen(function* () {
      const slots = yield* makeConnectionSlots
      const scope = yield* Scope.make()
      const start = Scope.provide(Effect.tap(slots.take, slots.accepted), scope)
      assert.strictEqual(yield* start, 0)
      const refused = yield* Scope.make()
      assert.strictEqual(yield* Scope.provide(slots.take, refused), 0)
      assert.isFalse(yield* slots.refused(0))
      yield* Scope.close(refused, Exit.void)
      assert.deepStrictEqual(yield* slots.load, { taken: 1, places: CONNECTIONS_PER_TARGET })
      for (let index = 1; index < CONNECTIONS_PER_TARGET; index++) assert.strictEqual(yield* start, index)
      const waiting = yield* Effect.forkChild(Effect.scoped(slots.take), { startImmediately: true })
      yield* TestClock.adjust("1 second")
      assert.isUndefined(waiting.pollUnsafe())
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual(yield* Fiber.join(waiting), 0)
    })
  )
})
