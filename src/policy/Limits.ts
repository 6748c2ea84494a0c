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

/**
 * The original project's 20 denied texts, in force while no `deny_substrings` is configured. `BuiltinDenials` matches them
 * on the parsed command; as a list in a file they would be literal text.
 */
export const BUILTIN_DENY_SUBSTRINGS: ReadonlyArray<string> = [
  "rm -rf /",
  ":(){ :|:& };:",
  "mkfs ",
  "dd if=/dev/zero",
  "shutdown -h",
  "reboot",
  "userdel ",
  "passwd ",
  "ssh ",
  "scp ",
  "rsync -e ssh",
  "curl ",
  "wget ",
  "nc ",
  "nmap ",
  "telnet ",
  "kubectl ",
  "aws ",
  "gcloud ",
  "az "
]

/** What holds where policy.yml says nothing. */
export const DEFAULT_LIMITS: Limits = {
  max_seconds: 60,
  max_output_bytes: 1_048_576,
  task_result_ttl: 300,
  task_progress_interval: 5,
  deny_substrings: BUILTIN_DENY_SUBSTRINGS,
  max_concurrent_tasks: 64,
  max_tasks_per_host: 8,
  max_queued_tasks: 1_000,
  connect_timeout_seconds: 15,
  sync_wait_seconds: 45,
  max_result_bytes: 65_536,
  redact_output: true
}

/** `limits` with every key that `patch` holds replaced. Keys that are no limits are left out. */
export const patchLimits = (limits: Limits, patch: LimitsPatch): Limits => ({
  max_seconds: patch.max_seconds ?? limits.max_seconds,
  max_output_bytes: patch.max_output_bytes ?? limits.max_output_bytes,
  task_result_ttl: patch.task_result_ttl ?? limits.task_result_ttl,
  task_progress_interval: patch.task_progress_interval ?? limits.task_progress_interval,
  deny_substrings: patch.deny_substrings ?? limits.deny_substrings,
  max_concurrent_tasks: patch.max_concurrent_tasks ?? limits.max_concurrent_tasks,
  max_tasks_per_host: patch.max_tasks_per_host ?? limits.max_tasks_per_host,
  max_queued_tasks: patch.max_queued_tasks ?? limits.max_queued_tasks,
  connect_timeout_seconds: patch.connect_timeout_seconds ?? limits.connect_timeout_seconds,
  sync_wait_seconds: patch.sync_wait_seconds ?? limits.sync_wait_seconds,
  max_result_bytes: patch.max_result_bytes ?? limits.max_result_bytes,
  redact_output: patch.redact_output ?? limits.redact_output
})

/** The smaller of two limits on seconds, where 0 means no limit. */
export const lowerSeconds = (left: number, right: number): number =>
  left === 0 ? right : right === 0 ? left : Math.min(left, right)

const lower = (limit: number, patch: number | undefined): number => Math.min(limit, patch ?? limit)

/**
 * `limits` with what a matched rule asks for, which can only make them stricter: the smaller number, redaction
 * on. Denied texts are a rule's own (see `Policy`); limits of the whole process and of the connection are not a rule's to change.
 */
export const lowerLimits = (limits: Limits, patch: LimitsPatch): Limits => ({
  ...limits,
  max_seconds: lowerSeconds(limits.max_seconds, patch.max_seconds ?? limits.max_seconds),
  max_output_bytes: lower(limits.max_output_bytes, patch.max_output_bytes),
  task_result_ttl: lower(limits.task_result_ttl, patch.task_result_ttl),
  task_progress_interval: lower(limits.task_progress_interval, patch.task_progress_interval),
  sync_wait_seconds: lower(limits.sync_wait_seconds, patch.sync_wait_seconds),
  max_result_bytes: lower(limits.max_result_bytes, patch.max_result_bytes),
  redact_output: limits.redact_output || patch.redact_output === true
})
