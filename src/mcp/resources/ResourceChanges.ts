import { Duration, Effect, Option, Stream } from "effect"
import { Orchestrator } from "../../Orchestrator.ts"
import type { TaskStatus } from "../../task/Task.ts"
import { invalidParams } from "../ProtocolError.ts"
import { readResource } from "./ResourceReading.ts"
import { parseResourceUri } from "./ResourceUri.ts"

/** The shortest time between two notices about one resource. */
const INTERVAL = Duration.seconds(1)

const LIVE: ReadonlySet<TaskStatus> = new Set(["pending", "running"])

/** Lets what comes faster than one a second wait, and keeps only the newest of what waits. */
const atMostOnceASecond = <R>(changes: Stream.Stream<void, never, R>): Stream.Stream<void, never, R> =>
  changes.pipe(
    Stream.buffer({ capacity: 1, strategy: "sliding" }),
    Stream.throttle({ cost: () => 1, units: 1, duration: INTERVAL, strategy: "shape" })
  )

/** What a subscriber of an output was told so far; a running task that printed nothing is no news. */
interface Told {
  readonly bytes: number
  readonly ended: boolean
}

/** Waits until a task printed more than the subscriber was told of, or ended. None when the task is gone. */
const nextOutput = Effect.fnUntraced(function* (taskId: string, told: Told) {
  const orchestrator = yield* Orchestrator
  while (true) {
    const report = yield* Effect.option(orchestrator.taskStatus(taskId))
    if (Option.isNone(report)) return Option.none<Told>()
    const now: Told = { bytes: report.value.bytes_read, ended: !LIVE.has(report.value.status) }
    if (now.ended || now.bytes > told.bytes) return Option.some(now)
    yield* Effect.sleep(INTERVAL)
  }
})

/**
 * Emits while output arrives, and a last time at the task's end, or at once when it ended before: a client that read
 * before it subscribed misses nothing. Looks once a second, so that a flood of output costs no more than a trickle.
 */
const outputChanges = (taskId: string): Stream.Stream<void, never, Orchestrator> =>
  Stream.unfold<Told, void, never, Orchestrator>(
    { bytes: 0, ended: false },
    Effect.fnUntraced(function* (told) {
      if (told.ended) return undefined
      if (told.bytes > 0) yield* Effect.sleep(INTERVAL)
      const now = yield* nextOutput(taskId, told)
      return Option.isNone(now) ? undefined : ([undefined, now.value] as const)
    })
  )

/** Emits after each reload that made a difference to what the resource holds. */
const configChanges = (uri: string): Stream.Stream<void, never, Orchestrator> => {
  const content = Effect.match(readResource(uri), {
    onSuccess: (contents) => JSON.stringify(contents),
    onFailure: ({ message }) => message
  })
  return Stream.unwrap(Effect.map(Orchestrator, (orchestrator) => atMostOnceASecond(orchestrator.configChanges))).pipe(
    Stream.mapEffect(() => content),
    Stream.changes,
    Stream.drop(1),
    Stream.map(() => undefined)
  )
}

/** Emits after each reload of the configuration, which may have changed the hosts. */
export const listChanges: Stream.Stream<void, never, Orchestrator> = Stream.unwrap(
  Effect.map(Orchestrator, (orchestrator) => atMostOnceASecond(Stream.drop(orchestrator.configChanges, 1)))
)

/**
 * The changes of a resource, which must exist. Outputs of tasks and everything about hosts can be subscribed to;
 * `ssh://tasks` cannot: each task's own output says when it ends.
 */
export const resourceChanges = Effect.fn("Resources.changes")(function* (uri: string) {
  const named = parseResourceUri(uri)
  if (named._tag === "Tasks") return yield* invalidParams("this resource cannot be subscribed to")
  yield* readResource(uri)
  return named._tag === "TaskOutput" ? outputChanges(named.taskId) : configChanges(uri)
})
