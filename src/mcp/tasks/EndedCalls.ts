import { Clock, Effect, Option, Predicate, Ref } from "effect"
import { monotonicMillis } from "../../ssh/MonotonicTime.ts"
import { TaskIds } from "../../task/TaskIds.ts"
import type { ToolResult } from "../Tool.ts"
import { isoTime, POLL_INTERVAL } from "./McpTaskOf.ts"
import type { McpTask } from "./Tasks.ts"

/** Calls that are kept; the oldest gives way. */
const MAX_KEPT = 100

/** Milliseconds that one is kept when the client names no ttl. */
const DEFAULT_TTL = 300_000

/** Characters of the reason in a task's status. */
const MESSAGE_LENGTH = 500

/** Stands for the hash of a command in an id whose call has none. */
const NO_HASH = "0".repeat(16)

/** What may stand before the suffix of a task id. */
const ID_PARTS = /^[A-Za-z0-9._-]{1,150}:[0-9a-f]{16}$/

/** A call that ended before it became a task, shown as a task that ended at once. */
interface EndedCall {
  readonly task: McpTask
  readonly result: ToolResult
  /** Monotonic milliseconds. */
  readonly expiresAt: number
}

/**
 * The calls of one session that were to become tasks and ended at once: denied, with arguments that are not valid, or
 * with nothing to do. No task was made for them, so that they are kept here, for the client to ask what they came to.
 */
export interface EndedCalls {
  /** Keeps what a call of a tool came to, for `ttl` milliseconds. */
  readonly add: (tool: string, result: ToolResult, ttl: Option.Option<number>) => Effect.Effect<McpTask>
  readonly find: (taskId: string) => Effect.Effect<Option.Option<Pick<EndedCall, "task" | "result">>>
  /** Newest first. */
  readonly list: Effect.Effect<ReadonlyArray<McpTask>>
}

/** Why a call failed, as its result says it: an error text, or the detail of a denial. */
const reason = (result: ToolResult): Option.Option<string> => {
  const text =
    result._tag === "Rejected"
      ? result.text
      : result._tag === "Answered" && result.isError
        ? result.value["detail"]
        : undefined
  return Option.map(Option.liftPredicate(text, Predicate.isString), (known) => known.slice(0, MESSAGE_LENGTH))
}

/** What stands before the suffix of the id: alias and hash of a denial, or else the tool's name. */
const idParts = (tool: string, result: ToolResult): readonly [subject: string, hash: string] => {
  if (result._tag !== "Answered") return [tool, NO_HASH]
  const { alias, hash } = result.value
  const fits = Predicate.isString(alias) && Predicate.isString(hash) && ID_PARTS.test(`${alias}:${hash}`)
  return fits ? [alias, hash] : [tool, NO_HASH]
}

/** Makes the empty store of one session. */
export const makeEndedCalls: Effect.Effect<EndedCalls> = Effect.gen(function* () {
  const ids = yield* TaskIds
  const kept = yield* Ref.make<ReadonlyMap<string, EndedCall>>(new Map())

  const live = Effect.gen(function* () {
    const now = yield* monotonicMillis
    return yield* Ref.updateAndGet(kept, (calls) => new Map([...calls].filter(([, { expiresAt }]) => now < expiresAt)))
  })

  return {
    add: Effect.fnUntraced(function* (tool: string, result: ToolResult, ttl: Option.Option<number>) {
      const now = yield* monotonicMillis
      const at = isoTime(yield* Clock.currentTimeMillis)
      const taskId = yield* ids.next(...idParts(tool, result))
      const failed = result._tag === "Rejected" || result.isError
      const message = reason(result)
      const lasts = Option.getOrElse(ttl, () => DEFAULT_TTL)
      const task: McpTask = {
        taskId,
        status: failed ? "failed" : "completed",
        ...(Option.isSome(message) ? { statusMessage: message.value } : {}),
        createdAt: at,
        lastUpdatedAt: at,
        ttl: lasts,
        pollInterval: POLL_INTERVAL
      }
      yield* Ref.update(kept, (calls) => {
        const room = [...calls].slice(Math.max(0, calls.size - MAX_KEPT + 1))
        return new Map([...room, [taskId, { task, result, expiresAt: now + lasts }]])
      })
      return task
    }),
    find: (taskId: string) => Effect.map(live, (calls) => Option.fromUndefinedOr(calls.get(taskId))),
    list: Effect.map(live, (calls) => [...calls.values()].reverse().map(({ task }) => task))
  }
}).pipe(Effect.provide(TaskIds.layer))
