import { assert, describe, it } from "@effect/vitest"
import type { LoggedEvent, SimulationEvent } from "../../../src/simulation/world/EventLog.ts"
import { plainHost } from "../../../src/simulation/hosts/HostPlan.ts"
import { INVARIANTS, InvariantName, makeChecker } from "../../../src/simulation/invariants/Invariants.ts"
import type { Observation } from "../../../src/simulation/invariants/Observation.ts"
import { runScenario } from "../../../src/simulation/RunScenario.ts"
import type { Scenario, Step } from "../../../src/simulation/workload/Scenario.ts"

const command = { alias: "h0", blanks: 2 } as const

const STEPS: ReadonlyArray<Step> = [
  { _tag: "Start", at: 100, key: 0, ...command, program: { _tag: "Lines", count: 5 } },
  { _tag: "Start", at: 100, key: 1, ...command, program: { _tag: "Sleep", millis: 50_000 } },
  { _tag: "Run", at: 200, key: 2, ...command, program: { _tag: "Fail", code: 3 } },
  { _tag: "RunOnTag", at: 300, key: 3, tag: "all", blanks: 1, program: { _tag: "Echo" } },
  { _tag: "Run", at: 400, key: 4, ...command, program: { _tag: "Forbidden" } },
  { _tag: "Poll", at: 2_000, task: { of: 0 } },
  { _tag: "PageOutput", at: 3_000, task: { of: 0 }, maxLines: 3, from: "start" },
  { _tag: "PageOutput", at: 3_100, task: { of: 0 }, maxLines: 3, from: "last" },
  { _tag: "Poll", at: 4_000, task: { of: 0 } },
  { _tag: "Cancel", at: 5_000, task: { of: 1 } },
  { _tag: "Reload", at: 6_000, change: { _tag: "BadYaml", file: "policy" } },
  { _tag: "List", at: 7_000 },
  { _tag: "Reload", at: 8_000, change: { _tag: "Unchanged" } },
  { _tag: "Poll", at: 60_000, task: { of: 0 } },
  { _tag: "Shutdown", at: 70_000 }
]

const scenario: Scenario = {
  seed: 7,
  hosts: [0, 1].map((index) => ({ ...plainHost(`h${index}`, index), configured: "name", tags: ["all"] })),
  policy: {
    version: 3,
    limits: { task_result_ttl: 30, max_concurrent_tasks: 4 },
    network: { block_cidrs: ["10.9.0.0/16"] },
    rules: [{ id: "some", action: "allow", commands: ["lines *", "sleep *", "fail *", "echo *"] }]
  },
  steps: STEPS
}

const run = runScenario(scenario)

const NOTHING: Observation = {
  phase: "closed",
  at: 70_001,
  held: { records: 0, fibers: 0, slots: 0, queued: 0 },
  running: 0,
  fleet: { connecting: 0, connections: 0, channels: 0, processes: 0 },
  processes: () => []
}

/** The invariants that a log breaks, and the observation at its end. */
const broken = (events: ReadonlyArray<LoggedEvent>, end: Partial<Observation> = {}): ReadonlyArray<InvariantName> => {
  const checker = makeChecker(scenario)
  for (const [index, { at, event }] of events.entries()) checker.event({ index, at, event })
  checker.observe({ ...NOTHING, ...end })
  return [...new Set(checker.violations().map(({ invariant }) => invariant))]
}

type Edit = (event: SimulationEvent, at: number) => ReadonlyArray<SimulationEvent>

/** The log of the run with an edit of each event. */
const edited = (edit: Edit): ReadonlyArray<LoggedEvent> =>
  run.events.flatMap(({ at, event, index }) => edit(event, at).map((one) => ({ index, at, event: one })))

const isAnswer = (event: SimulationEvent, step: number): boolean => event._tag === "Answered" && event.step === step

/** Changes fields of the answer to a step. */
const answer =
  (step: number, fields: object): Edit =>
  (event) =>
    event._tag === "Answered" && isAnswer(event, step)
      ? [{ ...event, value: { ...(event.value as object), ...fields } }]
      : [event]

const twice =
  (isIt: (event: SimulationEvent) => boolean): Edit =>
  (event) =>
    isIt(event) ? [event, event] : [event]
const gone =
  (isIt: (event: SimulationEvent) => boolean): Edit =>
  (event) =>
    isIt(event) ? [] : [event]

/** Puts events before each one of a kind. */
const before =
  (isIt: (event: SimulationEvent) => boolean, ...events: ReadonlyArray<SimulationEvent>): Edit =>
  (event) =>
    isIt(event) ? [...events, event] : [event]

const isLast = (event: SimulationEvent): boolean => event._tag === "ShutdownEnded"
const audited =
  (fields: object): Edit =>
  (event) =>
    event._tag === "Audit" ? [{ ...event, record: { ...(event.record as object), ...fields } }] : [event]

const DENIED =
  run.events.flatMap(({ event }) => (event._tag === "Decision" && !event.allowed ? [event.hash] : []))[0] ?? ""
const sleeping = "sleep 50000 k1"

const exec = (canonical: string, alias = "h0"): SimulationEvent => ({
  _tag: "ExecRequested",
  alias,
  connection: 1,
  channel: 900,
  tag: "0123456789abcdef0123456789abcdef",
  command: canonical
})

/** The same run, in which the sleeping command is told to have ended by its time limit. */
const timedOut: Edit = (event) =>
  event._tag === "Transition" && event.to === "cancelled" ? [{ ...event, to: "timeout" }] : [event]

const BROKEN: ReadonlyArray<readonly [string, InvariantName, Edit]> = [
  [
    "a terminal state is left",
    "one-terminal-state",
    before(isLast, { ...transitionOf("completed"), from: "completed", to: "failed" })
  ],
  ["a task never ends", "one-terminal-state", gone((event) => event._tag === "Transition" && event.to === "cancelled")],
  ["a denied command is sent", "denied-never-runs", before(isLast, exec("forbidden k4"))],
  ["the caller's text is sent", "denied-never-runs", before(isLast, exec("sleep  50000  k1"))],
  ["a command is sent to another host", "denied-never-runs", before(isLast, exec(sleeping, "h1"))],
  [
    "a command runs twice",
    "denied-never-runs",
    twice((event) => event._tag === "ProcessStarted" && event.command === sleeping)
  ],
  [
    "an address of nobody is connected to",
    "denied-never-runs",
    before(isLast, { _tag: "ConnectStarted", alias: "h0", connection: 77, address: "10.9.0.1" })
  ],
  [
    "a cancel is confirmed while the process lives",
    "stopped-means-gone",
    gone((event) => event._tag === "ProcessEnded" && event.end._tag === "Signalled")
  ],
  [
    "a task completes without its process",
    "stopped-means-gone",
    gone((event) => event._tag === "ProcessEnded" && event.end._tag === "Exited")
  ],
  ["a task that ran is said not to have started", "stopped-means-gone", answer(9, { remote_stopped: "not_started" })],
  [
    "more commands run than may",
    "limits-kept",
    before(
      isLast,
      ...[1, 2, 3, 4, 5].map((n) => ({
        ...transitionOf("running"),
        task_id: `h0:000000000000000${n}:X`,
        to: "running"
      }))
    )
  ],
  [
    "a command is refused while there is room",
    "limits-kept",
    answer(4, { reason: "limit", detail: "Too many commands are waiting (max_queued_tasks 1000)" })
  ],
  ["a command times out before its time", "times-kept", timedOut],
  [
    "a lost connection is used",
    "lost-never-used",
    (event, at) =>
      isLast(event) && at > 10_000
        ? [{ _tag: "ExecOnLost", alias: "h0", connection: 1, tag: "0123456789abcdef0123456789abcdef" }, event]
        : event._tag === "StepBegan" && event.step === 5
          ? [{ _tag: "ConnectionLost", alias: "h0", connection: 1 }, event]
          : [event]
  ],
  ["a task is audited twice", "one-audit-record", twice((event) => event._tag === "Audit")],
  ["a task is not audited", "one-audit-record", gone((event) => event._tag === "Audit")],
  ["the audit counts other bytes", "one-audit-record", audited({ bytes_out: 1 })],
  ["the audit is of another text", "one-audit-record", audited({ command_sha256: "00" })],
  ["the audit tells another end", "one-audit-record", audited({ exit_code: 0 })],
  ["the audit tells another duration", "one-audit-record", audited({ duration_ms: 123_456 })],
  ["a page leaves a line out", "output-pages", answer(6, { next_cursor: Buffer.from("line:4").toString("base64url") })],
  ["a page repeats a line", "output-pages", answer(7, { output_lines: ["line 3", "line 4"] })],
  ["a page holds what the program never wrote", "output-pages", answer(7, { output_lines: ["line 4", "line 6"] })],
  ["a page says there is no more", "output-pages", answer(6, { has_more: false })],
  ["a task goes before its TTL", "kept-until-ttl", replaced(8, "Error: Task not found: it. Call ssh_list_tasks.")],
  ["a task is missing in the list", "kept-until-ttl", answer(11, { tasks: [] })],
  ["bytes go back", "monotonic-status", answer(8, { bytes_read: 3 })],
  ["an ended task changes its state", "monotonic-status", answer(8, { status: "failed" })],
  ["progress is not 100 in the end", "monotonic-status", answer(8, { progress_percent: 99 })],
  ["bad files take effect", "reload-changes-nothing", answer(10, { status: "reloaded" })],
  ["a good reload counts other hosts", "reload-changes-nothing", answer(12, { hosts: 3 })],
  ["a denied command is allowed", "reload-changes-nothing", answer(4, { reason: "network" })],
  ["the limits of a task change", "reload-changes-nothing", answer(2, { max_seconds: 5 })],
  [
    "a command is sent after the shutdown",
    "shutdown-in-time",
    (event) => (isLast(event) ? [event, exec(sleeping)] : [event])
  ],
  [
    "a state is one that it never was in",
    "answers-as-modelled",
    answer(5, { status: "timeout", progress_percent: 100 })
  ],
  ["an exit code is made up", "answers-as-modelled", answer(2, { exit_code: 4 })],
  ["a failed command is no error", "answers-as-modelled", answer(2, { status: "completed", exit_code: 0 })],
  ["a cancel of a running task came too late", "answers-as-modelled", answer(9, { message: "Too late" })],
  ["a host is twice in the result of a tag", "answers-as-modelled", doubled],
  ["a task is kept longer than its TTL", "answers-as-modelled", answer(5, { keepAlive: 300 })],
  ["a call is never answered", "run-ends", gone((event) => isAnswer(event, 9))],
  ["a call dies", "run-ends", before(isLast, { _tag: "Died", step: 5, detail: "Error: oops" })],
  [
    "the server logs a bug",
    "run-ends",
    before(isLast, { _tag: "Log", level: "Error", event: "task.defect", fields: {}, defect: true })
  ]
]

function transitionOf(to: string): Extract<SimulationEvent, { readonly _tag: "Transition" }> {
  const found = run.events.find(({ event }) => event._tag === "Transition" && event.to === to)?.event
  if (found?._tag !== "Transition") throw new Error(`no transition to ${to}`)
  return found
}

function replaced(step: number, text: string): Edit {
  return (event) =>
    event._tag === "Answered" && event.step === step
      ? [{ ...event, outcome: "rejected", isError: true, value: text }]
      : [event]
}

function doubled(event: SimulationEvent): ReadonlyArray<SimulationEvent> {
  if (event._tag !== "Answered" || event.step !== 3) return [event]
  const { results, ...value } = event.value as { readonly results: ReadonlyArray<unknown> }
  return [{ ...event, value: { ...value, results: [...results, ...results] } }]
}

describe("invariants", () => {
  it("hold in a run without a bug", () => {
    assert.deepStrictEqual(run.violations, [])
    assert.deepStrictEqual(broken(run.events), [])
    assert.notStrictEqual(DENIED, "")
    assert.lengthOf(
      run.events.filter(({ event }) => event._tag === "Audit"),
      5
    )
  })

  it.each(BROKEN)("notice that %s: %s", (_, invariant, edit) => {
    const events = edited(edit)
    assert.notDeepEqual(
      events.map(({ event }) => event),
      run.events.map(({ event }) => event),
      "the edit changes nothing"
    )
    assert.include(broken(events), invariant)
  })

  const ENDS: ReadonlyArray<readonly [string, InvariantName, Partial<Observation>]> = [
    [
      "fibers are left after the shutdown",
      "shutdown-in-time",
      { held: { records: 1, fibers: 1, slots: 0, queued: 0 } }
    ],
    ["slots are left after the shutdown", "limits-kept", { held: { records: 1, fibers: 0, slots: 1, queued: 0 } }],
    ["connections are left after the shutdown", "shutdown-in-time", { fleet: { ...NOTHING.fleet, connections: 1 } }],
    [
      "records are left after all TTLs",
      "kept-until-ttl",
      { phase: "quiet", held: { records: 1, fibers: 0, slots: 0, queued: 0 } }
    ],
    [
      "connections are left after all work",
      "kept-until-ttl",
      { phase: "quiet", fleet: { ...NOTHING.fleet, connections: 1 } }
    ],
    [
      "more hold a slot than may",
      "limits-kept",
      { phase: "working", held: { records: 9, fibers: 9, slots: 5, queued: 0 } }
    ],
    [
      "some wait while no slot is taken",
      "limits-kept",
      { phase: "working", held: { records: 9, fibers: 9, slots: 0, queued: 1 } }
    ],
    [
      "a process is left that nobody was told of",
      "stopped-means-gone",
      { processes: () => [{ alias: "h0", pid: 1, tag: "00", command: sleeping }] }
    ]
  ]

  it.each(ENDS)("notice that %s: %s", (_, invariant, end) => {
    assert.include(broken(run.events, end), invariant)
  })

  it("notice that a shutdown takes too long", () => {
    const late = run.events.map((logged) => (isLast(logged.event) ? { ...logged, at: logged.at + 5_001 } : logged))
    assert.include(broken(late, { at: 80_000 }), "shutdown-in-time")
  })

  it("notice that a command runs past its time limit, and that one waits for ever to start", () => {
    const isEnd = (event: SimulationEvent, to: string) => event._tag === "Transition" && event.to === to
    const from = (to: string) => run.events.findIndex(({ event }) => isEnd(event, to))
    const later = (to: string) =>
      run.events.map((logged, index) => (index < from(to) ? logged : { ...logged, at: logged.at + 600_000 }))
    assert.include(broken(later("cancelled"), { at: 1_000_000 }), "times-kept")
    assert.include(broken(later("running"), { at: 1_000_000 }), "times-kept")
  })

  it("notice that a result is still there after its TTL", () => {
    const step = STEPS.findIndex(({ at }) => at === 60_000)
    const status = run.events.find(({ event }) => isAnswer(event, 8))?.event
    const late = edited((event) =>
      event._tag === "Answered" && event.step === step && status?._tag === "Answered" ? [{ ...status, step }] : [event]
    )
    assert.include(broken(late), "kept-until-ttl")
  })

  it("each have a log that breaks them", () => {
    const names = new Set([...BROKEN.map(([, name]) => name), ...ENDS.map(([, name]) => name)])
    assert.deepStrictEqual(
      InvariantName.literals.filter((name) => !names.has(name)),
      []
    )
    assert.sameMembers(Object.keys(INVARIANTS), [...InvariantName.literals])
  })

  it("are reported with the moment, and not without end", () => {
    const checker = makeChecker(scenario, ["run-ends"])
    for (let index = 0; index < 500; index++) {
      checker.event({ index, at: index, event: { _tag: "Died", step: 0, detail: "oops" } })
    }
    assert.lengthOf(checker.violations(), 100)
    assert.deepStrictEqual(checker.violations()[3], {
      invariant: "run-ends",
      detail: "the call of step 0 died: oops",
      at: 3
    })
  })
})
