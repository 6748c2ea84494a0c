import { Array as Arr, Context, Duration, Effect, Layer, Option, Schema, Stream } from "effect"
import { AuditLog } from "./audit/AuditLog.ts"
import { ConfigDirectory, type ReloadFailed, type ReloadReport } from "./config/ConfigDirectory.ts"
import {
  type HostCapabilities,
  hostCapabilities,
  type HostDescription,
  type HostList,
  type HostRecord,
  hostRecord,
  type HostStatus
} from "./config/HostAnswers.ts"
import { findHost } from "./config/Inventory.ts"
import { formatProblem, isForClients } from "./config/Problem.ts"
import { Dispatcher, type HostError, type PreparedCommand, type RunRequest } from "./fleet/Dispatcher.ts"
import { type CommandDenied, type ConfigUnusable, HostNotFound, requireUsable } from "./fleet/errors.ts"
import { Fleet } from "./fleet/Fleet.ts"
import type { FleetResult } from "./fleet/FleetResult.ts"
import { type HostPageOptions, pageOfHosts } from "./fleet/HostPages.ts"
import { TagDispatcher, type TagRequest } from "./fleet/TagDispatcher.ts"
import type { Plan } from "./policy/Plan.ts"
import { ConnectionPool } from "./ssh/pool/ConnectionPool.ts"
import { DnsLookup } from "./ssh/address/DnsLookup.ts"
import { HostResolver } from "./ssh/address/HostResolver.ts"
import { monotonicMillis } from "./ssh/MonotonicTime.ts"
import { Ssh2Transport } from "./ssh/ssh2/Ssh2Transport.ts"
import type { InvalidCursor, TaskNotFinished, TaskNotFound } from "./task/errors.ts"
import type { Promoted, RunResult, Started } from "./task/RunResult.ts"
import type { TaskId } from "./task/Task.ts"
import type { TaskDetail } from "./task/TaskDetail.ts"
import { TaskIds } from "./task/TaskIds.ts"
import { pageOfTaskIds, type TaskIdPage, type TaskList, type TaskPageOptions } from "./task/TaskPages.ts"
import type { CancelReport, OutputPage, TaskReport } from "./task/TaskReport.ts"
import { type TaskSnapshot, TaskSupervisor } from "./task/TaskSupervisor.ts"

export { HostCapabilities, HostDescription, HostList, HostRecord, HostStatus } from "./config/HostAnswers.ts"
export type { HostError, RunRequest } from "./fleet/Dispatcher.ts"
export type { TagRequest } from "./fleet/TagDispatcher.ts"
export { CommandDenied, ConfigUnusable, HostNotFound } from "./fleet/errors.ts"
export type { TaskList } from "./task/TaskPages.ts"
export { Promoted, Started } from "./task/RunResult.ts"
export type { TaskSnapshot } from "./task/TaskSupervisor.ts"

/** The version of this package, as in package.json. */
export const VERSION = "2.0.0"

/** The state of the whole server. */
export const ServerStatus = Schema.Struct({
  status: Schema.Literal("pong"),
  version: Schema.String,
  uptime_seconds: Schema.Int,
  hosts: Schema.Int,
  tasks_running: Schema.Int,
  config_problems: Schema.Array(Schema.String)
})
export type ServerStatus = typeof ServerStatus.Type

/**
 * The one public service: what programs, the CLI and MCP talk to. It only composes: decide by policy, resolve and
 * check the address, hand the command to the task supervisor. It holds no state of its own.
 */
export class Orchestrator extends Context.Service<
  Orchestrator,
  {
    readonly status: Effect.Effect<ServerStatus>
    readonly ping: (alias: string) => Effect.Effect<HostStatus, HostError>
    readonly listHosts: (options?: HostPageOptions) => Effect.Effect<HostList, ConfigUnusable | InvalidCursor>
    readonly describeHost: (alias: string) => Effect.Effect<HostDescription, HostError>
    /** The whole inventory, in its order. */
    readonly hostRecords: Effect.Effect<ReadonlyArray<HostRecord>, ConfigUnusable>
    readonly hostRecord: (alias: string) => Effect.Effect<HostRecord, HostError>
    /** What may be done with a host. Resolves no name and connects to nothing. */
    readonly hostCapabilities: (alias: string) => Effect.Effect<HostCapabilities, HostError>
    /** Emits at once, then after each reload that took effect. A slow reader does not hold up a reload. */
    readonly configChanges: Stream.Stream<void>
    /** Decides without connecting: the same decision that `run` takes. */
    readonly plan: (alias: string, command: string) => Effect.Effect<Plan, HostError>
    /** Runs a command and waits for its end, at most `sync_wait_seconds`. Interruption cancels the task. */
    readonly run: (request: RunRequest) => Effect.Effect<RunResult | Promoted, HostError | CommandDenied>
    /** Runs a command and waits for its end, however long it takes. Interruption cancels the task. */
    readonly runToEnd: (request: RunRequest) => Effect.Effect<RunResult, HostError | CommandDenied>
    /** Starts a command and returns its task at once. */
    readonly start: (request: RunRequest) => Effect.Effect<Started, HostError | CommandDenied>
    readonly runOnTag: (request: TagRequest) => Effect.Effect<FleetResult | Promoted, ConfigUnusable | CommandDenied>
    /** Starts a command on all hosts of a tag and returns its parent task at once; a result when no host matched. */
    readonly startOnTag: (
      request: TagRequest
    ) => Effect.Effect<{ readonly task_id: TaskId } | FleetResult, ConfigUnusable | CommandDenied>
    readonly runOnTagToEnd: (request: TagRequest) => Effect.Effect<FleetResult, ConfigUnusable | CommandDenied>
    readonly taskStatus: (taskId: string) => Effect.Effect<TaskReport, TaskNotFound>
    readonly taskOutput: (
      taskId: string,
      options?: { readonly maxLines?: number; readonly cursor?: string }
    ) => Effect.Effect<OutputPage, TaskNotFound | InvalidCursor>
    /** The output so far, head and tail, in at most the host's `max_result_bytes`. */
    readonly taskSnapshot: (taskId: string) => Effect.Effect<TaskSnapshot, TaskNotFound>
    /** Waits up to `waitSeconds` (0 to 55, default 0) for the end, then fails with `TaskNotFinished`. */
    readonly taskResult: (
      taskId: string,
      waitSeconds?: number
    ) => Effect.Effect<RunResult | FleetResult, TaskNotFound | TaskNotFinished>
    /** Returns once the task ended, at once when it has; however long it takes. */
    readonly awaitTask: (taskId: string) => Effect.Effect<void, TaskNotFound>
    /** The status with the task's times of day and how long it is kept. */
    readonly taskDetail: (taskId: string) => Effect.Effect<TaskDetail, TaskNotFound>
    readonly listTaskDetails: (cursor?: string) => Effect.Effect<TaskList<TaskDetail>, InvalidCursor>
    /** Keeps the task readable at least this long after its creation, beyond its TTL if need be. */
    readonly retainTask: (taskId: string, least: Duration.Duration) => Effect.Effect<void, TaskNotFound>
    readonly listTasks: (options?: TaskPageOptions) => Effect.Effect<TaskList, InvalidCursor>
    /** The ids of all tasks that are kept, newest first. */
    readonly taskIds: Effect.Effect<ReadonlyArray<string>>
    /** Interrupts the task's fiber and returns after the remote process group is known to be gone, or says so. */
    readonly cancel: (taskId: string) => Effect.Effect<CancelReport>
    readonly reload: Effect.Effect<ReloadReport, ReloadFailed>
  }
>()("mcp-ssh-orchestrator/Orchestrator") {
  /** The composition alone, its dependencies left open: for programs and simulations that replace a part. */
  static readonly layerNoDeps = Layer.effect(
    Orchestrator,
    Effect.gen(function* () {
      const config = yield* ConfigDirectory
      const audit = yield* AuditLog
      const dispatcher = yield* Dispatcher
      const supervisor = yield* TaskSupervisor
      const fleet = yield* Fleet
      const rollouts = yield* TagDispatcher
      const startedAt = yield* monotonicMillis

      const usableSnapshot = Effect.flatMap(config.snapshot, requireUsable)

      const lookup = Effect.fnUntraced(function* (alias: string) {
        const snapshot = yield* usableSnapshot
        const entry = yield* Effect.fromOption(findHost(snapshot, alias), () => new HostNotFound({ alias }))
        return { snapshot, entry }
      })

      const loaded = yield* config.snapshot
      yield* audit.config({
        event: "loaded",
        usable: loaded.usable,
        hosts: loaded.hosts.size,
        rules: loaded.policy.ruleCount,
        problems: loaded.problems.map(formatProblem)
      })

      const reload = config.reload.pipe(
        Effect.tap(({ changed, hosts, rules }) => audit.config({ event: "reloaded", hosts, rules, ...changed })),
        Effect.tapError(({ problems }) => audit.config({ event: "reload_failed", problems })),
        Effect.withSpan("Orchestrator.reload")
      )

      const announce = ({ started }: Pick<RunRequest, "started">, taskId: TaskId) => started?.(taskId) ?? Effect.void

      /** Prepares interruptibly, then submits and waits so that no interruption can lose a started task. */
      const submitAndWait = <A, E>(
        request: RunRequest,
        wait: (taskId: TaskId, prepared: PreparedCommand) => Effect.Effect<A, E>
      ) =>
        Effect.uninterruptibleMask((restore) =>
          Effect.gen(function* () {
            const prepared = yield* restore(dispatcher.prepare(request))
            const taskId = yield* dispatcher.submit(prepared)
            return yield* restore(Effect.andThen(announce(request, taskId), wait(taskId, prepared))).pipe(
              Effect.onInterrupt(() => supervisor.cancel(taskId))
            )
          })
        )

      /** Awaits the end for `seconds`; none when the task is still running then. */
      const awaitFor = (taskId: string, seconds: number) =>
        Effect.timeoutOption(supervisor.await(taskId), Duration.seconds(seconds))

      const promoted = Effect.fnUntraced(function* (
        taskId: TaskId,
        about: { readonly alias: string } | { readonly tag: string },
        hash: string
      ) {
        const { next_cursor, output } = yield* supervisor.snapshot(taskId)
        return {
          task_id: taskId,
          status: "running",
          ...about,
          hash,
          output,
          ...(next_cursor === undefined ? {} : { next_cursor }),
          hint: "The command is still running as a task. Read on with ssh_get_task_output, wait with ssh_get_task_result, or stop it with ssh_cancel_task."
        } satisfies Promoted
      })

      const run = Effect.fn("Orchestrator.run")((request: RunRequest) =>
        submitAndWait(request, (taskId, { spec }) =>
          Effect.gen(function* () {
            const ended = yield* awaitFor(taskId, spec.limits.sync_wait_seconds)
            return Option.isSome(ended)
              ? yield* supervisor.result(taskId)
              : yield* promoted(taskId, { alias: spec.alias }, spec.hash)
          }).pipe(Effect.orDie)
        )
      )

      const runToEnd = Effect.fn("Orchestrator.runToEnd")((request: RunRequest) =>
        submitAndWait(request, (taskId) =>
          Effect.andThen(supervisor.await(taskId), supervisor.result(taskId)).pipe(Effect.orDie)
        )
      )

      const start = Effect.fn("Orchestrator.start")(function* (request: RunRequest) {
        const prepared = yield* dispatcher.prepare(request)
        const taskId = yield* dispatcher.submit(prepared)
        const { alias, command, hash, limits } = prepared.spec
        return {
          task_id: taskId,
          status: "pending",
          keepAlive: limits.task_result_ttl,
          pollFrequency: limits.task_progress_interval,
          alias,
          command,
          hash
        } satisfies Started
      })

      const noHosts = ({ tag }: TagRequest): FleetResult => ({ tag, results: [], note: "No hosts matched." })

      const onTag = <A>(
        request: TagRequest,
        wait: (started: {
          readonly taskId: TaskId
          readonly hash: string
          readonly seconds: number
        }) => Effect.Effect<A>
      ) =>
        Effect.uninterruptibleMask((restore) =>
          Effect.gen(function* () {
            const started = yield* rollouts.start(request)
            if (started._tag === "NoHosts") return noHosts(request)
            const { hash, limits, taskId } = started
            return yield* restore(
              Effect.andThen(announce(request, taskId), wait({ taskId, hash, seconds: limits.sync_wait_seconds }))
            ).pipe(Effect.onInterrupt(() => supervisor.cancel(taskId)))
          })
        )

      const runOnTag = Effect.fn("Orchestrator.runOnTag")((request: TagRequest) =>
        onTag(request, ({ hash, seconds, taskId }) =>
          Effect.gen(function* () {
            const ended = yield* awaitFor(taskId, seconds)
            return Option.isSome(ended)
              ? yield* fleet.result(taskId)
              : yield* promoted(taskId, { tag: request.tag }, hash)
          }).pipe(Effect.orDie)
        )
      )

      const startOnTag = Effect.fn("Orchestrator.startOnTag")(function* (request: TagRequest) {
        const started = yield* rollouts.start(request)
        return started._tag === "NoHosts" ? noHosts(request) : { task_id: started.taskId }
      })

      const runOnTagToEnd = Effect.fn("Orchestrator.runOnTagToEnd")((request: TagRequest) =>
        onTag(request, ({ taskId }) =>
          Effect.andThen(supervisor.await(taskId), fleet.result(taskId)).pipe(Effect.orDie)
        )
      )

      const status = Effect.gen(function* () {
        const snapshot = yield* config.snapshot
        return {
          status: "pong",
          version: VERSION,
          uptime_seconds: Math.floor(((yield* monotonicMillis) - startedAt) / 1000),
          hosts: snapshot.hosts.size,
          tasks_running: yield* supervisor.running,
          config_problems: snapshot.problems.filter(isForClients).map(formatProblem)
        } satisfies ServerStatus
      })

      const taskResult = Effect.fn("Orchestrator.taskResult")(function* (taskId: string, waitSeconds = 0) {
        yield* awaitFor(taskId, Math.max(0, Math.min(55, waitSeconds)))
        return (yield* fleet.has(taskId)) ? yield* fleet.result(taskId) : yield* supervisor.result(taskId)
      })

      const listHosts = Effect.fn("Orchestrator.listHosts")(function* (options?: HostPageOptions) {
        return yield* pageOfHosts(yield* usableSnapshot, options ?? {})
      })

      /** What `read` says about the tasks of a page; one that expired meanwhile is left out. */
      const taskList = <A extends TaskReport>(
        { ids, ...next }: TaskIdPage,
        read: (id: string) => Effect.Effect<A, TaskNotFound>
      ): Effect.Effect<TaskList<A>> =>
        Effect.map(
          Effect.forEach(ids, (id) => Effect.option(read(id))),
          (found) => ({ tasks: Arr.getSomes(found), ...next })
        )

      const listTasks = Effect.fn("Orchestrator.listTasks")(function* (options?: TaskPageOptions) {
        const { status } = options ?? {}
        const page = yield* pageOfTaskIds(yield* supervisor.ids(options ?? {}), options?.cursor)
        const { tasks, ...next } = yield* taskList(page, supervisor.status)
        // A task may have moved on since its state was looked at.
        return { tasks: tasks.filter((task) => status === undefined || task.status === status), ...next }
      })

      const listTaskDetails = Effect.fn("Orchestrator.listTaskDetails")(function* (cursor?: string) {
        return yield* taskList(yield* pageOfTaskIds(yield* supervisor.ids({}), cursor), supervisor.detail)
      })

      return Orchestrator.of({
        status,
        ping: dispatcher.ping,
        listHosts,
        describeHost: dispatcher.describe,
        hostRecords: Effect.map(usableSnapshot, ({ hosts }) => [...hosts.values()].map(hostRecord)),
        hostRecord: Effect.fn("Orchestrator.hostRecord")((alias: string) =>
          Effect.map(lookup(alias), ({ entry }) => hostRecord(entry))
        ),
        hostCapabilities: Effect.fn("Orchestrator.hostCapabilities")((alias: string) =>
          Effect.map(lookup(alias), ({ entry, snapshot }) => hostCapabilities(snapshot, entry))
        ),
        configChanges: Stream.map(config.changes, () => undefined),
        plan: dispatcher.plan,
        run,
        runToEnd,
        start,
        runOnTag,
        startOnTag,
        runOnTagToEnd,
        awaitTask: supervisor.await,
        taskDetail: supervisor.detail,
        listTaskDetails,
        retainTask: supervisor.retain,
        taskStatus: supervisor.status,
        taskOutput: (taskId, options) =>
          supervisor.output(taskId, {
            maxLines: options?.maxLines ?? 50,
            ...(options?.cursor === undefined ? {} : { cursor: options.cursor })
          }),
        taskSnapshot: supervisor.snapshot,
        taskResult,
        listTasks,
        taskIds: supervisor.ids({}),
        cancel: supervisor.cancel,
        reload
      })
    })
  )

  /** The whole server but for its edges and the audit log: for programs that keep the audit records themselves. */
  static readonly layerWithoutAudit = Orchestrator.layerNoDeps.pipe(
    Layer.provide(TagDispatcher.layer),
    Layer.provide(Layer.mergeAll(Dispatcher.layer, Fleet.layer)),
    Layer.provide(TaskSupervisor.layer),
    Layer.provide(Layer.mergeAll(ConnectionPool.layer, HostResolver.layer, TaskIds.layer)),
    Layer.provide(Layer.mergeAll(Ssh2Transport.layer, DnsLookup.layer)),
    Layer.provideMerge(ConfigDirectory.layer)
  )

  /**
   * The whole server but for its edges: embed it by providing `Directories` and the platform's services, as in
   * README "Embedding". Audit records go to stderr. Closing it stops every running task on its host.
   */
  static readonly layer = Orchestrator.layerWithoutAudit.pipe(Layer.provide(AuditLog.layer))
}
