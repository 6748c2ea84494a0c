import { Clock, Deferred, Effect, Option, Ref } from "effect"
import type { Limits } from "../policy/Limits.ts"
import { monotonicMillis } from "../ssh/MonotonicTime.ts"
import type { RemoteStopped, TaskId } from "./Task.ts"
import { makeTaskOutput, type TaskOutput } from "./TaskOutput.ts"
import type { CommandSpec, FanOutSpec } from "./TaskSpec.ts"
import { pending, type TaskState } from "./TaskState.ts"

/** How far a fan-out is. Only rises. */
export interface FanOutProgress {
  readonly done: number
  readonly total: number
  /** Percentage of the hosts that are done, 0 to 99. */
  readonly percent: number
}

/** A fan-out of which nothing is known yet. */
export const noProgress: FanOutProgress = { done: 0, total: 0, percent: 0 }

/** The progress after a word that `done` of `total` hosts are done; one that says less than is known changes nothing. */
export const progressed = (known: FanOutProgress, done: number, total: number): FanOutProgress => {
  const percent = Math.min(99, Math.floor((100 * done) / Math.max(1, total)))
  return done < known.done || percent < known.percent ? known : { done, total, percent }
}

/** What a task does. */
export type TaskWork =
  | { readonly _tag: "Command"; readonly spec: CommandSpec }
  | {
      readonly _tag: "FanOut"
      readonly spec: Pick<FanOutSpec, "tag" | "command" | "hash" | "limits">
      readonly progress: Ref.Ref<FanOutProgress>
    }

/** One admitted task. It never leaves the supervisor: clients get reports. */
export interface TaskRecord {
  readonly id: TaskId
  /** Rises with each submission: the order of lists and of the queue. */
  readonly sequence: number
  /** Milliseconds since the epoch, for answers that name the time of day. */
  readonly createdAt: number
  /** The same moment in monotonic milliseconds. */
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

export { monotonicMillis } from "../ssh/MonotonicTime.ts"

/** A record in the state `Pending`, with empty output. */
export const makeRecord = Effect.fnUntraced(function* (id: TaskId, sequence: number, work: TaskWork) {
  return {
    id,
    sequence,
    createdAt: yield* Clock.currentTimeMillis,
    submittedAt: yield* monotonicMillis,
    work,
    state: yield* Ref.make(pending),
    stopped: yield* Ref.make(Option.none<RemoteStopped>()),
    // The lines of a fan-out come from its hosts' tasks, which masked them.
    output: yield* makeTaskOutput(
      work.spec.limits.max_output_bytes,
      work._tag === "Command" ? work.spec.redaction : undefined
    ),
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
