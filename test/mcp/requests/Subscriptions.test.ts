import { assert, describe, it } from "@effect/vitest"
import { Effect, Queue, Ref, Stream } from "effect"
import { noCompletion } from "../../../src/mcp/Completion.ts"
import { ProtocolError } from "../../../src/mcp/ProtocolError.ts"
import type { RequestTable } from "../../../src/mcp/requests/RequestHandler.ts"
import { resourceRequests } from "../../../src/mcp/requests/Resources.ts"
import type { Session } from "../../../src/mcp/Session.ts"

/** A session that keeps what it is told, and resources of which each change is made by the test. */
const open = Effect.gen(function* () {
  const told = yield* Queue.unbounded<unknown>()
  const watched = yield* Ref.make<ReadonlyArray<string>>([])
  const changes = yield* Queue.unbounded<void>()
  const session: Session = {
    client: Effect.succeed("mcp:test"),
    notify: (method, params) => Queue.offer(told, [method, params?.["uri"]]).pipe(Effect.asVoid)
  }
  const table = yield* resourceRequests(
    {
      list: () => Effect.succeed({ resources: [] }),
      templates: () => Effect.succeed({ resourceTemplates: [] }),
      read: () => Effect.succeed([]),
      complete: () => Effect.succeed(noCompletion),
      changes: (uri) =>
        uri === "x:never"
          ? new ProtocolError({ code: -32002, message: "Resource not found" })
          : Effect.as(
              Ref.update(watched, (uris) => [...uris, uri]),
              uri === "x:one" ? Stream.fromQueue(changes) : Stream.never
            ),
      listChanges: Stream.never
    },
    session,
    (effect) => effect
  )
  return { ask: askOf(table, session), changes, told, watched }
})

const askOf = (table: RequestTable, session: Session) => (method: string, uri: string) => {
  const handler = table.get(`resources/${method}`)
  return handler === undefined ? Effect.die(method) : handler({ uri }, session)
}

const codeOf = (answer: Effect.Effect<unknown, ProtocolError>) => Effect.map(Effect.flip(answer), ({ code }) => code)

describe("subscriptions", () => {
  it.effect("tell each change once, also when subscribed to twice, until they are given up", () =>
    Effect.gen(function* () {
      const { ask, changes, told } = yield* open
      yield* ask("subscribe", "x:one")
      yield* ask("subscribe", "x:one")
      yield* Queue.offer(changes, undefined)
      assert.deepStrictEqual(yield* Queue.take(told), ["notifications/resources/updated", "x:one"])
      yield* ask("unsubscribe", "x:one")
      yield* Queue.offer(changes, undefined)
      yield* Effect.yieldNow.pipe(Effect.repeat({ times: 200 }))
      assert.strictEqual(yield* Queue.size(told), 0)
    })
  )

  it.effect("are at most a hundred a session; one that is given up makes room", () =>
    Effect.gen(function* () {
      const { ask } = yield* open
      for (let n = 0; n < 100; n++) yield* ask("subscribe", `x:${n}`)
      assert.strictEqual(yield* codeOf(ask("subscribe", "x:100")), -32600)
      yield* ask("subscribe", "x:7")
      yield* ask("unsubscribe", "x:7")
      yield* ask("subscribe", "x:100")
    })
  )

  it.effect("are refused for what cannot change; giving up what was never subscribed to is no error", () =>
    Effect.gen(function* () {
      const { ask } = yield* open
      assert.strictEqual(yield* codeOf(ask("subscribe", "x:never")), -32002)
      assert.deepStrictEqual(yield* ask("unsubscribe", "x:never"), {})
      assert.strictEqual(yield* codeOf(ask("subscribe", "x".repeat(2001))), -32602)
    })
  )
})
