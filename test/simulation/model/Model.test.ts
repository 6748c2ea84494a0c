import { assert, describe, it } from "@effect/vitest"
import { makeConfigFacts } from "../../../src/simulation/model/ConfigFacts.ts"
import { makeFacts } from "../../../src/simulation/model/Facts.ts"
import { plainHost } from "../../../src/simulation/hosts/HostPlan.ts"
import type { Answer } from "../../../src/simulation/invariants/Watch.ts"
import { makeModel, statusesBetween } from "../../../src/simulation/model/Model.ts"
import type { Scenario, Step } from "../../../src/simulation/workload/Scenario.ts"

const ID = "h0:4f5ba2a64ac8ea39:00000000000000000000000000"

const steps: ReadonlyArray<Step> = [
  { _tag: "Start", at: 0, key: 0, alias: "h0", blanks: 1, program: { _tag: "Sleep", millis: 5_000 } },
  { _tag: "Reload", at: 50_000, change: { _tag: "NewPolicy", policy: { limits: { task_result_ttl: 7 } } } },
  { _tag: "Reload", at: 60_000, change: { _tag: "BadYaml", file: "policy" } }
]

const scenario: Scenario = {
  seed: 1,
  hosts: [{ ...plainHost("h0", 0), configured: "name", tags: ["all"] }],
  policy: { rules: [{ action: "allow", commands: ["sleep *"] }] },
  steps
}

/** The model of a task that is submitted at 100, runs from 1,000 to 6,000 and completes. */
const model = () => {
  const facts = makeFacts(scenario)
  const config = makeConfigFacts(scenario)
  const [hash = ""] = facts.commands.keys()
  const id = ID.replace("4f5ba2a64ac8ea39", hash)
  const transition = { _tag: "Transition", task_id: id, alias: "h0", hash } as const
  const events = [
    { at: 100, event: { _tag: "TaskStarted", step: 0, taskId: id } },
    { at: 1_000, event: { ...transition, from: "pending", to: "running" } },
    { at: 6_000, event: { ...transition, from: "running", to: "completed" } }
  ] as const
  for (const [index, one] of events.entries()) facts.event({ index, ...one })
  const problemsOf = makeModel(facts, config)
  const ask = (tool: string, beganAt: number, at: number, value: object, input: object = {}): ReadonlyArray<string> => {
    const call: Answer = {
      step: 1,
      tool,
      input: { task_id: id, ...input },
      outcome: "answered",
      isError: false,
      value: { task_id: id, ...value },
      beganAt,
      beganIndex: 10,
      at,
      index: 11
    }
    return problemsOf(call)
  }
  return { ask, id }
}

describe("statusesBetween", () => {
  const history = [
    { at: 10, status: "running" },
    { at: 20, status: "failed" }
  ] as const

  it("is every state of the interval, and the one before it", () => {
    const between = (from: number, to: number) => [...statusesBetween({ history: [...history] }, from, to)]
    assert.deepStrictEqual(between(0, 5), ["pending"])
    assert.deepStrictEqual(between(11, 12), ["running"])
    assert.deepStrictEqual(between(5, 25), ["pending", "running", "failed"])
    assert.deepStrictEqual(between(10, 10), ["pending", "running"])
    assert.deepStrictEqual(between(21, 30), ["failed"])
  })
})

describe("the reference model", () => {
  const running = { status: "running", elapsed_ms: 2_000, keepAlive: 300, progress_percent: 3 }
  const RIGHT: ReadonlyArray<readonly [string, number, number, object, object]> = [
    ["ssh_get_task_status", 3_000, 3_000, running, {}],
    ["ssh_get_task_status", 500, 500, { status: "pending", elapsed_ms: 0, keepAlive: 300 }, {}],
    ["ssh_get_task_status", 9_000, 9_000, { status: "completed", elapsed_ms: 5_000, keepAlive: 297 }, {}],
    ["ssh_get_task_result", 2_000, 6_000, { status: "completed" }, { wait_seconds: 30 }],
    ["ssh_get_task_result", 2_000, 4_000, { status: "running" }, { wait_seconds: 2 }],
    ["ssh_get_task_result", 2_000, 2_000, { status: "running" }, {}],
    ["ssh_cancel_task", 8_000, 8_000, { cancelled: false, message: "Task not found or not cancellable" }, {}],
    ["ssh_get_task_output", 3_000, 3_000, { status: "running" }, {}]
  ]

  it.each(RIGHT)("takes %s from %d to %d: %o", (tool, from, to, value, input) => {
    assert.deepStrictEqual(model().ask(tool, from, to, value, input), [])
  })

  const WRONG: ReadonlyArray<readonly [string, number, number, object, object]> = [
    ["ssh_get_task_status", 3_000, 3_000, { ...running, status: "pending" }, {}],
    ["ssh_get_task_status", 3_000, 3_000, { ...running, elapsed_ms: 2_100 }, {}],
    ["ssh_get_task_status", 3_000, 3_000, { ...running, keepAlive: 290 }, {}],
    ["ssh_get_task_status", 3_000, 3_500, running, {}],
    ["ssh_get_task_status", 3_000, 3_000, { ...running, alias: "h9" }, {}],
    ["ssh_get_task_status", 3_000, 3_000, { ...running, kind: "fan_out" }, {}],
    ["ssh_get_task_result", 2_000, 6_500, { status: "completed" }, { wait_seconds: 30 }],
    ["ssh_get_task_result", 2_000, 3_000, { status: "running" }, { wait_seconds: 2 }],
    ["ssh_get_task_result", 2_000, 5_000, { status: "running" }, { wait_seconds: 2 }],
    ["ssh_cancel_task", 8_000, 8_000, { cancelled: true, message: "Cancelled" }, {}],
    ["ssh_get_task_output", 3_000, 3_000, { status: "completed" }, {}]
  ]

  it.each(WRONG)("does not take %s from %d to %d: %o", (tool, from, to, value, input) => {
    assert.isNotEmpty(model().ask(tool, from, to, value, input))
  })

  it("does not know tasks of commands that nobody submitted", () => {
    const problems = model().ask("ssh_get_task_status", 1, 1, { ...running, task_id: ID.replace("4f5b", "0000") })
    assert.lengthOf(problems, 1)
  })
})

describe("ConfigFacts", () => {
  const reloaded = { _tag: "Answered", tool: "ssh_reload_config", outcome: "answered", isError: false } as const
  const ttls = (from: number, to: number, answerOfBad: string): ReadonlyArray<number | undefined> => {
    const config = makeConfigFacts(scenario)
    const events = [
      { at: 50_000, event: { _tag: "ConfigWritten", step: 1, bad: false } },
      { at: 50_010, event: { ...reloaded, step: 1, value: { status: "reloaded" } } },
      { at: 60_000, event: { _tag: "ConfigWritten", step: 2, bad: true } },
      { at: 60_010, event: { ...reloaded, step: 2, value: { status: answerOfBad } } }
    ] as const
    for (const [index, one] of events.entries()) config.event({ index, ...one })
    return config.inForce(from, to).map(({ policy }) => policy.limits?.task_result_ttl)
  }

  it("knows which configurations may have been in force when", () => {
    assert.deepStrictEqual(ttls(0, 49_999, "error"), [undefined])
    assert.deepStrictEqual(ttls(50_005, 50_005, "error"), [undefined, 7])
    assert.deepStrictEqual(ttls(50_011, 70_000, "error"), [7])
  })

  it("expects an error of a bad reload and nothing else of it", () => {
    const config = makeConfigFacts(scenario)
    config.event({ index: 0, at: 60_000, event: { _tag: "ConfigWritten", step: 2, bad: true } })
    const { alone, bad } = config.reload(2) ?? {}
    assert.deepStrictEqual({ alone, bad }, { alone: true, bad: true })
    assert.isUndefined(config.reload(1))
  })
})
