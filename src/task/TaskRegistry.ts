import { Effect, Option } from "effect"
import { TaskNotFound } from "./errors.ts"
import { limitsOf, type TaskRecord } from "./TaskRecord.ts"

/** The most tasks that are kept, running and finished together. */
export const MAX_RECORDS = 10_000

/** The most output of finished tasks that is kept together, in bytes. What ended longest ago goes first. */
export const MAX_KEPT_BYTES = 256 * 1024 * 1024

/** How long, in milliseconds, a finished task is kept whatever it holds: whoever waited for its end reads it then. */
const UNTOUCHED = 5_000

/** The end of a task. Times are monotonic milliseconds. */
interface Finished {
  readonly endedAt: number
  readonly expiresAt: number
  /** Of its output. */
  readonly bytes: number
}

/** A kept task. Times are monotonic milliseconds. */
export interface RegistryEntry {
  readonly record: TaskRecord
  /** Asked for by the client: not gone before this, even when the TTL ends earlier. */
  readonly retainUntil: number
  /** When it ended and when it goes; none while it is live. */
  readonly finished: Option.Option<Finished>
}

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
  readonly size: Effect.Effect<number>
  /** Forgets every task whose time is over, and finished ones that hold too much output together. */
  readonly sweep: (now: number) => Effect.Effect<void>
}

/** A kept task that ended. */
interface Ended {
  readonly entry: RegistryEntry
  readonly end: Finished
}

const endedEntry = (entry: RegistryEntry, end: Finished): Ended => ({
  entry: { ...entry, finished: Option.some(end) },
  end
})

/**
 * Makes an empty registry. It stands on two plain maps that change in single synchronous steps: a persistent map would cost
 * a busy server a walk over all tasks for each new one. `Map` keeps the order of insertion, so that the finished tasks
 * stand in the order of their ends and the first is the next to go.
 */
export const makeTaskRegistry = (
  capacity: number = MAX_RECORDS,
  maxBytes: number = MAX_KEPT_BYTES
): Effect.Effect<TaskRegistry> =>
  Effect.sync(() => {
    const live = new Map<string, RegistryEntry>()
    const ended = new Map<string, Ended>()
    let keptBytes = 0

    const forget = ({ end, entry }: Ended): void => {
      ended.delete(entry.record.id)
      keptBytes -= end.bytes
    }

    const add = (record: TaskRecord): boolean => {
      if (live.size + ended.size >= capacity) {
        const first = ended.values().next().value
        if (first === undefined) return false
        forget(first)
      }
      live.set(record.id, { record, retainUntil: 0, finished: Option.none() })
      return true
    }

    const finish = (id: string, endedAt: number, bytes: number): void => {
      const entry = live.get(id)
      if (entry === undefined) return
      const ttl = limitsOf(entry.record).task_result_ttl * 1000
      live.delete(id)
      ended.set(id, endedEntry(entry, { endedAt, expiresAt: Math.max(endedAt + ttl, entry.retainUntil), bytes }))
      keptBytes += bytes
    }

    const retain = (id: string, until: number): void => {
      const running = live.get(id)
      if (running !== undefined) live.set(id, { ...running, retainUntil: Math.max(running.retainUntil, until) })
      const over = ended.get(id)
      if (over === undefined) return
      ended.set(id, endedEntry(over.entry, { ...over.end, expiresAt: Math.max(over.end.expiresAt, until) }))
    }

    /** Of the last five seconds none goes for its bytes, and never the only one, however large its limit let it become. */
    const sweep = (now: number): void => {
      for (const one of ended.values()) if (one.end.expiresAt <= now) forget(one)
      for (const one of ended.values()) {
        if (keptBytes <= maxBytes || ended.size === 1 || one.end.endedAt + UNTOUCHED > now) break
        forget(one)
      }
    }

    const find = (id: string): Effect.Effect<RegistryEntry, TaskNotFound> =>
      Effect.suspend(() => {
        const entry = live.get(id) ?? ended.get(id)?.entry
        return entry === undefined ? new TaskNotFound({ taskId: id }) : Effect.succeed(entry)
      })

    return {
      find,
      add: (record) => Effect.sync(() => add(record)),
      finish: (id, endedAt) =>
        Effect.flatMap(Effect.option(find(id)), (entry) =>
          Option.match(entry, {
            onNone: () => Effect.void,
            onSome: ({ record }) => Effect.map(record.output.kept, (bytes) => finish(id, endedAt, bytes))
          })
        ),
      retain: (id, until) =>
        Effect.andThen(
          find(id),
          Effect.sync(() => retain(id, until))
        ),
      all: Effect.sync(() =>
        [...live.values(), ...Array.from(ended.values(), ({ entry }) => entry)].sort(
          (a, b) => b.record.sequence - a.record.sequence
        )
      ),
      size: Effect.sync(() => live.size + ended.size),
      sweep: (now) => Effect.sync(() => sweep(now))
    }
  })
