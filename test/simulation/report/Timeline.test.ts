import { assert, describe, it } from "@effect/vitest"
import type { LoggedEvent, SimulationEvent } from "../../../src/simulation/world/EventLog.ts"
import type { ScenarioOutcome } from "../../../src/simulation/RunScenario.ts"
import { plainHost } from "../../../src/simulation/hosts/HostPlan.ts"
import { describeScenario, timeline, timelineOf } from "../../../src/simulation/report/Timeline.ts"

const logged = (...events: ReadonlyArray<readonly [at: number, event: SimulationEvent]>): ReadonlyArray<LoggedEvent> =>
  events.map(([at, event], index) => ({ index, at, event }))

const RUN = logged(
  [0, { _tag: "StepBegan", step: 0, tool: "ssh_run", input: { alias: "h0", command: "echo k0" } }],
  [1.5, { _tag: "ConnectStarted", alias: "h0", connection: 1, address: "10.0.0.1", via: "h9" }],
  [2, { _tag: "FaultStruck", alias: "h0", kind: "connect-refused", stage: "tcp" }],
  [
    10_000,
    {
      _tag: "ProcessEnded",
      alias: "h0",
      pid: 7,
      tag: "t",
      end: { _tag: "Exited", code: 3 },
      sent: { stdout: 5, stderr: 1 }
    }
  ]
)

const outcome = (over: Partial<ScenarioOutcome>): ScenarioOutcome => ({
  scenario: {
    seed: 9,
    policy: {},
    hosts: [
      { ...plainHost("gate", 0), configured: "name", tags: [] },
      {
        ...plainHost("h0", 1),
        configured: "name",
        tags: [],
        jump: "gate",
        faults: [{ kind: "connect-refused", stage: "tcp", after: 0, times: 1, millis: 0 }]
      }
    ],
    steps: []
  },
  end: { _tag: "Ended" },
  violations: [],
  events: RUN,
  eventCount: RUN.length,
  sha256: "",
  tasks: 1,
  hosts: 2,
  faults: [],
  virtualMillis: 10_000,
  turns: 1,
  ...over
})

describe("the timeline of a run", () => {
  it("says when, who and what, in columns", () => {
    assert.deepStrictEqual(timelineOf(RUN), [
      ' 0.000  step 0  calls ssh_run {"alias":"h0","command":"echo k0"}',
      " 0.002  h0      connection 1 to 10.0.0.1 through h9",
      " 0.002  h0      FAULT connect-refused (tcp)",
      "10.000  h0      process 7 ends with exit code 3, 5 + 1 bytes were sent"
    ])
  })

  it("begins with what the scenario is made of", () => {
    assert.deepStrictEqual(describeScenario(outcome({}).scenario), [
      "seed 9, 2 hosts, 0 steps",
      "  h0 is behind gate",
      "  h0: connect-refused (tcp) 1 times after 0, 0 ms where it takes a time"
    ])
  })

  it("ends with how the run ended and every invariant that it broke", () => {
    const lines = timeline(
      outcome({
        end: { _tag: "Stuck" },
        violations: [{ invariant: "run-ends", detail: "a wake-up was lost", at: 10_000 }]
      })
    )
    assert.deepStrictEqual(lines.slice(-2), [
      "the run got stuck: nothing could go on after 10.000 s",
      "broken at 10.000 s: run-ends: a wake-up was lost"
    ])
  })

  it("keeps the newest events and says how many came before", () => {
    const lines = timeline(outcome({}), 1)
    assert.include(lines, "… 3 events before")
    assert.strictEqual(lines.filter((line) => line.startsWith("10.000")).length, 1)
    assert.isFalse(lines.some((line) => line.includes("ssh_run")))
  })

  it("cuts long values, and shows nothing that steers a terminal", () => {
    const text = `\u001b[2J\u009b\u2028\n${"x".repeat(1_000)}`
    const [line = ""] = timelineOf(
      logged([0, { _tag: "UnknownExec", alias: "h\u001b0", connection: 1, channel: 2, text }])
    )
    assert.notMatch(line, /[\u0000-\u001f\u007f-\u009f\u2028]/u)
    assert.include(line, "h\\u001b0")
    assert.isBelow(line.length, 300)
  })
})
