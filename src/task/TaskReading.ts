import { Effect, Option, Ref } from "effect"
import { TaskNotFinished, TaskNotFound } from "./errors.ts"
import type { TaskStatus } from "./Task.ts"
import { detailOf } from "./TaskDetail.ts"
import { limitsOf, monotonicMillis } from "./TaskRecord.ts"
import type { RegistryEntry, TaskRegistry } from "./TaskRegistry.ts"
import type { OutputPage } from "./TaskReport.ts"
import { reportOf, resultOf } from "./TaskReports.ts"
import { isTerminal, statusOf } from "./TaskState.ts"

/** The output of a task so far, for a call that stops waiting for its end. */
export interface TaskSnapshot {
  readonly status: TaskStatus
  readonly output: string
  /** True when `output` is not all that the host sent so far. */
  readonly truncated: boolean
  /** Where `ssh_get_task_output` goes on. An unterminated last line in `output` comes again. */
  readonly next_cursor: string
}

/** Which tasks to list; a member that is missing does not restrict. */
export interface TaskFilter {
  readonly status?: TaskStatus
  /** Only commands on this host; fan-outs have no alias. */
  readonly alias?: string
}

/** Which lines of a task's output to read: the newest, or those after a cursor. */
export interface PageRequest {
  /** 1 to 1000. */
  readonly maxLines: number
  readonly cursor?: string
}

const report = Effect.fnUntraced(function* ({ finished, record }: RegistryEntry) {
  const expiresAt = Option.map(finished, (times) => times.expiresAt)
  return yield* reportOf(record, expiresAt, yield* monotonicMillis)
})

const detail = Effect.fnUntraced(function* (entry: RegistryEntry) {
  return yield* detailOf(entry, yield* report(entry))
})

/** Everything that reads tasks and changes none. */
export const makeTaskReading = (registry: TaskRegistry) => {
  const find = (id: string) => Effect.map(registry.find(id), ({ record }) => record)

  return {
    status: Effect.fn("TaskSupervisor.status")((id: string) => Effect.flatMap(registry.find(id), report)),

    detail: Effect.fn("TaskSupervisor.detail")((id: string) => Effect.flatMap(registry.find(id), detail)),

    ids: Effect.fn("TaskSupervisor.ids")(function* ({ alias, status }: TaskFilter) {
      const entries = (yield* registry.all).filter(
        ({ record: { work } }) => alias === undefined || (work._tag === "Command" && work.spec.alias === alias)
      )
      const found =
        status === undefined
          ? entries
          : yield* Effect.filter(entries, ({ record }) =>
              Effect.map(Ref.get(record.state), (state) => statusOf(state) === status)
            )
      return found.map(({ record }) => record.id)
    }),

    output: Effect.fn("TaskSupervisor.output")(function* (id: string, request: PageRequest) {
      const record = yield* find(id)
      // The state first: a page that says `completed` then misses nothing.
      const status = statusOf(yield* Ref.get(record.state))
      const page: OutputPage = { task_id: record.id, status, ...(yield* record.output.page(request)) }
      return page
    }),

    result: Effect.fn("TaskSupervisor.result")(function* (id: string) {
      const record = yield* find(id)
      if (record.work._tag === "FanOut") return yield* new TaskNotFound({ taskId: id })
      const state = yield* Ref.get(record.state)
      if (isTerminal(state)) return yield* resultOf(record, record.work.spec, state)
      const { task_progress_interval: pollFrequency } = limitsOf(record)
      return yield* new TaskNotFinished({ taskId: id, status: statusOf(state), pollFrequency })
    }),

    snapshot: Effect.fn("TaskSupervisor.snapshot")(function* (id: string) {
      const record = yield* find(id)
      const status = statusOf(yield* Ref.get(record.state))
      // The cursor first: output that arrives in between is then read twice, never missed.
      const { next_cursor } = yield* record.output.page({ maxLines: 1 }).pipe(Effect.orDie)
      const text = yield* record.output.text(limitsOf(record).max_result_bytes)
      return { status, output: text.output, truncated: text.truncated, next_cursor } satisfies TaskSnapshot
    })
  }
}
