import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { FAULT_STAGES, FaultKind, type PlannedFault } from "../../../src/simulation/hosts/Faults.ts"
import { fault, host, onFleet, only, targetOf } from "./FleetHarness.ts"

describe("SimulatedKiller", () => {
  /** The report of a stop on a host with one fault, and what the killer said. */
  const stopWith = (planned: PlannedFault | undefined, command = "sleep 600000 k1") => {
    const web = host({ faults: planned === undefined ? [] : [planned] })
    const { events, value } = onFleet([web], (bench) =>
      Effect.gen(function* () {
        const report = yield* bench.stopAfter(targetOf(web), command, "1 second")
        return { report, alive: bench.fleet.processes().map((process) => process.pid), at: bench.now() }
      })
    )
    return {
      ...value,
      answers: only(events, "StopAnswered").map(({ answer }) => answer),
      signals: [...new Set(only(events, "ProcessSignalled").map(({ signal }) => signal))],
      struck: only(events, "FaultStruck").length
    }
  }
  const confirmed = { remote: "confirmed", survivors: [] }
  const unconfirmed = { remote: "unconfirmed", survivors: [] }

  it("TERM ends a process, and the stop is confirmed", () => {
    const { answers, alive, report, signals } = stopWith(undefined)
    assert.deepStrictEqual([report, answers, signals, alive], [confirmed, ["DEAD"], ["TERM"], []])
  })

  it("a process that ignores TERM ends by KILL after the grace", () => {
    const { alive, at, report, signals } = stopWith(fault("ignores-term", "stop"))
    assert.deepStrictEqual([report, signals, alive], [confirmed, ["TERM", "KILL"], []])
    assert.isTrue(at >= 3_000 && at < 3_500, String(at))
  })

  it("a process that is slow to stop is waited for within the grace", () => {
    const { at, report, signals } = stopWith(fault("slow-to-stop", "stop", { millis: 1_500 }))
    assert.deepStrictEqual([report, signals], [confirmed, ["TERM"]])
    assert.isTrue(at >= 2_500 && at < 3_000, String(at))
  })

  it("a process that survives KILL is reported, and alive", () => {
    const { alive, answers, report } = stopWith(fault("unstoppable", "stop"))
    assert.deepStrictEqual(report, { remote: "unconfirmed", survivors: alive })
    assert.deepStrictEqual(answers, [`SURVIVORS ${alive.join(" ")}`])
    assert.strictEqual(alive.length, 1)
  })

  it("a process that hides from the killer keeps the stop unconfirmed by its channel", () => {
    const { alive, answers, report } = stopWith(fault("hidden-process", "stop"))
    assert.deepStrictEqual([report, answers, alive.length], [unconfirmed, ["DEAD"], 1])
  })

  it("a process hides only while its channel is there to tell of it", () => {
    const faults = [fault("connection-drop", "stop"), fault("hidden-process", "stop", { after: 1, times: 9 })]
    const web = host({ faults })
    const { events, value } = onFleet([web], (bench) =>
      Effect.map(bench.stopAfter(targetOf(web), "sleep 600000 k1", "1 second"), () => bench.fleet.processes())
    )
    assert.deepStrictEqual(value, [])
    assert.deepStrictEqual(
      only(events, "FaultStruck").map(({ kind }) => kind),
      ["connection-drop"]
    )
  })

  it("a killer that is not sure keeps the stop unconfirmed", () => {
    const { alive, answers, report } = stopWith(fault("killer-unsure", "stop"))
    assert.deepStrictEqual([report, answers, alive], [unconfirmed, ["UNSURE"], []])
  })

  it("a connection that drops before the killer runs is made anew, and the process is found by its tag", () => {
    const { alive, answers, struck } = stopWith(fault("connection-drop", "stop"))
    assert.deepStrictEqual([alive, answers, struck], [[], ["DEAD"], 1])
  })

  const cells = FaultKind.literals.flatMap((kind) =>
    FAULT_STAGES[kind].filter((stage) => stage === "stop").map((stage) => [kind, stage] as const)
  )
  it.each(cells)("%s at %s strikes once, and what is said to be gone is gone", (kind, stage) => {
    const { alive, report, struck } = stopWith(fault(kind, stage))
    assert.strictEqual(struck, 1)
    if (report?.remote === "confirmed") assert.deepStrictEqual(alive, [])
  })

  it("a process whose channel was closed dies of its next write, and one that writes nothing lives to its end", () => {
    const ends = (command: string) => {
      const hidden = host({ faults: [fault("hidden-process", "stop", { times: 9 })] })
      const { events } = onFleet([hidden], (bench) =>
        Effect.andThen(bench.stopAfter(targetOf(hidden), command, "1 second"), Effect.sleep("1 hour"))
      )
      return only(events, "ProcessEnded").map(({ end }) => end)
    }
    assert.deepStrictEqual(ends("ticks 100 500 k1"), [{ _tag: "Signalled", signal: "PIPE" }])
    assert.deepStrictEqual(ends("sleep 60000 k1"), [{ _tag: "Exited", code: 0 }])
  })
})
