import { Effect, HashMap, Option, Ref } from "effect"
import { TaskNotFound } from "./errors.ts"
import { limitsOf, type TaskRecord } from "./TaskRecord.ts"

/** The most tasks that are kept, running and finished together. */
export const MAX_RECORDS = 10_000

/** The most output of finished tasks that is kept together, in bytes. What ended longest ago goes first. */
export const MAX_KEPT_BYTES = 256 * 1024 * 1024

/** How long, in milliseconds, a finished task is kept whatever it holds: whoever waited for its end reads it then. */
const UNTOUCHED = 5_000

/** A kept task. Times are monotonic milliseconds. */
export interface RegistryEntry {
  readonly record: TaskRecord
  /** Asked for by the client: not gone before this, even when the TTL ends earlier. */
  readonly retainUntil: number
  /** When it ended and when it goes; none while it is live. */
  readonly finished: Option.Option<{
    readonly endedAt: number
    readonly expiresAt: number
    /** Of its output. */
    readonly bytes: number
  }>
}

type Entries = HashMap.HashMap<string, RegistryEntry>

/** The tasks by id, until their time is over. Bounded by `MAX_RECORDS` and `MAX_KEPT_BYTES`. */
export interface TaskRegistry {
  /**
   * Keeps a new task. When the registry is full, the task that finished longest ago goes first, before its time; false
   * when all are live.
   */
  readonly add: (record: TaskRecord) => Effect.Effect<boolean>
  readonly find: (id: string) => Effect.Effect<RegistryEntry, TaskNotFound>
  /** Starts the countdown of a task's TTL. */
  readonly finish: (id: string, endedAt: number) => Effect.Effect<void>
  /** Keeps a task at least until then. */
  readonly retain: (id: string, until: number) => Effect.Effect<void, TaskNotFound>
  /** Newest first. */
  readonly all: Effect.Effect<ReadonlyArray<RegistryEntry>>
  /** Forgets every task whose time is over, and finished ones that hold too much output together. */
  readonly sweep: (now: number) => Effect.Effect<void>
}

const longestFinished = (entries: Entries): Option.Option<RegistryEntry> => {
  let oldest: { readonly entry: RegistryEntry; readonly endedAt: number } | undefined
  for (const entry of HashMap.values(entries)) {
    if (Option.isNone(entry.finished)) continue
    const { endedAt } = entry.finished.value
    if (oldest === undefined || endedAt < oldest.endedAt) oldest = { entry, endedAt }
  }
  return Option.map(Option.fromUndefinedOr(oldest), ({ entry }) => entry)
}

/** The entries with room for one more, or none when all are live. Pure, for tests at a small size. */
export const makeRoom = (entries: Entries, capacity: number): Option.Option<Entries> =>
  HashMap.size(entries) < capacity
    ? Option.some(entries)
    : Option.map(longestFinished(entries), ({ record }) => HashMap.remove(entries, record.id))

/**
 * The entries without those that are too much, longest finished first. Of the last five seconds none goes, and never the
 * only finished one, however large its limit let it become.
 */
const withinBytes = (entries: Entries, now: number, maxBytes: number): Entries => {
  const finished = HashMap.toValues(entries)
    .flatMap(({ finished, record }) => Option.toArray(Option.map(finished, (end) => ({ ...end, id: record.id }))))
    .sort((a, b) => a.endedAt - b.endedAt)
  let bytes = finished.reduce((sum, end) => sum + end.bytes, 0)
  let kept = entries
  for (const end of finished.slice(0, -1)) {
    if (bytes <= maxBytes || end.endedAt + UNTOUCHED > now) break
    kept = HashMap.remove(kept, end.id)
    bytes -= end.bytes
  }
  return kept
}

/** Makes an empty registry. */
export const makeTaskRegistry = (
  capacity: number = MAX_RECORDS,
  maxBytes: number = MAX_KEPT_BYTES
): Effect.Effect<TaskRegistry> =>
  Effect.gen(function* () {
    const entries = yield* Ref.make<Entries>(HashMap.empty())

    const find = Effect.fnUntraced(function* (id: string) {
      return yield* Effect.fromOption(HashMap.get(yield* Ref.get(entries), id), () => new TaskNotFound({ taskId: id }))
    })

    return {
      find,
      add: (record) =>
        Ref.modify(entries, (current) =>
          Option.match(makeRoom(current, capacity), {
            onNone: () => [false, current],
            onSome: (roomy) => [
              true,
              HashMap.set(roomy, record.id, { record, retainUntil: 0, finished: Option.none() })
            ]
          })
        ),
      finish: Effect.fnUntraced(function* (id, endedAt) {
        const entry = yield* Effect.option(find(id))
        if (Option.isNone(entry)) return
        const { record, retainUntil } = entry.value
        const ttl = limitsOf(record).task_result_ttl * 1000
        const finished = Option.some({
          endedAt,
          expiresAt: Math.max(endedAt + ttl, retainUntil),
          bytes: yield* record.output.kept
        })
        yield* Ref.update(entries, (current) => HashMap.modify(current, id, (known) => ({ ...known, finished })))
      }),
      retain: Effect.fnUntraced(function* (id, until) {
        yield* find(id)
        yield* Ref.update(entries, (current) =>
          HashMap.modify(current, id, (entry) => ({
            ...entry,
            retainUntil: Math.max(entry.retainUntil, until),
            finished: Option.map(entry.finished, (finished) => ({
              ...finished,
              expiresAt: Math.max(finished.expiresAt, until)
            }))
          }))
        )
      }),
      all: Effect.map(Ref.get(entries), (current) =>
        HashMap.toValues(current).sort((a, b) => b.record.sequence - a.record.sequence)
      ),
      sweep: (now) =>
        Ref.update(entries, (current) =>
          withinBytes(
            HashMap.filter(current, ({ finished }) => Option.isNone(finished) || now < finished.value.expiresAt),
            now,
            maxBytes
          )
        )
    }
  })
