import { Option } from "effect"
import type { RemoteExit } from "../ssh/Transport.ts"
import type { RemoteStopped, TaskStatus } from "./Task.ts"

/** A command that started: since when, and at which address. A fan-out starts without an address of its own (`""`). */
export interface Run {
  /** Monotonic milliseconds. */
  readonly startedAt: number
  readonly targetIp: string
}

/** Why a task failed: the remote command's own end, or a reason that it has no end of its own. */
export type Failure =
  | { readonly _tag: "ExitCode"; readonly code: number }
  | { readonly _tag: "Signal"; readonly signal: string }
  | { readonly _tag: "Message"; readonly message: string; readonly remoteStopped: RemoteStopped }

/** Admitted, waiting for a slot or connecting: the command did not start on the host yet. */
export interface Pending {
  readonly _tag: "Pending"
}

/** The command is known to have started on the host. */
export interface Running {
  readonly _tag: "Running"
  readonly run: Run
}

/** Ended with exit code 0. */
export interface Completed {
  readonly _tag: "Completed"
  readonly run: Run
  readonly endedAt: number
}

/** Ended otherwise by itself, or could not be run, or its end is unknown. */
export interface Failed {
  readonly _tag: "Failed"
  /** None: it failed before the command started. */
  readonly run: Option.Option<Run>
  readonly endedAt: number
  readonly failure: Failure
}

/** Interrupted by a cancel, a leaving client or the shutdown. */
export interface Cancelled {
  readonly _tag: "Cancelled"
  /** None: it was cancelled before the command started. */
  readonly run: Option.Option<Run>
  readonly endedAt: number
  readonly remoteStopped: RemoteStopped
}

/** Stopped because `max_seconds` passed. */
export interface TimedOut {
  readonly _tag: "TimedOut"
  readonly run: Run
  readonly endedAt: number
  readonly remoteStopped: RemoteStopped
}

/** A state that nothing leaves. */
export type Terminal = Completed | Failed | Cancelled | TimedOut

/** The state of a task, with exactly the data that each state has. Times are monotonic milliseconds. */
export type TaskState = Pending | Running | Terminal

/** What happens to a task. `at` is monotonic milliseconds. */
export type TaskEvent =
  | { readonly _tag: "Start"; readonly at: number; readonly targetIp: string }
  | { readonly _tag: "Exit"; readonly at: number; readonly exit: RemoteExit }
  | { readonly _tag: "Fail"; readonly at: number; readonly message: string; readonly remoteStopped: RemoteStopped }
  | { readonly _tag: "Cancel"; readonly at: number; readonly remoteStopped: RemoteStopped }
  | { readonly _tag: "TimeOut"; readonly at: number; readonly remoteStopped: RemoteStopped }

/** The state of a task that was just admitted. */
export const pending: TaskState = { _tag: "Pending" }

/** Whether the task ended. */
export const isTerminal = (state: TaskState): state is Terminal => state._tag !== "Pending" && state._tag !== "Running"

/** When and where the command started, if it did. */
export const runOf = (state: TaskState): Option.Option<Run> => {
  switch (state._tag) {
    case "Pending":
      return Option.none()
    case "Running":
    case "Completed":
    case "TimedOut":
      return Option.some(state.run)
    case "Failed":
    case "Cancelled":
      return state.run
  }
}

/** A signal's name as the host sent it, cut to what a name can hold: it goes into texts that clients see. */
const signalName = (sent: string): string => sent.replace(/[^A-Za-z0-9@._+-]/g, "").slice(0, 32)

const exited = (run: Run, at: number, exit: RemoteExit): TaskState => {
  if (exit._tag === "Signalled") {
    const failure: Failure = { _tag: "Signal", signal: signalName(exit.signal) }
    return { _tag: "Failed", run: Option.some(run), endedAt: at, failure }
  }
  if (exit.code === 0) return { _tag: "Completed", run, endedAt: at }
  return { _tag: "Failed", run: Option.some(run), endedAt: at, failure: { _tag: "ExitCode", code: exit.code } }
}

/**
 * The whole table of the state machine: the next state, or none when the event is impossible in this state.
 *
 * `Pending → Running → Completed | Failed | Cancelled | TimedOut`, and `Pending → Failed | Cancelled`. Only a command
 * that started can exit or run out of time; terminal is final.
 */
export const transition = (state: TaskState, event: TaskEvent): Option.Option<TaskState> => {
  if (isTerminal(state)) return Option.none()
  const run = runOf(state)
  switch (event._tag) {
    case "Start":
      return Option.isSome(run)
        ? Option.none()
        : Option.some({ _tag: "Running", run: { startedAt: event.at, targetIp: event.targetIp } })
    case "Exit":
      return Option.map(run, (started) => exited(started, event.at, event.exit))
    case "TimeOut":
      return Option.map(run, (started) => ({
        _tag: "TimedOut",
        run: started,
        endedAt: event.at,
        remoteStopped: event.remoteStopped
      }))
    case "Cancel":
      return Option.some({ _tag: "Cancelled", run, endedAt: event.at, remoteStopped: event.remoteStopped })
    case "Fail":
      return Option.some({
        _tag: "Failed",
        run,
        endedAt: event.at,
        failure: { _tag: "Message", message: event.message, remoteStopped: event.remoteStopped }
      })
  }
}

const STATUS: { readonly [K in TaskState["_tag"]]: TaskStatus } = {
  Pending: "pending",
  Running: "running",
  Completed: "completed",
  Failed: "failed",
  Cancelled: "cancelled",
  TimedOut: "timeout"
}

/** The state's name as clients see it. */
export const statusOf = (state: TaskState): TaskStatus => STATUS[state._tag]

/** The remote exit code, if the command ended with one. */
export const exitCodeOf = (state: TaskState): Option.Option<number> => {
  if (state._tag === "Completed") return Option.some(0)
  return state._tag === "Failed" && state.failure._tag === "ExitCode" ? Option.some(state.failure.code) : Option.none()
}

/** The signal that killed the remote process (without `SIG`), if one did. */
export const exitSignalOf = (state: TaskState): Option.Option<string> =>
  state._tag === "Failed" && state.failure._tag === "Signal" ? Option.some(state.failure.signal) : Option.none()

/** What is known about the remote process: a command that ended by itself is gone, one still going is not. */
export const remoteStoppedOf = (state: TaskState): RemoteStopped => {
  switch (state._tag) {
    case "Pending":
      return "not_started"
    case "Running":
      return "unconfirmed"
    case "Completed":
      return "confirmed"
    case "Failed":
      return state.failure._tag === "Message" ? state.failure.remoteStopped : "confirmed"
    case "Cancelled":
    case "TimedOut":
      return state.remoteStopped
  }
}

/** Milliseconds since the command started on the host: 0 before, standing still after the end. */
export const elapsedMillis = (state: TaskState, now: number): number =>
  Option.match(runOf(state), {
    onNone: () => 0,
    onSome: ({ startedAt }) => Math.max(0, (isTerminal(state) ? state.endedAt : now) - startedAt)
  })
