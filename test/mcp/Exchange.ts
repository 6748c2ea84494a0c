import { Deferred, Effect, type Layer, Queue } from "effect"
import type { Orchestrator } from "../../src/Orchestrator.ts"
import { initializedSession, type Reply } from "./Session.ts"

/** A client that tells answers from notifications. */
export interface Exchange {
  /** Sends a request; yields its id. */
  readonly post: (method: string, params?: object) => Effect.Effect<number>
  /** The answer to a request that was sent. */
  readonly reply: (id: number) => Effect.Effect<Reply>
  /** Sends a request and waits for its answer. */
  readonly ask: (method: string, params?: object) => Effect.Effect<Reply>
  /** `ask`, and the result. Dies of an error answer. */
  readonly resultOf: (method: string, params?: object) => Effect.Effect<NonNullable<Reply["result"]>>
  /** Says that a request is no longer wanted. */
  readonly cancel: (id: number) => Effect.Effect<void>
  /** The next notification of the server. */
  readonly notification: Effect.Effect<Reply>
  /** Notifications that came and were not taken yet. */
  readonly unread: Effect.Effect<number>
  /** Messages that came, answers included, in their order: `result`, `error` or the notification's method. */
  readonly log: ReadonlyArray<string>
}

/** Opens a session that is initialized. */
export const openExchange = Effect.fnUntraced(function* (orchestrator: Layer.Layer<Orchestrator>) {
  const session = yield* initializedSession(orchestrator)
  const replies = new Map<unknown, Deferred.Deferred<Reply>>()
  const notifications = yield* Queue.unbounded<Reply>()
  const log: Array<string> = []
  let last = 0

  const pending = (id: unknown) => {
    const known = replies.get(id) ?? Deferred.makeUnsafe<Reply>()
    replies.set(id, known)
    return known
  }
  yield* Effect.forever(
    Effect.flatMap(session.receive, (message) => {
      log.push(message.method ?? ("error" in message ? "error" : "result"))
      return message.method === undefined
        ? Deferred.succeed(pending(message.id), message)
        : Queue.offer(notifications, message)
    })
  ).pipe(Effect.forkScoped)

  const post = (method: string, params?: object) =>
    Effect.suspend(() => {
      const id = ++last
      return Effect.as(session.send({ jsonrpc: "2.0", id, method, ...(params === undefined ? {} : { params }) }), id)
    })
  const reply = (id: number) => Effect.suspend(() => Deferred.await(pending(id)))
  const ask = (method: string, params?: object) => Effect.flatMap(post(method, params), reply)
  const exchange: Exchange = {
    post,
    reply,
    ask,
    resultOf: (method, params) =>
      Effect.flatMap(ask(method, params), ({ error, result }) =>
        result === undefined
          ? Effect.die(new Error(`${method}: ${error?.code} ${error?.message}`))
          : Effect.succeed(result)
      ),
    cancel: (requestId) => session.send({ jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId } }),
    notification: Queue.take(notifications),
    unread: Queue.size(notifications),
    log
  }
  return exchange
})
