import { Schema } from "effect"

/** Identifies a task: `alias:hash:suffix`. The suffix is 26 characters of Crockford base 32 and cannot be guessed. */
export const TaskId = Schema.String.check(
  Schema.isMaxLength(200),
  Schema.isPattern(/^[A-Za-z0-9._-]+:[0-9a-f]{16}:[0-9A-Z]{26}$/)
).pipe(Schema.brand("TaskId"))
export type TaskId = typeof TaskId.Type

/** The state of a task as clients see it. */
export const TaskStatus = Schema.Literals(["pending", "running", "completed", "failed", "cancelled", "timeout"])
export type TaskStatus = typeof TaskStatus.Type

/** What is known about the remote process after a stop: gone, perhaps alive, or it never started. */
export const RemoteStopped = Schema.Literals(["confirmed", "unconfirmed", "not_started"])
export type RemoteStopped = typeof RemoteStopped.Type
