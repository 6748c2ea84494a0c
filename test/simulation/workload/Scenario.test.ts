import { assert, describe, it } from "@effect/vitest"
import { behaviourOf } from "../../../src/simulation/hosts/Behaviour.ts"
import { plainHost } from "../../../src/simulation/hosts/HostPlan.ts"
import { commandText, markOf, type Program } from "../../../src/simulation/workload/Program.ts"
import {
  type ConfigChange,
  isBadChange,
  type Scenario,
  type ScenarioHost,
  type Step
} from "../../../src/simulation/workload/Scenario.ts"
import { changeConfig, configTexts, hostsOf, initialConfig } from "../../../src/simulation/workload/ScenarioConfig.ts"
import { callsOf, NO_TASK } from "../../../src/simulation/workload/StepCall.ts"

const host = (alias: string, index: number, more: Partial<ScenarioHost> = {}): ScenarioHost => ({
  ...plainHost(alias, index),
  configured: "name",
  tags: ["all"],
  ...more
})

const scenario: Scenario = {
  seed: 1,
  hosts: [host("h0", 0), host("h1", 1, { jump: "h0", configured: "address" }), host("h2", 2)],
  policy: { rules: [{ action: "allow", commands: ["echo *"] }] },
  steps: []
}

const after = (...changes: ReadonlyArray<ConfigChange>): ReadonlyArray<string> =>
  hostsOf(
    scenario,
    changes.reduce((state, change) => changeConfig(scenario, state, change), initialConfig(scenario))
  ).map(({ alias }) => alias)

describe("changeConfig", () => {
  it("takes a jump host out with those behind it, and puts a host back with the one before it", () => {
    assert.deepStrictEqual(after({ _tag: "RemoveHost", alias: "h0" }), ["h2"])
    assert.deepStrictEqual(after({ _tag: "RemoveHost", alias: "h0" }, { _tag: "AddHost", alias: "h1" }), [
      "h0",
      "h1",
      "h2"
    ])
    assert.deepStrictEqual(after({ _tag: "RemoveHost", alias: "h1" }), ["h0", "h2"])
  })

  it("keeps what was there before a bad change", () => {
    const bad: ReadonlyArray<ConfigChange> = [
      { _tag: "BadYaml", file: "policy" },
      { _tag: "BadKey", file: "servers" },
      { _tag: "BadReference" }
    ]
    assert.isTrue(bad.every(isBadChange))
    assert.deepStrictEqual(after({ _tag: "RemoveHost", alias: "h2" }, ...bad), ["h0", "h1"])
  })
})

describe("configTexts", () => {
  it("writes the name or the first address, and the jump host", () => {
    const { hosts } = JSON.parse(configTexts(scenario, initialConfig(scenario)).servers)
    assert.deepStrictEqual(
      hosts.map((one: Record<string, unknown>) => [one["host"], one["jump"]]),
      [
        ["h0.sim", undefined],
        ["10.0.0.2", "h0"],
        ["h2.sim", undefined]
      ]
    )
  })

  it("breaks the file that a bad change names, and no other", () => {
    const texts = configTexts(scenario, initialConfig(scenario), { _tag: "BadYaml", file: "policy" })
    assert.throws(() => JSON.parse(texts.policy))
    assert.doesNotThrow(() => JSON.parse(texts.servers))
    assert.include(
      configTexts(scenario, initialConfig(scenario), { _tag: "BadKey", file: "servers" }).servers,
      "unheard_of"
    )
  })
})

describe("commandText", () => {
  const PROGRAMS: ReadonlyArray<readonly [Program, string]> = [
    [{ _tag: "Echo" }, "echo k7"],
    [{ _tag: "Lines", count: 3 }, "lines 3 k7"],
    [{ _tag: "Flood", bytes: 10 }, "flood 10 k7"],
    [{ _tag: "Ticks", count: 2, everyMillis: 50 }, "ticks 2 50 k7"],
    [{ _tag: "Sleep", millis: 9 }, "sleep 9 k7"],
    [{ _tag: "Fail", code: 3 }, "fail 3 k7"],
    [{ _tag: "Die", signal: "SEGV" }, "die SEGV k7"],
    [{ _tag: "Forbidden" }, "forbidden k7"],
    [{ _tag: "Text", text: "df -h" }, "df -h"]
  ]

  it.each(PROGRAMS)("%o is %s", (program, text) => {
    assert.strictEqual(commandText(program, 7), text)
  })

  it("says what a simulated host does", () => {
    assert.deepStrictEqual(behaviourOf(commandText({ _tag: "Fail", code: 3 }, 1)).exit, { _tag: "Exited", code: 3 })
    assert.deepStrictEqual(behaviourOf(commandText({ _tag: "Die", signal: "HUP" }, 1)).exit, {
      _tag: "Signalled",
      signal: "HUP"
    })
    assert.strictEqual(markOf(12), "k12")
  })

  it("keeps the words apart by as many blanks as asked for", () => {
    assert.strictEqual(commandText({ _tag: "Lines", count: 3 }, 7, "   "), "lines   3   k7")
  })
})

describe("callsOf", () => {
  const memory = {
    taskId: ({ child, of }: { readonly of: number; readonly child?: string }) =>
      of === 1 ? `task-1${child ?? ""}` : undefined,
    cursor: () => "cursor-1"
  }
  const CALLS: ReadonlyArray<readonly [Step, string, Readonly<Record<string, unknown>>]> = [
    [
      { _tag: "Run", at: 0, key: 1, alias: "h0", program: { _tag: "Echo" }, blanks: 2, timeoutSeconds: 5 },
      "ssh_run",
      { alias: "h0", command: "echo  k1", timeout_seconds: 5 }
    ],
    [
      { _tag: "Start", at: 0, key: 2, alias: "h0", program: { _tag: "Echo" }, blanks: 1 },
      "ssh_run_async",
      { alias: "h0", command: "echo k2" }
    ],
    [
      {
        _tag: "RunOnTag",
        at: 0,
        key: 3,
        tag: "all",
        program: { _tag: "Echo" },
        blanks: 1,
        maxFailures: 0,
        only: ["h0"]
      },
      "ssh_run_on_tag",
      { tag: "all", command: "echo k3", max_failures: 0, only: ["h0"] }
    ],
    [{ _tag: "Poll", at: 0, task: { of: 1 } }, "ssh_get_task_status", { task_id: "task-1" }],
    [{ _tag: "Poll", at: 0, task: { of: 1, child: "-h2" } }, "ssh_get_task_status", { task_id: "task-1-h2" }],
    [{ _tag: "Cancel", at: 0, task: { of: 9 } }, "ssh_cancel_task", { task_id: NO_TASK }],
    [
      { _tag: "PageOutput", at: 0, task: { of: 1 }, maxLines: 5, from: "start" },
      "ssh_get_task_output",
      { task_id: "task-1", max_lines: 5, cursor: Buffer.from("line:0").toString("base64url") }
    ],
    [
      { _tag: "PageOutput", at: 0, task: { of: 1 }, maxLines: 5, from: "last" },
      "ssh_get_task_output",
      { task_id: "task-1", max_lines: 5, cursor: "cursor-1" }
    ],
    [
      { _tag: "Await", at: 0, task: { of: 1 }, waitSeconds: 3 },
      "ssh_get_task_result",
      { task_id: "task-1", wait_seconds: 3 }
    ],
    [{ _tag: "List", at: 0, status: "failed" }, "ssh_list_tasks", { status: "failed" }],
    [{ _tag: "Reload", at: 0, change: { _tag: "Unchanged" } }, "ssh_reload_config", {}]
  ]

  it.each(CALLS)("%o calls %s", (step, tool, input) => {
    assert.deepStrictEqual(callsOf(step, memory), [{ tool, input }])
  })

  it("makes two calls for a double cancel, none for what is no call", () => {
    assert.lengthOf(callsOf({ _tag: "DoubleCancel", at: 0, task: { of: 1 } }, memory), 2)
    assert.lengthOf(callsOf({ _tag: "Shutdown", at: 0 }, memory), 0)
    assert.lengthOf(callsOf({ _tag: "Disconnect", at: 0, of: 1 }, memory), 0)
  })
})
