import { Effect, Option, Schema, Semaphore } from "effect"
import type { TaskNotFound } from "../../task/errors.ts"
import { ErrorCodes, invalidParams, ProtocolError } from "../ProtocolError.ts"
import type { EndedCalls } from "../tasks/EndedCalls.ts"
import { relatedTask } from "../tasks/RelatedTask.ts"
import type { Tasks } from "../tasks/Tasks.ts"
import { callResult } from "../ToolResults.ts"
import { decodeParams, ListParams, type RequestTable, type WithServices } from "./RequestHandler.ts"

/** Requests for a result that may wait at the same time. */
const MAX_WAITING = 4096

const TaskParams = Schema.Struct({ taskId: Schema.String })

/** An unknown or expired task: the same code as for params that are not valid (MCP 2025-11-25, basic/utilities/tasks). */
const unknownTask = (): ProtocolError => invalidParams("task not found or expired")

/**
 * `tasks/*` (MCP 2025-11-25, basic/utilities/tasks), on the tasks that the tools make, whoever started them, and on the
 * calls of this session that ended before they became one.
 */
export const taskRequests = <R>(
  tasks: Tasks<R>,
  endedCalls: EndedCalls,
  withServices: WithServices<R>
): Effect.Effect<RequestTable> =>
  Effect.gen(function* () {
    const waiting = yield* Semaphore.make(MAX_WAITING)
    const decodeTask = decodeParams(TaskParams)
    const decodeList = decodeParams(ListParams)

    const known = <A>(effect: Effect.Effect<A, TaskNotFound, R>) => Effect.mapError(withServices(effect), unknownTask)

    const get = Effect.fn("tasks/get")(function* (params: unknown) {
      const { taskId } = yield* decodeTask(params)
      const ended = yield* endedCalls.find(taskId)
      return Option.isSome(ended) ? ended.value.task : yield* known(tasks.get(taskId))
    })

    const awaitResult = Effect.fnUntraced(function* (taskId: string) {
      yield* known(tasks.ended(taskId))
      return yield* known(tasks.result(taskId))
    })

    // Waits on the task's own end; a cancel of this request leaves the task alone.
    const result = Effect.fn("tasks/result")(function* (params: unknown) {
      const { taskId } = yield* decodeTask(params)
      const ended = yield* endedCalls.find(taskId)
      if (Option.isSome(ended)) return callResult(ended.value.result, relatedTask(taskId))
      const answer = yield* waiting.withPermitsIfAvailable(1)(awaitResult(taskId))
      if (Option.isSome(answer)) return callResult(answer.value, relatedTask(taskId))
      return yield* new ProtocolError({
        code: ErrorCodes.internalError,
        message: "Too many requests wait for a result: wait for open ones to be answered"
      })
    })

    const list = Effect.fn("tasks/list")(function* (params: unknown) {
      const { cursor } = yield* decodeList(params)
      const page = yield* Effect.mapError(withServices(tasks.list(cursor)), () => invalidParams("cursor is not valid"))
      return cursor === undefined ? { ...page, tasks: [...(yield* endedCalls.list), ...page.tasks] } : { ...page }
    })

    const cancel = Effect.fn("tasks/cancel")(function* (params: unknown) {
      const { taskId } = yield* decodeTask(params)
      const ended = Option.isSome(yield* endedCalls.find(taskId))
      const before = ended ? undefined : yield* known(tasks.get(taskId))
      if (before?.status !== "working" || !(yield* withServices(tasks.cancel(taskId)))) {
        return yield* invalidParams("the task has already ended")
      }
      return { ...(yield* known(tasks.get(taskId))) }
    })

    return new Map([
      ["tasks/get", (params: unknown) => Effect.map(get(params), (task) => ({ ...task }))],
      ["tasks/result", result],
      ["tasks/list", list],
      ["tasks/cancel", cancel]
    ])
  })
