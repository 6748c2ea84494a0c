import { Schema } from "effect"

const positive = (maximum: number) => Schema.Int.check(Schema.isBetween({ minimum: 1, maximum }))

/** A day, in seconds: the largest duration that a limit may name. */
const DAY = 86_400

/**
 * The keys that `limits`, an entry of `overrides` and a rule's `limits` may hold; every key is optional.
 * Units are in the names; bytes count both output streams together.
 */
export const LimitsPatch = Schema.Struct({
  /** Seconds a command may run, counted from its start on the host. 0 means no limit. */
  max_seconds: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 30 * DAY }))),
  /** Bytes of cleaned output kept for a task: head and tail, at most 1 GiB. */
  max_output_bytes: Schema.optionalKey(positive(1024 * 1024 * 1024)),
  /** Seconds a finished task can still be read. */
  task_result_ttl: Schema.optionalKey(positive(DAY)),
  /** Seconds between the polls that a client is advised to make. */
  task_progress_interval: Schema.optionalKey(positive(3600)),
  /** Literal texts that deny a command wherever they occur. Replaces the built-in list. */
  deny_substrings: Schema.optionalKey(Schema.Array(Schema.NonEmptyString)),
  /** Commands that may run at the same time in the whole process. */
  max_concurrent_tasks: Schema.optionalKey(positive(10_000)),
  /** Commands that may run at the same time on one host. */
  max_tasks_per_host: Schema.optionalKey(positive(1_000)),
  /** Commands that may wait for a slot; one more is denied with the reason `limit`. */
  max_queued_tasks: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 100_000 }))),
  /** Seconds for name resolution, TCP, handshake and authentication together. */
  connect_timeout_seconds: Schema.optionalKey(positive(300)),
  /** Seconds a synchronous call waits before it answers with the task's id instead. */
  sync_wait_seconds: Schema.optionalKey(positive(3600)),
  /** Bytes of output text in one tool result. */
  max_result_bytes: Schema.optionalKey(
    Schema.Int.check(Schema.isBetween({ minimum: 1024, maximum: 16 * 1024 * 1024 }))
  ),
  /** Whether well-known secret shapes are masked in output. */
  redact_output: Schema.optionalKey(Schema.Boolean)
})
export type LimitsPatch = typeof LimitsPatch.Type

/** The limits in force for one host: every key has a value. */
export type Limits = { readonly [K in keyof Required<LimitsPatch>]: Exclude<LimitsPatch[K], undefined> }
