import { Effect, Exit, HashMap, Option, Ref } from "effect"
import type { Limits } from "../policy/Limits.ts"
import type { RunResult } from "../task/RunResult.ts"
import type { TaskId } from "../task/Task.ts"
import type { CleanChunk } from "../task/TaskOutput.ts"
import type { FanOutIo, TaskSupervisor } from "../task/TaskSupervisor.ts"
import { splitBatches } from "./Batch.ts"
import type { FleetResult, HostDenialReason, HostResult } from "./FleetResult.ts"
import { addResult, fleetResult, type FleetState, type FleetSubject } from "./FleetState.ts"
import { lastLines, noLines, takeLines } from "./HostLines.ts"
import { tooManyFailures } from "./MaxFailures.ts"

/** What became of the attempt to start the command on one host. */
export type Launch =
  | { readonly _tag: "Started"; readonly taskId: TaskId }
  | { readonly _tag: "Denied"; readonly reason: HostDenialReason; readonly hint: string }

/** One command for many hosts. */
export interface FleetRequest extends FleetSubject {
  readonly hash: string
  /** Hosts at the same time; taken as 1 to 256, and as no more than `max_concurrent_tasks`. */
  readonly concurrency: number
  /** Sizes of successive batches, each an `AmountText`; the last one repeats. */
  readonly batch?: ReadonlyArray<string>
  /** Of the parent task. */
  readonly limits: Limits
  /**
   * Starts the command on one host as a task of its own. Run where interruption is off, so that a task that was
   * submitted is always known here; what may take long before that has to be `Effect.interruptible`.
   */
  readonly launch: (alias: string, onOutput: (chunk: CleanChunk) => Effect.Effect<void>) => Effect.Effect<Launch>
}

const MAX_CONCURRENCY = 256

/** What cannot run at the same time is not started: it would only wait for a slot, and not for long. */
const windowOf = ({ concurrency, limits }: FleetRequest): number =>
  Math.max(1, Math.min(MAX_CONCURRENCY, limits.max_concurrent_tasks, Math.floor(concurrency)))

/** The result of a host whose task was evicted before it could be read: only when far too many tasks are kept. */
const lostResult = (alias: string, taskId: TaskId, hash: string): RunResult => ({
  task_id: taskId,
  alias,
  hash,
  status: "failed",
  exit_code: -1,
  duration_ms: 0,
  cancelled: false,
  timeout: false,
  target_ip: "",
  output: "",
  bytes_out: 0,
  bytes_err: 0,
  truncated: false,
  status_message:
    "The result of this host was dropped because too many tasks are kept: check the host before you run it again."
})

/**
 * The body of a fan-out: batch after batch, in each a sliding window of hosts, until all are done or too many failed.
 * Every result goes into `state` as it comes. Interruption cancels the children that run and returns after they ended.
 */
export const fleetBody = (
  supervisor: TaskSupervisor["Service"],
  request: FleetRequest,
  state: Ref.Ref<FleetState>
): ((io: FanOutIo) => Effect.Effect<FleetResult>) => {
  const { aliases, limits } = request
  const budget = limits.max_result_bytes

  return Effect.fnUntraced(function* (io: FanOutIo) {
    const tapOf = Effect.fnUntraced(function* (alias: string) {
      const held = yield* Ref.make(noLines)
      // Several lines at once: each line of the parent's output begins with the alias.
      const write = (text: string) => io.line(alias, text.replaceAll("\n", `\n${alias}: `))
      return {
        onOutput: Effect.fnUntraced(function* (chunk: CleanChunk) {
          const text = yield* Ref.modify(held, (before) => {
            const [after, lines] = takeLines(before, chunk)
            return [lines, after]
          })
          if (text !== undefined) yield* write(text)
        }),
        end: Effect.flatMap(Ref.getAndSet(held, noLines), (rest) =>
          Effect.forEach(lastLines(rest), write, { discard: true })
        )
      }
    })

    const record = Effect.fnUntraced(function* (result: HostResult) {
      const { results } = yield* Ref.updateAndGet(state, (before) => addResult(before, result, budget))
      yield* io.progress(HashMap.size(results), aliases.length)
    })

    const stopChild = Effect.fnUntraced(function* (taskId: TaskId) {
      const { remote_stopped } = yield* supervisor.cancel(taskId)
      yield* io.stopped(remote_stopped)
    })

    const runHost = Effect.fnUntraced(function* (alias: string) {
      const tap = yield* tapOf(alias)
      const launch = yield* request.launch(alias, tap.onOutput)
      if (launch._tag === "Denied") {
        return yield* record({ alias, denied: true, reason: launch.reason, hint: launch.hint })
      }
      const { taskId } = launch
      const ended = yield* supervisor.await(taskId).pipe(Effect.ignore, Effect.interruptible, Effect.exit)
      // Of a child that has ended by itself, the same call says whether it is gone.
      yield* stopChild(taskId)
      yield* tap.end
      const result = yield* Effect.option(supervisor.result(taskId))
      yield* record(Option.getOrElse(result, () => lostResult(alias, taskId, request.hash)))
      if (Exit.isFailure(ended)) return yield* Effect.failCause(ended.cause)
    }, Effect.uninterruptible)

    const mayStart = Effect.map(
      Ref.get(state),
      ({ failures }) => !tooManyFailures(request.maxFailures, failures, aliases.length)
    )

    // A turn between two hosts: a shutdown that ends a child then ends this fan-out before it starts the next one.
    const startHost = (alias: string) => Effect.andThen(Effect.yieldNow, Effect.when(runHost(alias), mayStart))

    const concurrency = windowOf(request)
    yield* io.progress(0, aliases.length)
    yield* Effect.forEach(
      splitBatches(aliases, request.batch),
      Effect.forEach(startHost, { concurrency, discard: true }),
      { discard: true }
    )
    return fleetResult(request, yield* Ref.get(state), budget)
  })
}
