import { Context, Duration, Effect, Layer, Option, Ref, Schedule } from "effect"
import { type LimitReached, TaskNotFinished, TaskNotFound } from "../task/errors.ts"
import type { TaskId } from "../task/Task.ts"
import type { TaskReport } from "../task/TaskReport.ts"
import { TaskSupervisor } from "../task/TaskSupervisor.ts"
import type { FleetResult } from "./FleetResult.ts"
import { fleetBody, type FleetRequest } from "./FleetRun.ts"
import { emptyFleetState, fleetResult, type FleetState, type FleetSubject } from "./FleetState.ts"

export type { FleetRequest, Launch } from "./FleetRun.ts"

/** Fan-outs whose results are kept; the oldest ended one gives way. Each holds twice `max_result_bytes` at most. */
const MAX_KEPT = 1000

/** How often results are dropped whose task expired. */
const SWEEP_EVERY = Duration.seconds(5)

interface KeptFleet {
  readonly subject: FleetSubject
  readonly budget: number
  readonly state: Ref.Ref<FleetState>
}

const isOver = ({ status }: TaskReport): boolean => status !== "pending" && status !== "running"

/**
 * One command on many hosts: a parent task whose children are ordinary tasks, and the result of all of them. Status,
 * output, cancel and expiry of the parent are the task supervisor's.
 */
export class Fleet extends Context.Service<
  Fleet,
  {
    /** Starts the parent task and returns its id at once. Fails with `LimitReached` like any other task. */
    readonly start: (request: FleetRequest) => Effect.Effect<TaskId, LimitReached>
    /** What the fan-out came to, once its task ended and until that expires. */
    readonly result: (id: string) => Effect.Effect<FleetResult, TaskNotFound | TaskNotFinished>
    /** Whether the id names a fan-out that is known here. */
    readonly has: (id: string) => Effect.Effect<boolean>
    /** How many fan-outs are kept; 0 once all have ended and expired. */
    readonly held: Effect.Effect<number>
  }
>()("mcp-ssh-orchestrator/fleet/Fleet") {
  static readonly layer = Layer.effect(
    Fleet,
    Effect.gen(function* () {
      const supervisor = yield* TaskSupervisor
      const kept = yield* Ref.make<ReadonlyMap<string, KeptFleet>>(new Map())

      const forget = (ids: ReadonlyArray<string>) =>
        Ref.update(kept, (fleets) => new Map([...fleets].filter(([id]) => !ids.includes(id))))

      const sweep = Effect.gen(function* () {
        const ids = [...(yield* Ref.get(kept)).keys()]
        const expired = yield* Effect.filter(ids, (id) =>
          Effect.map(Effect.option(supervisor.status(id)), Option.isNone)
        )
        if (expired.length > 0) yield* forget(expired)
      })

      const makeRoom = Effect.gen(function* () {
        const ids = [...(yield* Ref.get(kept)).keys()]
        if (ids.length < MAX_KEPT) return
        const oldest = yield* Effect.findFirst(ids, (id) =>
          supervisor.status(id).pipe(Effect.match({ onFailure: () => true, onSuccess: isOver }))
        )
        if (Option.isSome(oldest)) yield* forget([oldest.value])
      })

      const start = Effect.fn("Fleet.start")(function* (request: FleetRequest) {
        const { aliases, command, hash, limits, matched = aliases.length, maxFailures, tag } = request
        const subject = { tag, command, aliases, matched, ...(maxFailures === undefined ? {} : { maxFailures }) }
        const state = yield* Ref.make(emptyFleetState)
        const id = yield* supervisor.submitFanOut(
          {
            tag,
            command,
            hash,
            limits,
            failure: ({ summary }: FleetResult) =>
              aliases.length > 0 && summary?.successful === 0 ? "The command succeeded on no host." : undefined
          },
          fleetBody(supervisor, request, state)
        )
        yield* makeRoom
        yield* Ref.update(kept, (fleets) =>
          new Map(fleets).set(id, { subject, budget: limits.max_result_bytes, state })
        )
        return id
      }, Effect.uninterruptible)

      const result = Effect.fn("Fleet.result")(function* (id: string) {
        const fleet = (yield* Ref.get(kept)).get(id)
        if (fleet === undefined) return yield* new TaskNotFound({ taskId: id })
        const report = yield* supervisor.status(id)
        if (!isOver(report)) {
          return yield* new TaskNotFinished({ taskId: id, status: report.status, pollFrequency: report.pollFrequency })
        }
        const answer: FleetResult = {
          task_id: id,
          ...fleetResult(fleet.subject, yield* Ref.get(fleet.state), fleet.budget)
        }
        return answer
      })

      yield* sweep.pipe(Effect.repeat(Schedule.spaced(SWEEP_EVERY)), Effect.forkScoped)

      return Fleet.of({
        start,
        result,
        has: Effect.fn("Fleet.has")((id: string) => Effect.map(Ref.get(kept), (fleets) => fleets.has(id))),
        held: Effect.map(Ref.get(kept), (fleets) => fleets.size)
      })
    })
  )
}
