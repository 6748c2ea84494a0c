import { Effect, Option, Ref } from "effect"
import { limitsOf } from "./TaskRecord.ts"
import type { RegistryEntry } from "./TaskRegistry.ts"
import type { TaskReport } from "./TaskReport.ts"
import { isTerminal, runOf } from "./TaskState.ts"

/** A task's report with what answers need that name times of day (MCP tasks do). Times are milliseconds. */
export interface TaskDetail extends TaskReport {
  /** Since the epoch. */
  readonly createdAt: number
  /** Since the epoch: when it started or ended, whichever was last. */
  readonly updatedAt: number
  /** From its creation on it is kept at least this long: what was asked for with `retain`, or else its TTL. */
  readonly keptFor: number
  /** Seconds that it may run; 0 for no limit, and for a fan-out, whose hosts have one each. */
  readonly maxSeconds: number
}

/** The detail that belongs to a task's report. */
export const detailOf = Effect.fnUntraced(function* ({ record, retainUntil }: RegistryEntry, report: TaskReport) {
  const state = yield* Ref.get(record.state)
  const started = Option.match(runOf(state), { onNone: () => record.submittedAt, onSome: (run) => run.startedAt })
  const changed = isTerminal(state) ? state.endedAt : started
  const { max_seconds, task_result_ttl } = limitsOf(record)
  const detail: TaskDetail = {
    ...report,
    createdAt: record.createdAt,
    updatedAt: record.createdAt + (changed - record.submittedAt),
    keptFor: retainUntil === 0 ? task_result_ttl * 1000 : retainUntil - record.submittedAt,
    maxSeconds: record.work._tag === "FanOut" ? 0 : max_seconds
  }
  return detail
})
