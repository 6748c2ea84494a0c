import type { FindingEvent, LoggedEvent, RecordEvent, SimulationEvent, WorkloadEvent } from "../world/EventLog.ts"
import type { HostEvent, ProcessEnd, StreamBytes } from "../hosts/HostEvent.ts"
import type { Scenario } from "../workload/Scenario.ts"
import type { RunEnd, ScenarioOutcome } from "../RunScenario.ts"

/** Events of a timeline, unless the caller wants another number: the end of a run is what breaks. */
const MAX_EVENTS = 400

/** Characters of a value: enough to recognise it, the event log has the whole. */
const MAX_VALUE = 160

/** One line whatever a simulated host wrote, and nothing that steers a terminal. */
const printable = (text: string): string =>
  text.replace(
    /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`
  )

const brief = (value: unknown): string => {
  const text = JSON.stringify(value) ?? ""
  return text.length <= MAX_VALUE ? text : `${text.slice(0, MAX_VALUE - 1)}…`
}

/** Whose doing an event is, and what happened. */
type Told = readonly [who: string, what: string]

const tellWorkload = (event: WorkloadEvent): Told => {
  switch (event._tag) {
    case "StepBegan":
      return [`step ${event.step}`, `${event.tool === "" ? "" : `calls ${event.tool} `}${brief(event.input)}`]
    case "Answered": {
      const how = event.outcome === "rejected" ? "is rejected" : event.isError ? "gets an error" : "gets"
      return [`step ${event.step}`, `${how} ${brief(event.value)}`]
    }
    case "Disconnected":
      return [`step ${event.step}`, "left, and its call has ended"]
    case "Died":
      return [`step ${event.step}`, `DIED: ${event.detail}`]
    case "TaskStarted":
      return [`step ${event.step}`, `started task ${event.taskId}`]
    case "ConfigWritten":
      return [`step ${event.step}`, event.bad ? "writes a configuration that cannot be used" : "writes a configuration"]
    case "ClockJumped":
      return [`step ${event.step}`, `the wall clock jumps by ${event.millis} ms`]
    case "ShutdownBegan":
      return ["server", "shutdown begins"]
    case "ShutdownEnded":
      return ["server", "shutdown has ended"]
  }
}

const tellRecord = (event: RecordEvent): Told => {
  switch (event._tag) {
    case "Audit":
      return ["audit", brief(event.record)]
    case "Transition":
      return ["server", `task ${event.task_id}: ${event.from} -> ${event.to}`]
    case "Decision": {
      const decided = event.allowed ? `allowed by ${event.rule}` : `denied: ${event.reason}`
      return ["policy", `command ${event.hash} on ${event.alias} is ${decided}`]
    }
    case "SecurityEvent":
      return ["audit", `${event.event} ${brief(event.fields)}`]
    case "Config":
      return ["config", brief(event.fields)]
    case "Log":
      return ["log", `${event.defect ? "DEFECT " : ""}${event.level} ${event.event} ${brief(event.fields)}`]
  }
}

const bytes = ({ stderr, stdout }: StreamBytes): string => `${stdout} + ${stderr} bytes`

const endOf = (end: ProcessEnd): string => {
  switch (end._tag) {
    case "Exited":
      return `exit code ${end.code}`
    case "Signalled":
      return `signal ${end.signal}`
    case "HostLost":
      return "its host"
  }
}

const tellHost = (event: HostEvent): Told => {
  switch (event._tag) {
    case "NameResolved":
      return ["dns", `${event.name} is ${event.addresses.join(", ")}`]
    case "NameNotResolved":
      return ["dns", `${event.name} is not resolved`]
    case "ConnectStarted": {
      const via = event.via === undefined ? "" : ` through ${event.via}`
      return [event.alias, `connection ${event.connection} to ${event.address}${via}`]
    }
    case "ConnectFailed":
      return [event.alias, `connection ${event.connection} fails: ${event.failure}`]
    case "ConnectAbandoned":
      return [event.alias, `connection ${event.connection} is given up`]
    case "Connected":
      return [event.alias, `connection ${event.connection} is made`]
    case "ConnectionLost":
      return [event.alias, `connection ${event.connection} is lost`]
    case "ConnectionClosed":
      return [event.alias, `connection ${event.connection} is closed`]
    case "ExecRequested":
      return [
        event.alias,
        `channel ${event.connection}/${event.channel} is to run ${brief(event.command)} (${event.tag})`
      ]
    case "ExecOnLost":
      return [event.alias, `connection ${event.connection} is used though it is lost (${event.tag})`]
    case "StopRequested":
      return [event.alias, `channel ${event.connection}/${event.channel} is to stop run ${event.tag}`]
    case "UnknownExec":
      return [event.alias, `channel ${event.connection}/${event.channel} gets an UNKNOWN text ${brief(event.text)}`]
    case "ProcessStarted":
      return [event.alias, `process ${event.pid} of run ${event.tag} begins`]
    case "ProcessSignalled":
      return [event.alias, `process ${event.pid} gets ${event.signal}`]
    case "ProcessEnded":
      return [event.alias, `process ${event.pid} ends with ${endOf(event.end)}, ${bytes(event.sent)} were sent`]
    case "StopAnswered":
      return [event.alias, `the killer of run ${event.tag} says ${brief(event.answer)}`]
    case "ChannelClosed":
      return [event.alias, `channel ${event.channel} is closed, ${bytes(event.read)} were read`]
    case "FaultStruck":
      return [event.alias === "" ? "clock" : event.alias, `FAULT ${event.kind} (${event.stage})`]
  }
}

const tellFinding = (event: FindingEvent): Told => ["BROKEN", `${event.invariant}: ${event.detail}`]

const tell = (event: SimulationEvent): Told => {
  switch (event._tag) {
    case "StepBegan":
    case "Answered":
    case "Disconnected":
    case "Died":
    case "TaskStarted":
    case "ConfigWritten":
    case "ClockJumped":
    case "ShutdownBegan":
    case "ShutdownEnded":
      return tellWorkload(event)
    case "Audit":
    case "Transition":
    case "Decision":
    case "SecurityEvent":
    case "Config":
    case "Log":
      return tellRecord(event)
    case "Violated":
      return tellFinding(event)
    default:
      return tellHost(event)
  }
}

const seconds = (millis: number): string => (millis / 1000).toFixed(3)

/** What a scenario is made of: its size, who is behind whom, and what is planned to go wrong. */
export const describeScenario = ({ hosts, seed, steps }: Scenario): ReadonlyArray<string> => {
  const behind = hosts.flatMap(({ alias, jump }) => (jump === undefined ? [] : [`  ${alias} is behind ${jump}`]))
  const faults = hosts.flatMap(({ alias, faults: planned }) =>
    planned.map(
      ({ after, kind, millis, stage, times }) =>
        `  ${alias}: ${kind} (${stage}) ${times} times after ${after}, ${millis} ms where it takes a time`
    )
  )
  return [`seed ${seed}, ${hosts.length} hosts, ${steps.length} steps`, ...behind, ...faults].map(printable)
}

/** Events as lines: virtual seconds, who, what. */
export const timelineOf = (events: ReadonlyArray<LoggedEvent>): ReadonlyArray<string> => {
  const rows = events.map(({ at, event }) => [seconds(at), ...tell(event)] as const)
  const time = rows.reduce((width, [at]) => Math.max(width, at.length), 0)
  const who = rows.reduce((width, [, subject]) => Math.max(width, Math.min(24, subject.length)), 0)
  return rows.map(([at, subject, what]) => printable(`${at.padStart(time)}  ${subject.padEnd(who)}  ${what}`))
}

const endOfRun = (end: RunEnd): string => {
  switch (end._tag) {
    case "Ended":
      return "ended"
    case "Stuck":
      return "got stuck: nothing could go on"
    case "Exhausted":
      return `did not come to its end (${end.bound})`
    case "Died":
      return `died: ${end.detail}`
  }
}

/**
 * A run as a person reads it: what it was made of, its newest events, and the invariants that it broke. Control characters
 * are escaped, since simulated hosts write whatever they like.
 */
export const timeline = (outcome: ScenarioOutcome, maxEvents: number = MAX_EVENTS): ReadonlyArray<string> => {
  const { end, events, scenario, violations, virtualMillis } = outcome
  const shown = events.slice(Math.max(0, events.length - maxEvents))
  const before = shown[0]?.index ?? 0
  return [
    ...describeScenario(scenario),
    ...(before === 0 ? [] : [`… ${before} events before`]),
    ...timelineOf(shown),
    printable(`the run ${endOfRun(end)} after ${seconds(virtualMillis)} s`),
    ...violations.map(({ at, detail, invariant }) =>
      printable(`broken ${Number.isFinite(at) ? `at ${seconds(at)} s` : "in the end"}: ${invariant}: ${detail}`)
    )
  ]
}
