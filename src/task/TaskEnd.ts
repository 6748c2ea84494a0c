import { Cause, Exit, Option } from "effect"
import type { SshError } from "../ssh/errors.ts"
import type { RemoteExit } from "../ssh/Transport.ts"
import type { LimitReached } from "./errors.ts"
import type { RemoteStopped } from "./Task.ts"
import type { TaskEvent } from "./TaskState.ts"

/** How the body of a task ended when it ended by itself. */
export type TaskEnd =
  | { readonly _tag: "Exited"; readonly exit: RemoteExit }
  | { readonly _tag: "TimedOut" }
  /** A fan-out whose result counts as a failure. */
  | { readonly _tag: "Unsuccessful"; readonly message: string }

/** What a client is told about a defect; the cause is in the log. */
export const INTERNAL_ERROR =
  "Internal error: the outcome of the command is unknown. Ask the operator to look at the server's log."

/**
 * The event that a body's exit stands for, the only source of terminal states: an interruption is a cancel, a typed
 * failure and a defect are failures. `reported` is what a stop came to; without a report, a command that started
 * (or whose connection was lost while it was being started) may still run.
 */
export const endEvent = (
  exit: Exit.Exit<TaskEnd, SshError | LimitReached>,
  at: number,
  started: boolean,
  reported: Option.Option<RemoteStopped>
): TaskEvent => {
  const remote = (mayRun: boolean): RemoteStopped =>
    Option.getOrElse(reported, () => (mayRun ? "unconfirmed" : "not_started"))
  if (Exit.isSuccess(exit)) {
    switch (exit.value._tag) {
      case "Exited":
        return { _tag: "Exit", at, exit: exit.value.exit }
      case "TimedOut":
        return { _tag: "TimeOut", at, remoteStopped: remote(started) }
      case "Unsuccessful":
        return {
          _tag: "Fail",
          at,
          message: exit.value.message,
          remoteStopped: Option.getOrElse(reported, () => "confirmed")
        }
    }
  }
  if (Cause.hasInterrupts(exit.cause)) return { _tag: "Cancel", at, remoteStopped: remote(started) }
  return Option.match(Cause.findErrorOption(exit.cause), {
    onNone: (): TaskEvent => ({ _tag: "Fail", at, message: INTERNAL_ERROR, remoteStopped: remote(started) }),
    onSome: (error): TaskEvent => {
      const lost = error._tag === "SshError" && error.failure === "ConnectionLost"
      return { _tag: "Fail", at, message: error.message, remoteStopped: remote(started || lost) }
    }
  })
}
