import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { createHash } from "node:crypto"
import { eventLine, type LoggedEvent, makeEventLog, SimulationEvent } from "../../../src/simulation/world/EventLog.ts"

describe("EventLog", () => {
  it.prop(
    "the hash is that of the lines, one for each event",
    [Schema.Array(SimulationEvent).check(Schema.isMaxLength(20))],
    ([events]) => {
      let now = 0
      const log = makeEventLog(() => now)
      for (const event of events) {
        now += 0.5
        log.append(event)
      }
      const lines = log.events().map((logged) => `${eventLine(logged)}\n`)
      assert.strictEqual(lines.length, events.length)
      assert.strictEqual(log.sha256(), createHash("sha256").update(lines.join("")).digest("hex"))
    },
    { arbitrary: { runs: 50 } }
  )

  it("a line is JSON: the time, the tag, the fields", () => {
    const log = makeEventLog(() => 12.345)
    log.append({ _tag: "TaskStarted", step: 3, taskId: "a:b:c" })
    assert.deepStrictEqual(log.events().map(eventLine), [
      '{"at":12.345,"_tag":"TaskStarted","step":3,"taskId":"a:b:c"}'
    ])
  })

  it("a log that keeps few events still counts and hashes all", () => {
    const [all, few, none] = [makeEventLog(() => 1), makeEventLog(() => 1, 10), makeEventLog(() => 1, 0)]
    for (let step = 0; step < 1000; step++) {
      for (const log of [all, few, none]) log.append({ _tag: "Disconnected", step })
    }
    assert.deepStrictEqual([few.size(), none.size()], [1000, 1000])
    assert.deepStrictEqual([few.sha256(), none.sha256()], [all.sha256(), all.sha256()])
    assert.isTrue(few.events().length >= 10 && few.events().length < 20)
    assert.deepStrictEqual(few.events(), all.events().slice(-few.events().length))
    assert.deepStrictEqual(none.events(), [])
  })

  it("a bounded log keeps fewer events when they are long", () => {
    const log = makeEventLog(() => 0, 1_000_000)
    const value = "x".repeat(1024 * 1024)
    for (let step = 0; step < 100; step++) {
      log.append({ _tag: "Answered", step, tool: "ssh_run", outcome: "answered", isError: false, value })
    }
    assert.isTrue(log.events().length > 16 && log.events().length <= 64)
    assert.strictEqual(log.events().at(-1)?.index, 99)
  })

  it("every listener hears every later event once, in order", () => {
    const log = makeEventLog(() => 0)
    const heard: Array<readonly [number, LoggedEvent]> = []
    log.append({ _tag: "ShutdownBegan" })
    log.listen((logged) => heard.push([1, logged]))
    log.listen((logged) => heard.push([2, logged]))
    for (let step = 0; step < 3; step++) log.append({ _tag: "Disconnected", step })
    assert.deepStrictEqual(
      heard.map(([listener, { index }]) => [listener, index]),
      [1, 2, 3].flatMap((index) => [
        [1, index],
        [2, index]
      ])
    )
  })
})
