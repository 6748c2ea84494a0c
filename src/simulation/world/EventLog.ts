import { createHash } from "node:crypto"
import { Schema } from "effect"
import { HostEvent } from "../hosts/HostEvent.ts"

/** What a client got, or a record of the server: plain JSON. */
const json = Schema.Unknown

/**
 * What the workload did, and what came back. `step` is the number of the scenario's step, from 0; steps overlap. A step
 * that makes two calls (a double cancel) has two answers.
 */
export const WorkloadEvent = Schema.Union([
  /** A step began. `tool` is the MCP tool that it calls, "" for a step that calls none. */
  Schema.TaggedStruct("StepBegan", { step: Schema.Natural, tool: Schema.String, input: json }),
  /** The answer to the step's call, as the client sees it. `rejected` is an error text without a result of its own kind. */
  Schema.TaggedStruct("Answered", {
    step: Schema.Natural,
    tool: Schema.String,
    outcome: Schema.Literals(["answered", "rejected"]),
    isError: Schema.Boolean,
    value: json
  }),
  /** The client left before the answer, and the call's fiber has ended. */
  Schema.TaggedStruct("Disconnected", { step: Schema.Natural }),
  /** The call died: always a bug. */
  Schema.TaggedStruct("Died", { step: Schema.Natural, detail: Schema.String }),
  /** A call told the id of the task that it started, before its end. */
  Schema.TaggedStruct("TaskStarted", { step: Schema.Natural, taskId: Schema.String }),
  /** The files of the configuration were replaced, by ones that cannot be used when `bad`; a reload follows. */
  Schema.TaggedStruct("ConfigWritten", { step: Schema.Natural, bad: Schema.Boolean }),
  /** The wall clock was set; the monotonic clock, and every sleep, goes on as before. */
  Schema.TaggedStruct("ClockJumped", { step: Schema.Natural, millis: Schema.Int }),
  Schema.TaggedStruct("ShutdownBegan", {}),
  /** Every task and connection is gone, as far as the server knows. */
  Schema.TaggedStruct("ShutdownEnded", {})
])
export type WorkloadEvent = typeof WorkloadEvent.Type

/** What the server recorded: the records of `AuditLog`, and its log from `warn` up. */
export const RecordEvent = Schema.Union([
  Schema.TaggedStruct("Audit", { record: json }),
  Schema.TaggedStruct("Transition", {
    task_id: Schema.String,
    alias: Schema.String,
    hash: Schema.String,
    from: Schema.String,
    to: Schema.String
  }),
  Schema.TaggedStruct("Decision", {
    alias: Schema.String,
    hash: Schema.String,
    allowed: Schema.Boolean,
    rule: Schema.String,
    reason: Schema.String
  }),
  Schema.TaggedStruct("SecurityEvent", { event: Schema.String, fields: json }),
  Schema.TaggedStruct("Config", { fields: json }),
  /** A record of the server's log. `event` is its dotted name, or its first words; `defect` says that it reports a bug. */
  Schema.TaggedStruct("Log", { level: Schema.String, event: Schema.String, fields: json, defect: Schema.Boolean })
])
export type RecordEvent = typeof RecordEvent.Type

/** What the harness found. */
export const FindingEvent = Schema.Union([
  Schema.TaggedStruct("Violated", { invariant: Schema.String, detail: Schema.String })
])
export type FindingEvent = typeof FindingEvent.Type

/** Everything that can be observed in a run. */
export const SimulationEvent = Schema.Union([WorkloadEvent, RecordEvent, HostEvent, FindingEvent])
export type SimulationEvent = typeof SimulationEvent.Type

/** An event and when it happened. */
export interface LoggedEvent {
  /** Its number in the run, from 0. */
  readonly index: number
  /** Virtual milliseconds since the run began, in steps of a microsecond. Never decreases. */
  readonly at: number
  readonly event: SimulationEvent
}

/**
 * The append-only log of one run: the same scenario gives the same bytes on every machine. One JSON line an event, of
 * which the log keeps a running SHA-256; the events themselves are kept only as asked.
 */
export interface EventLog {
  /** Adds an event at the present virtual time, then tells the listeners in their order. */
  readonly append: (event: SimulationEvent) => void
  /** Tells a listener of each later event. A listener must not append: the others would hear it before its cause. */
  readonly listen: (listener: (logged: LoggedEvent) => void) => void
  /** The newest events that are kept, oldest first. */
  readonly events: () => ReadonlyArray<LoggedEvent>
  /** How many events there were, kept or not. */
  readonly size: () => number
  /** SHA-256 of all lines so far, in hex. */
  readonly sha256: () => string
}

/** The line of an event, without its line feed: `at`, then the tag, then its fields in the order of their making. */
export const eventLine = ({ at, event }: LoggedEvent): string => JSON.stringify({ at, ...event })

/** Bytes of the lines of the events that a bounded log keeps: answers with output are long. */
const KEPT_BYTES = 64 * 1024 * 1024

/** Characters of lines that are hashed together: a call for each line would cost more than its hash. */
const HASHED_AT_ONCE = 16 * 1024

/**
 * Makes an empty log on a clock of virtual milliseconds. It keeps the newest `keep` events, and up to twice as many; fewer
 * when their lines come to more than 64 MiB; 0 keeps none. Without `keep` it keeps all.
 */
export const makeEventLog = (now: () => number, keep: number = Number.POSITIVE_INFINITY): EventLog => {
  const hash = createHash("sha256")
  const listeners: Array<(logged: LoggedEvent) => void> = []
  const maxBytes = Number.isFinite(keep) ? KEPT_BYTES : Number.POSITIVE_INFINITY
  let kept: Array<LoggedEvent> = []
  let keptBytes = 0
  let size = 0
  let unhashed = ""

  const hashLines = (): void => {
    hash.update(unhashed)
    unhashed = ""
  }

  const keepNewest = (logged: LoggedEvent, bytes: number): void => {
    kept.push(logged)
    keptBytes += bytes
    if (kept.length < 2 * keep && keptBytes <= maxBytes) return
    kept = kept.slice(-Math.min(keep, Math.ceil(kept.length / 2)))
    keptBytes = kept.reduce((sum, each) => sum + eventLine(each).length, 0)
  }

  const append = (event: SimulationEvent): void => {
    const logged: LoggedEvent = { index: size++, at: now(), event }
    const line = `${eventLine(logged)}\n`
    unhashed += line
    if (unhashed.length >= HASHED_AT_ONCE) hashLines()
    if (keep > 0) keepNewest(logged, line.length)
    for (const listener of listeners) listener(logged)
  }

  return {
    append,
    listen: (listener) => {
      listeners.push(listener)
    },
    events: () => kept,
    size: () => size,
    sha256: () => {
      hashLines()
      return hash.copy().digest("hex")
    }
  }
}
