import { Clock, Deferred, Effect, Option, Ref } from "effect"
import type { Limits } from "../policy/Limits.ts"
import type { RemoteStopped, TaskId } from "./Task.ts"
import { makeTaskOutput, type TaskOutput } from "./TaskOutput.ts"
import type { CommandSpec, FanOutSpec } from "./TaskSpec.ts"
import { pending, type TaskState } from "./TaskState.ts"

/** What a task does. */
export type TaskWork =
  | { readonly _tag: "Command"; readonly spec: CommandSpec }
  | {
      readonly _tag: "FanOut"
      readonly spec: Pick<FanOutSpec, "tag" | "command" | "hash" | "limits">
      /** Percentage of the hosts that are done, 0 to 99; only rises. */
      readonly progress: Ref.Ref<number>
    }

/** One admitted task. It never leaves the supervisor: clients get reports. */
export interface TaskRecord {
  readonly id: TaskId
  /** Rises with each submission: the order of lists and of the queue. */
  readonly sequence: number
  /** Monotonic milliseconds. */
  readonly submittedAt: number
  readonly work: TaskWork
  readonly state: Ref.Ref<TaskState>
  /** The worst of what was reported about stopping the remote side. */
  readonly stopped: Ref.Ref<Option.Option<RemoteStopped>>
  readonly output: TaskOutput
  /** Resolved once the task's fiber can be interrupted. */
  readonly launched: Deferred.Deferred<void>
  /** Resolved last: the state is terminal, the audit record is written and the slot is free. */
  readonly ended: Deferred.Deferred<void>
}

/** Milliseconds of a clock that never goes back; only differences mean something. */
export const monotonicMillis: Effect.Effect<number> = Effect.map(Clock.monotonicTimeNanos, (nanos) =>
  Number(nanos / 1_000_000n)
)

/** A record in the state `Pending`, with empty output. */
export const makeRecord = Effect.fnUntraced(function* (id: TaskId, sequence: number, work: TaskWork) {
  return {
    id,
    sequence,
    submittedAt: yield* monotonicMillis,
    work,
    state: yield* Ref.make(pending),
    stopped: yield* Ref.make(Option.none<RemoteStopped>()),
    output: yield* makeTaskOutput(work.spec.limits.max_output_bytes),
    launched: yield* Deferred.make<void>(),
    ended: yield* Deferred.make<void>()
  } satisfies TaskRecord
})

/** The limits that the task was submitted under. */
export const limitsOf = (record: TaskRecord): Limits => record.work.spec.limits

/** What stands before the hash in the task's id: the alias, or `tag.` and the tag. */
export const subjectOf = (work: TaskWork): string =>
  work._tag === "Command" ? work.spec.alias : `tag.${work.spec.tag}`

const WORST: ReadonlyArray<RemoteStopped> = ["not_started", "confirmed", "unconfirmed"]

/** Remembers a report about a stop; of several, the worst counts. */
export const noteStopped = (record: TaskRecord, remote: RemoteStopped): Effect.Effect<void> =>
  Ref.update(record.stopped, (known) =>
    Option.some(
      Option.match(known, {
        onNone: () => remote,
        onSome: (before) => (WORST.indexOf(remote) > WORST.indexOf(before) ? remote : before)
      })
    )
  )
