import { Deferred, Context, Duration, Effect, Layer, Option, Ref, Schedule, type Scope } from "effect"
import { AuditLog } from "../audit/AuditLog.ts"
import type { SshError } from "../ssh/errors.ts"
import { commandBody } from "./CommandBody.ts"
import { type InvalidCursor, LimitReached, type TaskNotFinished, type TaskNotFound } from "./errors.ts"
import type { RunResult } from "./RunResult.ts"
import { makeSlots } from "./Slots.ts"
import type { TaskId } from "./Task.ts"
import type { TaskDetail } from "./TaskDetail.ts"
import type { TaskEnd } from "./TaskEnd.ts"
import { makeTaskFibers } from "./TaskFibers.ts"
import { TaskIds } from "./TaskIds.ts"
import { makeTaskReading, type PageRequest, type TaskFilter, type TaskSnapshot } from "./TaskReading.ts"
import {
  makeRecord,
  monotonicMillis,
  noProgress,
  noteStopped,
  progressed,
  subjectOf,
  type TaskRecord,
  type TaskWork
} from "./TaskRecord.ts"
import { makeTaskRegistry } from "./TaskRegistry.ts"
import type { CancelReport, OutputPage, TaskReport } from "./TaskReport.ts"
import { cancelAnswer } from "./TaskReports.ts"
import type { CommandSpec, FanOutIo, FanOutSpec, StartedProcess, TaskIo } from "./TaskSpec.ts"
import { isTerminal } from "./TaskState.ts"

export type { PageRequest, TaskFilter, TaskSnapshot } from "./TaskReading.ts"
export type { CommandSpec, FanOutIo, FanOutSpec, StartedProcess, TaskIo } from "./TaskSpec.ts"

/** How often ended tasks are looked through: a result is gone at most this long after its TTL. */
const SWEEP_EVERY = Duration.seconds(1)

const encoder = new TextEncoder()

/**
 * Runs every command and every fan-out as a supervised fiber. Interrupting the fiber is the only way to cancel one, and
 * its finalizers stop the remote process; its exit alone decides the terminal state.
 *
 * Bounds: running commands by `max_concurrent_tasks` and `max_tasks_per_host`, waiting ones by `max_queued_tasks` and
 * 60 s each, kept tasks by their TTL, 10,000 and 256 MiB of output in all, output by `max_output_bytes` a task. Not durable: nothing
 * survives the process, and no remote process survives the supervisor's scope.
 */
export class TaskSupervisor extends Context.Service<
  TaskSupervisor,
  {
    /**
     * Admits a command and starts it, or queues it. `start` connects, starts the command and adds a finalizer to its
     * Scope that stops the remote process. Fails with `LimitReached` when too many wait or the server shuts down.
     */
    readonly submit: (
      spec: CommandSpec,
      start: (io: TaskIo) => Effect.Effect<StartedProcess, SshError, Scope.Scope>
    ) => Effect.Effect<TaskId, LimitReached>
    /**
     * Starts a parent task. A cancel interrupts `body`, which has to cancel its children and report their stops before
     * it gives way.
     */
    readonly submitFanOut: <A>(
      spec: FanOutSpec<A>,
      body: (io: FanOutIo) => Effect.Effect<A>
    ) => Effect.Effect<TaskId, LimitReached>
    /** Returns once the task ended and everything about its end is written; wakes at once. */
    readonly await: (id: string) => Effect.Effect<void, TaskNotFound>
    readonly status: (id: string) => Effect.Effect<TaskReport, TaskNotFound>
    /** The status with the task's times and how long it is kept. */
    readonly detail: (id: string) => Effect.Effect<TaskDetail, TaskNotFound>
    /** A page of output lines. */
    readonly output: (id: string, request: PageRequest) => Effect.Effect<OutputPage, TaskNotFound | InvalidCursor>
    /** What a command came to. A fan-out is not found here: `Fleet` keeps its result. */
    readonly result: (id: string) => Effect.Effect<RunResult, TaskNotFound | TaskNotFinished>
    /** The output so far, in at most `max_result_bytes`. */
    readonly snapshot: (id: string) => Effect.Effect<TaskSnapshot, TaskNotFound>
    /** The ids of the kept tasks, newest first. */
    readonly ids: (filter: TaskFilter) => Effect.Effect<ReadonlyArray<TaskId>>
    /** Interrupts a task and returns after its finalizers ran. Several callers at once all get the answer. */
    readonly cancel: (id: string) => Effect.Effect<CancelReport>
    /** Keeps the task readable at least this long after its submission, beyond its TTL if need be. */
    readonly retain: (id: string, least: Duration.Duration) => Effect.Effect<void, TaskNotFound>
    /** How many tasks are in the state `running`, fan-outs included. */
    readonly running: Effect.Effect<number>
    /** What is held at this moment; all 0 once work and TTLs are over. */
    readonly held: Effect.Effect<{
      readonly records: number
      readonly fibers: number
      readonly slots: number
      readonly queued: number
    }>
    /**
     * Admits nothing more, shortens the grace to 0.5 s, interrupts every task and returns once all ended. Idempotent;
     * also runs when the layer closes.
     */
    readonly shutdown: Effect.Effect<void>
  }
>()("mcp-ssh-orchestrator/task/TaskSupervisor") {
  static readonly layer = Layer.effect(
    TaskSupervisor,
    Effect.gen(function* () {
      const ids = yield* TaskIds
      const registry = yield* makeTaskRegistry()
      const slots = yield* makeSlots
      const fibers = yield* makeTaskFibers(yield* AuditLog, registry)
      const sequences = yield* Ref.make(0)

      const newRecord = Effect.fnUntraced(function* (work: TaskWork) {
        if (yield* fibers.closing) return yield* new LimitReached({ detail: "The server is shutting down" })
        const sequence = yield* Ref.updateAndGet(sequences, (n) => n + 1)
        return yield* makeRecord(yield* ids.next(subjectOf(work), work.spec.hash), sequence, work)
      })

      const register = Effect.fnUntraced(function* (record: TaskRecord) {
        if (yield* registry.add(record)) return
        return yield* new LimitReached({ detail: "Too many tasks are pending or running on this server" })
      })

      const takeSlot = Effect.fnUntraced(function* (record: TaskRecord, { alias, limits }: CommandSpec) {
        const { max_concurrent_tasks: globalLimit, max_queued_tasks: maxQueued, max_tasks_per_host: hostLimit } = limits
        const slot = yield* slots.take({ sequence: record.sequence, alias, globalLimit, hostLimit }, maxQueued)
        return yield* Effect.fromOption(
          slot,
          () => new LimitReached({ detail: `Too many commands are waiting (max_queued_tasks ${maxQueued})` })
        )
      })

      /** Gives a live reader what was held back, once all output of a command has come. */
      const flushed = (record: TaskRecord, { onOutput }: CommandSpec, process: StartedProcess): StartedProcess =>
        onOutput === undefined
          ? process
          : {
              ...process,
              wait: Effect.tap(process.wait, () =>
                Effect.flatMap(record.output.flush, Effect.forEach(onOutput, { discard: true }))
              )
            }

      const commandIo = (record: TaskRecord, spec: CommandSpec): TaskIo => ({
        grace: fibers.grace,
        giveUp: fibers.giveUp,
        output: Effect.fnUntraced(function* (chunk) {
          if (isTerminal(yield* Ref.get(record.state))) return
          const clean = yield* record.output.append(chunk)
          if (spec.onOutput !== undefined && clean.text !== "") yield* spec.onOutput(clean)
        }),
        stopped: Effect.fnUntraced(function* ({ remote, survivors }) {
          yield* noteStopped(record, remote)
          if (remote === "confirmed") return
          yield* Effect.logWarning({ event: "task.stop.unconfirmed", task_id: record.id, alias: spec.alias, survivors })
        })
      })

      const submit = Effect.fn("TaskSupervisor.submit")(function* (
        spec: CommandSpec,
        start: (io: TaskIo) => Effect.Effect<StartedProcess, SshError, Scope.Scope>
      ) {
        const record = yield* newRecord({ _tag: "Command", spec })
        const slot = yield* takeSlot(record, spec)
        yield* register(record).pipe(Effect.onError(() => slot.release))
        // A shutdown frees slots one by one: what they would start gives way instead.
        const process = Effect.flatMap(fibers.closing, (closing) =>
          closing
            ? Effect.interrupt
            : Effect.map(start(commandIo(record, spec)), (started) => flushed(record, spec, started))
        )
        const body = commandBody(spec, slot, process, ({ targetIp }) => fibers.markStarted(record, targetIp))
        yield* fibers.launch(record, body, slot.release)
        return record.id
      }, Effect.uninterruptible)

      const submitFanOut = Effect.fn("TaskSupervisor.submitFanOut")(function* <A>(
        spec: FanOutSpec<A>,
        body: (io: FanOutIo) => Effect.Effect<A>
      ) {
        const progress = yield* Ref.make(noProgress)
        const record = yield* newRecord({ _tag: "FanOut", spec, progress })
        yield* register(record)
        const io: FanOutIo = {
          line: (alias, text) =>
            Effect.asVoid(record.output.append({ stream: "stdout", bytes: encoder.encode(`${alias}: ${text}\n`) })),
          progress: (done, total) => Ref.update(progress, (known) => progressed(known, done, total)),
          stopped: (remote) => noteStopped(record, remote)
        }
        const run = Effect.gen(function* () {
          yield* fibers.markStarted(record, "")
          const result = yield* Effect.interruptible(Effect.suspend(() => body(io)))
          const message = spec.failure?.(result)
          const end: TaskEnd =
            message === undefined
              ? { _tag: "Exited", exit: { _tag: "Exited", code: 0 } }
              : { _tag: "Unsuccessful", message }
          return end
        })
        yield* fibers.launch(record, run, Effect.void)
        return record.id
      }, Effect.uninterruptible)

      const cancel = Effect.fn("TaskSupervisor.cancel")(function* (id: string) {
        const found = yield* Effect.option(registry.find(id))
        if (Option.isNone(found)) {
          const answer: CancelReport = {
            task_id: id,
            cancelled: false,
            message: "Task not found",
            remote_stopped: "not_started"
          }
          return answer
        }
        const { record } = found.value
        const before = yield* Ref.get(record.state)
        if (!isTerminal(before)) yield* fibers.interrupt(record)
        const reported = record.work._tag === "FanOut" ? yield* Ref.get(record.stopped) : Option.none()
        return cancelAnswer(id, before, yield* Ref.get(record.state), reported)
      })

      yield* Effect.flatMap(monotonicMillis, registry.sweep).pipe(
        Effect.repeat(Schedule.spaced(SWEEP_EVERY)),
        Effect.forkScoped
      )
      yield* Effect.addFinalizer(() => fibers.shutdown)

      return TaskSupervisor.of({
        ...makeTaskReading(registry),
        submit,
        submitFanOut,
        cancel,
        await: Effect.fn("TaskSupervisor.await")((id: string) =>
          Effect.flatMap(registry.find(id), ({ record }) => Deferred.await(record.ended))
        ),
        retain: Effect.fn("TaskSupervisor.retain")(function* (id: string, least: Duration.Duration) {
          const { record } = yield* registry.find(id)
          yield* registry.retain(id, record.submittedAt + Duration.toMillis(least))
        }),
        running: fibers.running,
        held: Effect.gen(function* () {
          const { queued, running } = yield* slots.counts
          return { records: yield* registry.size, fibers: yield* fibers.size, slots: running, queued }
        }),
        shutdown: fibers.shutdown
      })
    })
  )
}
