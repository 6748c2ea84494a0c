import { Cause, Deferred, Duration, Effect, Exit, FiberMap, Option, Ref, type Scope } from "effect"
import type { AuditLog } from "../audit/AuditLog.ts"
import type { SshError } from "../ssh/errors.ts"
import type { LimitReached } from "./errors.ts"
import type { TaskId } from "./Task.ts"
import { endEvent, type TaskEnd } from "./TaskEnd.ts"
import { monotonicMillis, subjectOf, type TaskRecord } from "./TaskRecord.ts"
import type { TaskRegistry } from "./TaskRegistry.ts"
import { auditOf } from "./TaskReports.ts"
import { statusOf, type TaskEvent, transition } from "./TaskState.ts"

/** Between TERM and KILL. */
const GRACE = Duration.seconds(2)

/** The same while the server shuts down. */
const SHUTDOWN_GRACE = Duration.millis(500)

/** How long a shutdown waits for stops, also for those that began before it: the process has to end within 5 s. */
const SHUTDOWN_WAIT = Duration.seconds(4)

/** The fibers of the live tasks, and the only code that moves a task from state to state. */
export interface TaskFibers {
  /** Runs a task's body on a fiber of its own; its exit becomes the terminal state, then `release` runs. */
  readonly launch: (
    record: TaskRecord,
    body: Effect.Effect<TaskEnd, SshError | LimitReached>,
    release: Effect.Effect<void>
  ) => Effect.Effect<void>
  /** `Pending` becomes `Running`, now. */
  readonly markStarted: (record: TaskRecord, targetIp: string) => Effect.Effect<void>
  /** Interrupts a task and returns after it ended. Any number of callers at once. */
  readonly interrupt: (record: TaskRecord) => Effect.Effect<void>
  /** Whether nothing may be launched any more. */
  readonly closing: Effect.Effect<boolean>
  /** How long a stop may wait between TERM and KILL at this moment. */
  readonly grace: Effect.Effect<Duration.Duration>
  /** Ends when a shutdown will not wait longer for a stop. */
  readonly giveUp: Effect.Effect<void>
  /** How many tasks are in the state `Running`. */
  readonly running: Effect.Effect<number>
  /** How many fibers there are. */
  readonly size: Effect.Effect<number>
  /** Interrupts every task and returns once all ended. Idempotent. */
  readonly shutdown: Effect.Effect<void>
}

/** The log record of an end that was neither an exit nor a cancel, with the detail that clients do not see. */
const logFailure = (record: TaskRecord, cause: Cause.Cause<SshError | LimitReached>): Effect.Effect<void> => {
  const about = { task_id: record.id, alias: subjectOf(record.work) }
  if (Cause.hasDies(cause)) return Effect.logError({ event: "task.defect", ...about }, cause)
  return Option.match(Cause.findErrorOption(cause), {
    onNone: () => Effect.void,
    onSome: (error) =>
      Effect.logWarning({
        event: "task.failed",
        ...about,
        failure: error._tag === "SshError" ? error.failure : error._tag,
        detail: error.detail
      })
  })
}

/** Makes the fibers of one supervisor; closing the Scope interrupts all of them. */
export const makeTaskFibers = (
  audit: AuditLog["Service"],
  registry: TaskRegistry
): Effect.Effect<TaskFibers, never, Scope.Scope> =>
  Effect.gen(function* () {
    const fibers = yield* FiberMap.make<TaskId, void, never>()
    const grace = yield* Ref.make(GRACE)
    const closing = yield* Ref.make(false)
    const running = yield* Ref.make(0)
    const lastCall = yield* Deferred.make<void>()

    const apply = Effect.fnUntraced(function* (record: TaskRecord, event: TaskEvent) {
      const before = yield* Ref.get(record.state)
      const after = transition(before, event)
      if (Option.isNone(after)) {
        return yield* Effect.die(new Error(`Task ${record.id}: ${event._tag} is impossible in ${before._tag}`))
      }
      yield* Ref.set(record.state, after.value)
      yield* Ref.update(running, (n) => n + Number(after.value._tag === "Running") - Number(before._tag === "Running"))
      yield* audit.transition({
        task_id: record.id,
        alias: subjectOf(record.work),
        hash: record.work.spec.hash,
        from: statusOf(before),
        to: statusOf(after.value)
      })
    })

    const settle = Effect.fnUntraced(function* (record: TaskRecord, exit: Exit.Exit<TaskEnd, SshError | LimitReached>) {
      // An unterminated last line becomes a line before anybody sees the task ended.
      yield* record.output.end
      const at = yield* monotonicMillis
      const { _tag } = yield* Ref.get(record.state)
      // A fan-out runs nothing itself: what its hosts ran is reported.
      const mayRun = _tag === "Running" && record.work._tag === "Command"
      yield* apply(record, endEvent(exit, at, mayRun, yield* Ref.get(record.stopped)))
      yield* registry.finish(record.id, at)
      if (record.work._tag === "Command") {
        yield* audit.task(yield* auditOf(record, record.work.spec, yield* Ref.get(record.state)))
      }
      if (Exit.isFailure(exit)) yield* logFailure(record, exit.cause)
    })

    return {
      // The fiber is born uninterruptible and starts at once, so that no interruption can come before `settle` is sure
      // to run; a body makes its waits interruptible itself.
      launch: Effect.fnUntraced(function* (record, body, release) {
        const fiber = yield* Effect.exit(body).pipe(
          Effect.flatMap((exit) => settle(record, exit)),
          Effect.ensuring(release),
          Effect.ensuring(Deferred.succeed(record.ended, undefined)),
          Effect.forkDetach({ uninterruptible: true, startImmediately: true })
        )
        yield* FiberMap.set(fibers, record.id, fiber)
        yield* Deferred.succeed(record.launched, undefined)
        // A shutdown that began meanwhile did not see the fiber.
        if (yield* Ref.get(closing)) fiber.interruptUnsafe()
      }, Effect.uninterruptible),
      markStarted: Effect.fnUntraced(function* (record, targetIp) {
        yield* apply(record, { _tag: "Start", at: yield* monotonicMillis, targetIp })
      }),
      interrupt: Effect.fnUntraced(function* (record) {
        yield* Deferred.await(record.launched)
        yield* FiberMap.remove(fibers, record.id)
        yield* Deferred.await(record.ended)
      }),
      closing: Ref.get(closing),
      grace: Ref.get(grace),
      giveUp: Deferred.await(lastCall),
      running: Ref.get(running),
      size: FiberMap.size(fibers),
      shutdown: Effect.gen(function* () {
        yield* Ref.set(closing, true)
        yield* Ref.set(grace, SHUTDOWN_GRACE)
        const ended = Effect.andThen(FiberMap.clear(fibers), FiberMap.awaitEmpty(fibers))
        const urge = Effect.andThen(Effect.sleep(SHUTDOWN_WAIT), Deferred.succeed(lastCall, undefined))
        yield* Effect.raceFirst(ended, Effect.interruptible(Effect.andThen(urge, Effect.never)))
      })
    }
  })
