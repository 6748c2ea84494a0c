import { Schema } from "effect"
import { TaskStatus } from "./Task.ts"

/** What a command on one host came to. Bytes are what the host sent; `output` is cleaned and may be cut. */
export const RunResult = Schema.Struct({
  task_id: Schema.String,
  alias: Schema.String,
  hash: Schema.String,
  status: TaskStatus,
  /** -1 when there is none: a signal, a timeout, a lost or failed connection. */
  exit_code: Schema.Int,
  exit_signal: Schema.optionalKey(Schema.String),
  duration_ms: Schema.Int,
  cancelled: Schema.Boolean,
  timeout: Schema.Boolean,
  /** "" when no connection was made. */
  target_ip: Schema.String,
  output: Schema.String,
  bytes_out: Schema.Int,
  bytes_err: Schema.Int,
  /** True when `output` is not everything the host sent. */
  truncated: Schema.Boolean,
  /** How many secrets were masked in all that the host sent; absent for none. */
  redacted: Schema.optionalKey(Schema.Int),
  /** Where `ssh_get_task_output` goes on reading, when the rest was kept. */
  next_cursor: Schema.optionalKey(Schema.String),
  max_seconds: Schema.optionalKey(Schema.Int),
  /** Why there is no exit code, and what to do next. */
  status_message: Schema.optionalKey(Schema.String)
})
export type RunResult = typeof RunResult.Type

/** A call that was still running after `sync_wait_seconds`: the task goes on. */
export const Promoted = Schema.Struct({
  task_id: Schema.String,
  status: Schema.Literal("running"),
  alias: Schema.optionalKey(Schema.String),
  tag: Schema.optionalKey(Schema.String),
  hash: Schema.String,
  output: Schema.String,
  next_cursor: Schema.optionalKey(Schema.String),
  hint: Schema.String
})
export type Promoted = typeof Promoted.Type

/** The answer to `start`. */
export const Started = Schema.Struct({
  task_id: Schema.String,
  status: Schema.Literal("pending"),
  keepAlive: Schema.Int,
  pollFrequency: Schema.Int,
  alias: Schema.String,
  command: Schema.String,
  hash: Schema.String
})
export type Started = typeof Started.Type
