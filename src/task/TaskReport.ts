import { Schema } from "effect"
import { RemoteStopped, TaskStatus } from "./Task.ts"

/** The state of one task at one moment. */
export const TaskReport = Schema.Struct({
  task_id: Schema.String,
  kind: Schema.Literals(["command", "fan_out"]),
  alias: Schema.optionalKey(Schema.String),
  tag: Schema.optionalKey(Schema.String),
  status: TaskStatus,
  /** Seconds the record is still kept: the full TTL until the task ends, then counting down. */
  keepAlive: Schema.Int,
  /** Seconds to wait between polls. */
  pollFrequency: Schema.Int,
  /** Elapsed time against the time limit; 100 only when the task ended, 0 until then without a limit. */
  progress_percent: Schema.Int,
  elapsed_ms: Schema.Int,
  bytes_read: Schema.Int,
  output_lines_available: Schema.Int,
  exit_code: Schema.optionalKey(Schema.Int),
  status_message: Schema.optionalKey(Schema.String)
})
export type TaskReport = typeof TaskReport.Type

/** One page of a task's output lines. */
export const OutputPage = Schema.Struct({
  task_id: Schema.String,
  status: TaskStatus,
  output_lines: Schema.Array(Schema.String),
  /** Lines seen so far, dropped ones included. */
  total_lines: Schema.Int,
  /** Without a cursor: older lines exist. With a cursor: newer lines exist. */
  has_more: Schema.Boolean,
  next_cursor: Schema.String,
  /** Lines that the cursor would have read but that were dropped from the middle of the window. */
  dropped_lines: Schema.Int,
  partial_line: Schema.optionalKey(Schema.String)
})
export type OutputPage = typeof OutputPage.Type

/** What a cancel came to. */
export const CancelReport = Schema.Struct({
  task_id: Schema.String,
  cancelled: Schema.Boolean,
  message: Schema.String,
  remote_stopped: RemoteStopped
})
export type CancelReport = typeof CancelReport.Type
