import { assert, describe, it } from "@effect/vitest"
import { Option, Schema } from "effect"
import {
  elapsedMillis,
  exitCodeOf,
  exitSignalOf,
  isTerminal,
  pending,
  remoteStoppedOf,
  statusOf,
  type TaskEvent,
  type TaskState,
  transition
} from "../../src/task/TaskState.ts"

const start: TaskEvent = { _tag: "Start", at: 10, targetIp: "192.0.2.1" }
const exit = (code: number): TaskEvent => ({ _tag: "Exit", at: 30, exit: { _tag: "Exited", code } })
const signal: TaskEvent = { _tag: "Exit", at: 30, exit: { _tag: "Signalled", signal: "KILL" } }
const fail: TaskEvent = { _tag: "Fail", at: 30, message: "lost", remoteStopped: "unconfirmed" }
const cancel: TaskEvent = { _tag: "Cancel", at: 30, remoteStopped: "confirmed" }
const timeOut: TaskEvent = { _tag: "TimeOut", at: 30, remoteStopped: "confirmed" }

const after = (...events: ReadonlyArray<TaskEvent>): TaskState =>
  events.reduce((state, event) => Option.getOrThrow(transition(state, event)), pending)

describe("the table", () => {
  const cases: ReadonlyArray<readonly [ReadonlyArray<TaskEvent>, TaskEvent, string | undefined]> = [
    [[], start, "running"],
    [[], exit(0), undefined],
    [[], timeOut, undefined],
    [[], fail, "failed"],
    [[], cancel, "cancelled"],
    [[start], start, undefined],
    [[start], exit(0), "completed"],
    [[start], exit(3), "failed"],
    [[start], signal, "failed"],
    [[start], fail, "failed"],
    [[start], cancel, "cancelled"],
    [[start], timeOut, "timeout"]
  ]
  for (const [history, event, expected] of cases) {
    it(`${history.length === 0 ? "pending" : "running"} + ${event._tag} = ${expected ?? "impossible"}`, () => {
      const next = transition(after(...history), event)
      assert.strictEqual(Option.getOrUndefined(Option.map(next, statusOf)), expected)
    })
  }
})

describe("what a state says", () => {
  it("an exit code is known only when the command ended with one", () => {
    assert.deepStrictEqual(exitCodeOf(after(start, exit(0))), Option.some(0))
    assert.deepStrictEqual(exitCodeOf(after(start, exit(3))), Option.some(3))
    for (const end of [signal, fail, cancel, timeOut]) {
      assert.deepStrictEqual(exitCodeOf(after(start, end)), Option.none())
    }
  })

  it("a signal's name is cut to what a name can hold", () => {
    const hostile: TaskEvent = {
      _tag: "Exit",
      at: 1,
      exit: { _tag: "Signalled", signal: "TE\u001b[2J\nRM" + "X".repeat(99) }
    }
    const name = Option.getOrThrow(exitSignalOf(after(start, hostile)))
    assert.match(name, /^TE2JRMX+$/)
    assert.strictEqual(name.length, 32)
  })

  it("a command that ended by itself is gone, one whose end is unknown is not", () => {
    assert.strictEqual(remoteStoppedOf(pending), "not_started")
    assert.strictEqual(remoteStoppedOf(after(start)), "unconfirmed")
    assert.strictEqual(remoteStoppedOf(after(start, exit(1))), "confirmed")
    assert.strictEqual(remoteStoppedOf(after(start, signal)), "confirmed")
    assert.strictEqual(remoteStoppedOf(after(start, fail)), "unconfirmed")
  })

  it("elapsed time is 0 before the start, runs with the command and stands still after its end", () => {
    assert.strictEqual(elapsedMillis(pending, 99), 0)
    assert.strictEqual(elapsedMillis(after(start), 25), 15)
    assert.strictEqual(elapsedMillis(after(start, exit(0)), 99), 20)
    assert.strictEqual(elapsedMillis(after(cancel), 99), 0)
  })
})

const EDGES: Record<string, ReadonlyArray<string>> = {
  pending: ["running", "failed", "cancelled"],
  running: ["completed", "failed", "cancelled", "timeout"]
}
const Remote = Schema.Literals(["confirmed", "unconfirmed", "not_started"])
const Event = Schema.Union([
  Schema.TaggedStruct("Start", { at: Schema.Natural, targetIp: Schema.String }),
  Schema.TaggedStruct("Exit", {
    at: Schema.Natural,
    exit: Schema.Union([
      Schema.TaggedStruct("Exited", { code: Schema.Natural }),
      Schema.TaggedStruct("Signalled", { signal: Schema.String })
    ])
  }),
  Schema.TaggedStruct("Fail", { at: Schema.Natural, message: Schema.String, remoteStopped: Remote }),
  Schema.TaggedStruct("Cancel", { at: Schema.Natural, remoteStopped: Remote }),
  Schema.TaggedStruct("TimeOut", { at: Schema.Natural, remoteStopped: Remote })
])

describe("any sequence of events", () => {
  it.prop("stays on the edges, and terminal is final", [Schema.Array(Event)], ([events]) => {
    let state: TaskState = pending
    for (const event of events) {
      const next = transition(state, event)
      if (isTerminal(state)) assert.isTrue(Option.isNone(next))
      if (Option.isNone(next)) continue
      assert.isTrue(EDGES[statusOf(state)]?.includes(statusOf(next.value)))
      state = next.value
    }
  })
})
