import { Cause, Effect, FiberSet, Option, Predicate, Ref, Schema, type Scope, Semaphore, Struct } from "effect"
import type { Catalogue } from "../Catalogue.ts"
import { INTERNAL_ERROR, TOO_MANY_CALLS } from "../ErrorText.ts"
import { type ProgressToken, type TaskProgress, withProgress } from "../Progress.ts"
import { ErrorCodes, invalidParams, ProtocolError } from "../ProtocolError.ts"
import { shown } from "../SafeText.ts"
import type { Session } from "../Session.ts"
import type { EndedCalls } from "../tasks/EndedCalls.ts"
import { relatedTask } from "../tasks/RelatedTask.ts"
import type { Tasks } from "../tasks/Tasks.ts"
import type { Tool, ToolResult, ToolTask } from "../Tool.ts"
import { callResult } from "../ToolResults.ts"
import type { JsonObject } from "../WireSchema.ts"
import { decodeParams, onePage, type RequestTable, type WithServices } from "./RequestHandler.ts"

/** Calls that may be open at the same time: more than the default queue of commands, so that it says no first. */
const MAX_OPEN_CALLS = 4096

/** The longest that a client can have a task kept, in milliseconds from its creation. */
const LONGEST_TTL = 3_600_000

const CallParams = Schema.Struct({
  name: Schema.String,
  /** The client's own object, not a copy: copying would turn an own `__proto__` key into the prototype. */
  arguments: Schema.optionalKey(Schema.Unknown),
  task: Schema.optionalKey(
    Schema.Struct({ ttl: Schema.optionalKey(Schema.Finite.check(Schema.isGreaterThanOrEqualTo(0))) })
  ),
  _meta: Schema.optionalKey(
    Schema.Struct({ progressToken: Schema.optionalKey(Schema.Union([Schema.String, Schema.Finite])) })
  )
})

/** A call, once its envelope was read. */
interface ReadCall<R> {
  readonly tool: Tool<R>
  readonly args: unknown
  readonly task: { readonly ttl?: number } | undefined
  readonly progressToken: ProgressToken | undefined
}

const rejected = (text: string): ToolResult => ({ _tag: "Rejected", text })

/** A call that ends in a defect answers without its details; the log has them. Interruption stays interruption. */
const guarded = <A>(tool: string, notify: Session["notify"], call: Effect.Effect<A>): Effect.Effect<A | ToolResult> =>
  Effect.catchCauseIf(
    call,
    (cause) => !Cause.hasInterruptsOnly(cause),
    (cause) =>
      Effect.gen(function* () {
        const event = "mcp.call.defect"
        yield* Effect.logError({ event, tool }, cause)
        const data = { event, tool }
        yield* notify("notifications/message", { level: "error", logger: "mcp-ssh-orchestrator", data })
        return rejected(INTERNAL_ERROR)
      })
  )

/**
 * `tools/list` and `tools/call` of one session. A call with a `task` parameter answers with a task at once, which then
 * belongs to the server: neither a cancel of the call nor the end of the session's interest stops it. Its progress and
 * its end are told until the session closes.
 */
export const toolRequests = <R>(
  catalogue: Catalogue<R>,
  session: Session,
  endedCalls: EndedCalls,
  withServices: WithServices<R>
): Effect.Effect<RequestTable, never, Scope.Scope> =>
  Effect.gen(function* () {
    const openCalls = yield* Semaphore.make(MAX_OPEN_CALLS)
    const watchers = yield* FiberSet.make<void, never>()
    const decode = decodeParams(CallParams)

    const readCall = Effect.fnUntraced(function* (params: unknown) {
      const { _meta, arguments: args, name, task } = yield* decode(params)
      const tool = catalogue.findTool(name)
      if (tool === undefined) {
        return yield* new ProtocolError({ code: ErrorCodes.invalidParams, message: `Unknown tool: ${shown(name)}` })
      }
      if (args !== undefined && !Predicate.isObject(args)) return yield* invalidParams("arguments must be an object")
      const call: ReadCall<R> = { tool, args: args ?? {}, task, progressToken: _meta?.progressToken }
      return call
    })

    const progressOf = (tasks: Tasks<R> | undefined, taskId: string): Effect.Effect<TaskProgress> =>
      tasks === undefined
        ? Effect.succeed({})
        : Effect.catch(withServices(tasks.progress(taskId)), () => Effect.succeed({}))

    /** A call that waits for its result. Interruption stops what it started. */
    const callAndWait = Effect.fnUntraced(function* ({ args, progressToken, tool }: ReadCall<R>, request: Session) {
      const client = yield* session.client
      const { notify } = request
      if (progressToken === undefined) return yield* withServices(tool.call(args, { client, notify }))
      const read = yield* Ref.make<Effect.Effect<TaskProgress>>(Effect.succeed({}))
      const call = tool.call(args, {
        client,
        notify,
        progressToken,
        started: (taskId) => Ref.set(read, progressOf(catalogue.tasks, taskId)),
        // The task's limit says nothing about a call that came later.
        waitsFor: (taskId) => Ref.set(read, Effect.map(progressOf(catalogue.tasks, taskId), Struct.omit(["total"])))
      })
      return yield* withProgress(withServices(call), {
        token: progressToken,
        notify,
        read: Effect.flatten(Ref.get(read))
      })
    })

    const limited = <A>(call: Effect.Effect<A>): Effect.Effect<A | ToolResult> =>
      Effect.map(
        openCalls.withPermitsIfAvailable(1)(call),
        Option.getOrElse(() => rejected(TOO_MANY_CALLS))
      )

    /** Tells the session about a task that it made, until that ends. */
    const follow = Effect.fnUntraced(function* (tasks: Tasks<R>, taskId: string, token: ProgressToken | undefined) {
      const ended = Effect.ignore(withServices(tasks.ended(taskId)))
      const { notify } = session
      yield* token === undefined
        ? ended
        : withProgress(ended, { token, notify, read: progressOf(tasks, taskId), meta: relatedTask(taskId) })
      const task = yield* Effect.option(withServices(tasks.get(taskId)))
      if (Option.isSome(task)) yield* notify("notifications/tasks/status", { ...task.value })
    })

    /** A call that becomes a task. */
    const callAsTask = Effect.fnUntraced(function* (
      { args, progressToken, task, tool }: ReadCall<R>,
      tasks: Tasks<R>,
      { start }: ToolTask<R>,
      request: Session
    ) {
      const client = yield* session.client
      const outcome = yield* limited(guarded(tool.name, request.notify, withServices(start(args, { client }))))
      const ttl = Option.map(Option.fromUndefinedOr(task?.ttl), (asked) => Math.min(LONGEST_TTL, Math.floor(asked)))
      if (outcome._tag !== "Started") {
        const result = outcome._tag === "Ended" ? outcome.result : outcome
        return yield* endedCalls.add(tool.name, result, ttl)
      }
      const { taskId } = outcome
      const shownTask = yield* withServices(
        Effect.andThen(Option.isSome(ttl) ? tasks.retain(taskId, ttl.value) : Effect.void, tasks.get(taskId))
      ).pipe(Effect.orDie)
      yield* FiberSet.run(watchers, follow(tasks, taskId, progressToken))
      return shownTask
    })

    // Untraced: the tool has a span of its own.
    const call = Effect.fnUntraced(function* (params: unknown, request: Session) {
      const read = yield* readCall(params)
      const { tool } = read
      const { tasks } = catalogue
      // A server that declares no tasks has to treat such a call as a plain one.
      if (read.task === undefined || tasks === undefined) {
        return callResult(yield* limited(guarded(tool.name, request.notify, callAndWait(read, request))))
      }
      if (tool.task === undefined) {
        return yield* new ProtocolError({
          code: ErrorCodes.methodNotFound,
          message: `Method not found: ${tool.name} cannot be called as a task`
        })
      }
      const task = yield* callAsTask(read, tasks, tool.task, request)
      return { task }
    })

    let listed: JsonObject | undefined
    return new Map([
      ["tools/list", onePage(() => (listed ??= { tools: catalogue.listTools() }))],
      ["tools/call", call]
    ])
  })
