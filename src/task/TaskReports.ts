import { Effect, Option, Ref } from "effect"
import type { AuditRecord } from "../audit/AuditLog.ts"
import type { RunResult } from "./RunResult.ts"
import type { RemoteStopped } from "./Task.ts"
import { type FanOutProgress, limitsOf, type TaskRecord } from "./TaskRecord.ts"
import type { TaskReport } from "./TaskReport.ts"
import type { CommandSpec } from "./TaskSpec.ts"
import {
  elapsedMillis,
  exitCodeOf,
  exitSignalOf,
  isTerminal,
  remoteStoppedOf,
  runOf,
  statusOf,
  type TaskState
} from "./TaskState.ts"

/** What a client should know about a stop that could not be confirmed. */
const UNCONFIRMED =
  "The remote process could not be confirmed as stopped: check the host before you run the command again."

/** Why there is no exit code, and what to do next; none for a task that is under way or ended with a code. */
export const statusMessage = (state: TaskState, maxSeconds: number): string | undefined => {
  switch (state._tag) {
    case "Pending":
    case "Running":
    case "Completed":
      return undefined
    case "TimedOut":
      return state.remoteStopped === "confirmed"
        ? `Stopped after ${maxSeconds} s, the time limit of this command (max_seconds).`
        : `Timed out after ${maxSeconds} s, the time limit of this command (max_seconds). ${UNCONFIRMED}`
    case "Cancelled":
      switch (state.remoteStopped) {
        case "confirmed":
          return "Cancelled: the remote process was stopped."
        case "not_started":
          return "Cancelled before the command started: nothing ran."
        case "unconfirmed":
          return `Cancelled. ${UNCONFIRMED}`
      }
      break
    case "Failed":
      switch (state.failure._tag) {
        case "ExitCode":
          return undefined
        case "Signal":
          return `The remote process was killed by signal ${state.failure.signal}.`
        case "Message":
          return state.failure.message
      }
  }
}

/** Elapsed time against the limit: below 100 until the end, 0 until then without a limit. */
export const progressPercent = (state: TaskState, elapsed: number, maxSeconds: number): number => {
  if (isTerminal(state)) return 100
  return maxSeconds === 0 ? 0 : Math.min(99, Math.floor(elapsed / (maxSeconds * 10)))
}

/** `3 of 10 hosts finished`; none before the hosts are counted. */
const finishedHosts = ({ done, total }: FanOutProgress): string | undefined =>
  total === 0 ? undefined : `${done} of ${total} hosts finished`

/** The report on one task at one moment. `expiresAt` is known once it ended. */
export const reportOf = Effect.fnUntraced(function* (
  record: TaskRecord,
  expiresAt: Option.Option<number>,
  now: number
) {
  // The state first: a report that says `completed` then counts everything.
  const state = yield* Ref.get(record.state)
  const { bytesErr, bytesOut, lines } = yield* record.output.counts
  const { work } = record
  const limits = limitsOf(record)
  const elapsed = elapsedMillis(state, now)
  const code = exitCodeOf(state)
  const progress = work._tag === "FanOut" && !isTerminal(state) ? yield* Ref.get(work.progress) : undefined
  const message = progress === undefined ? statusMessage(state, limits.max_seconds) : finishedHosts(progress)
  const report: TaskReport = {
    task_id: record.id,
    ...(work._tag === "Command"
      ? { kind: "command" as const, alias: work.spec.alias }
      : { kind: "fan_out" as const, tag: work.spec.tag }),
    status: statusOf(state),
    keepAlive: Option.match(expiresAt, {
      onNone: () => limits.task_result_ttl,
      onSome: (at) => Math.max(0, Math.ceil((at - now) / 1000))
    }),
    pollFrequency: limits.task_progress_interval,
    progress_percent: progress?.percent ?? progressPercent(state, elapsed, limits.max_seconds),
    elapsed_ms: elapsed,
    bytes_read: bytesOut + bytesErr,
    output_lines_available: lines,
    ...(work._tag === "Command" && Option.isSome(code) ? { exit_code: code.value } : {}),
    ...(message === undefined ? {} : { status_message: message })
  }
  return report
})

/** What an ended command came to, as far as results and audit agree. */
const ending = Effect.fnUntraced(function* (record: TaskRecord, spec: CommandSpec, state: TaskState) {
  const { bytesErr, bytesOut } = yield* record.output.counts
  const signal = exitSignalOf(state)
  return {
    task_id: record.id,
    alias: spec.alias,
    hash: spec.hash,
    exit_code: Option.getOrElse(exitCodeOf(state), () => -1),
    ...(Option.isSome(signal) ? { exit_signal: signal.value } : {}),
    // Nothing moves after the end, so any later moment gives the same duration.
    duration_ms: elapsedMillis(state, 0),
    bytes_out: bytesOut,
    bytes_err: bytesErr,
    cancelled: state._tag === "Cancelled",
    timeout: state._tag === "TimedOut",
    target_ip: Option.match(runOf(state), { onNone: () => "", onSome: ({ targetIp }) => targetIp })
  }
})

/** The result of a command that ended, with its output in at most `max_result_bytes`. */
export const resultOf = Effect.fnUntraced(function* (record: TaskRecord, spec: CommandSpec, state: TaskState) {
  const { nextCursor, output, truncated } = yield* record.output.text(spec.limits.max_result_bytes)
  const { redacted } = yield* record.output.counts
  const message = statusMessage(state, spec.limits.max_seconds)
  const result: RunResult = {
    ...(yield* ending(record, spec, state)),
    status: statusOf(state),
    output,
    truncated,
    ...(redacted === 0 ? {} : { redacted }),
    ...(nextCursor === undefined ? {} : { next_cursor: nextCursor }),
    max_seconds: spec.limits.max_seconds,
    ...(message === undefined ? {} : { status_message: message })
  }
  return result
})

/** The audit record of a command that ended. */
export const auditOf = Effect.fnUntraced(function* (record: TaskRecord, spec: CommandSpec, state: TaskState) {
  const audit: AuditRecord = {
    ...(yield* ending(record, spec, state)),
    command_sha256: spec.commandSha256,
    command: spec.command,
    decision_rule: spec.decisionRule,
    client: spec.client
  }
  return audit
})

/**
 * What a cancel answers: cancelled by it (or by a concurrent one), or the task's end was another one. `reported` is the worst
 * of what the hosts of a fan-out came to, which its own state does not tell.
 */
export const cancelAnswer = (
  id: string,
  before: TaskState,
  after: TaskState,
  reported: Option.Option<RemoteStopped>
) => {
  const cancelled = !isTerminal(before) && after._tag === "Cancelled"
  return {
    task_id: id,
    cancelled,
    message: cancelled ? "Cancelled" : "Task not found or not cancellable",
    remote_stopped: Option.getOrElse(reported, () => remoteStoppedOf(after))
  }
}
