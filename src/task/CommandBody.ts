import { Duration, Effect, Option, type Scope } from "effect"
import type { SshError } from "../ssh/errors.ts"
import { LimitReached } from "./errors.ts"
import type { Slot } from "./Slots.ts"
import type { TaskEnd } from "./TaskEnd.ts"
import type { CommandSpec, StartedProcess } from "./TaskSpec.ts"

/** How long a command may wait for a slot. */
const QUEUE_WAIT = Duration.seconds(60)

const waitedTooLong = Effect.fnUntraced(function* (slot: Slot, spec: CommandSpec) {
  const limit = yield* slot.waitsFor
  const what =
    limit === "max_tasks_per_host" ? "commands were running on this host" : "commands were running on this server"
  return yield* new LimitReached({
    detail:
      `Waited ${Duration.toSeconds(QUEUE_WAIT)} s for a free slot: ${limit} (${spec.limits[limit]}) ${what}. Nothing ran. ` +
      "Wait for running tasks to end (ssh_list_tasks shows them) or cancel one with ssh_cancel_task, then try again."
  })
})

/**
 * The life of one command, to be run uninterruptibly: wait for the slot, start, wait for the exit, close the scope. Only
 * the three waits can be interrupted, so that an end that is known is never lost to a cancel that comes while the
 * scope closes, and the remote process is stopped (by the scope's finalizers) before the result is known.
 */
export const commandBody = (
  spec: CommandSpec,
  slot: Slot,
  start: Effect.Effect<StartedProcess, SshError, Scope.Scope>,
  onStart: (process: StartedProcess) => Effect.Effect<void>
): Effect.Effect<TaskEnd, SshError | LimitReached> =>
  Effect.gen(function* () {
    yield* slot.granted.pipe(
      Effect.timeoutOrElse({ duration: QUEUE_WAIT, orElse: () => waitedTooLong(slot, spec) }),
      Effect.interruptible
    )
    const process = yield* Effect.interruptible(start)
    yield* onStart(process)
    const { max_seconds: seconds } = spec.limits
    const exit = yield* Effect.interruptible(
      seconds === 0 ? Effect.asSome(process.wait) : Effect.timeoutOption(process.wait, Duration.seconds(seconds))
    )
    return Option.match(exit, {
      onNone: (): TaskEnd => ({ _tag: "TimedOut" }),
      onSome: (known): TaskEnd => ({ _tag: "Exited", exit: known })
    })
  }).pipe(Effect.scoped)
