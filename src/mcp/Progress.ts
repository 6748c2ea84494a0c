import { Duration, Effect } from "effect"
import { monotonicMillis } from "../ssh/MonotonicTime.ts"
import type { Session } from "./Session.ts"
import type { JsonObject } from "./WireSchema.ts"

/** What a client chose to name a request in progress notifications; 0 is one. */
export type ProgressToken = string | number

/** What a progress notification can say about a task. */
export interface TaskProgress {
  /** Seconds after which it is stopped. */
  readonly total?: number
  /** The last line of output, or how many hosts are done. */
  readonly message?: string
}

/** Between two notifications. */
const EVERY = Duration.seconds(1)

/** What to send, and what to say in it. */
export interface ProgressSource {
  readonly token: ProgressToken
  readonly notify: Session["notify"]
  /** What is known at this moment. */
  readonly read: Effect.Effect<TaskProgress>
  /** Put into each notification. */
  readonly meta?: JsonObject
}

/**
 * Sends a progress notification a second, until it is interrupted (MCP 2025-11-25, basic/utilities/progress). The value
 * is the seconds since it was started, so that it always rises; the total is left out once the value reached it. The
 * first one comes after a second: a call that is quicker needs none. A client that does not read gets fewer, since the
 * next one waits for the connection to take the one before.
 */
export const reportProgress = Effect.fn("Progress.report")(function* ({ meta, notify, read, token }: ProgressSource) {
  const startedAt = yield* monotonicMillis
  let last = 0
  while (true) {
    yield* Effect.sleep(EVERY)
    const progress = ((yield* monotonicMillis) - startedAt) / 1000
    if (progress <= last) continue
    last = progress
    const { message, total } = yield* read
    yield* notify("notifications/progress", {
      progressToken: token,
      progress,
      ...(total === undefined || total <= progress ? {} : { total }),
      ...(message === undefined ? {} : { message }),
      ...(meta === undefined ? {} : { _meta: meta })
    })
  }
})

/** Runs `call`, and reports its progress until it ends: nothing is sent after that. */
export const withProgress = <A, E, R>(call: Effect.Effect<A, E, R>, source: ProgressSource): Effect.Effect<A, E, R> =>
  Effect.raceFirst(call, reportProgress(source))
