import { Effect, FiberMap, Schema, type Scope, Stream } from "effect"
import { ErrorCodes, ProtocolError } from "../ProtocolError.ts"
import type { Resources } from "../resources/Resources.ts"
import type { Session } from "../Session.ts"
import { decodeParams, ListParams, type RequestTable, type WithServices } from "./RequestHandler.ts"

/** Subscriptions of one session. Each is a fiber that waits for changes. */
const MAX_SUBSCRIPTIONS = 100

/** Characters of an address. */
const MAX_URI_LENGTH = 2000

const UriParams = Schema.Struct({
  uri: Schema.String.check(Schema.isMaxLength(MAX_URI_LENGTH, { message: "uri is too long" }))
})

/**
 * `resources/*` of one session. A subscription sends `notifications/resources/updated` until the client unsubscribes, the
 * resource can change no more or the session ends; subscribing twice is subscribing once.
 */
export const resourceRequests = <R>(
  resources: Resources<R>,
  session: Session,
  withServices: WithServices<R>
): Effect.Effect<RequestTable, never, Scope.Scope> =>
  Effect.gen(function* () {
    const subscriptions = yield* FiberMap.make<string, void, never>()
    const decodeList = decodeParams(ListParams)
    const decodeUri = decodeParams(UriParams)

    const subscribe = Effect.fn("resources/subscribe")(function* (params: unknown) {
      const { uri } = yield* decodeUri(params)
      const changes = yield* withServices(resources.changes(uri))
      if (!(yield* FiberMap.has(subscriptions, uri)) && (yield* FiberMap.size(subscriptions)) >= MAX_SUBSCRIPTIONS) {
        return yield* new ProtocolError({
          code: ErrorCodes.invalidRequest,
          message: `Invalid request: at most ${MAX_SUBSCRIPTIONS} subscriptions; unsubscribe from one first`
        })
      }
      const send = Stream.runForEach(changes, () => session.notify("notifications/resources/updated", { uri }))
      yield* FiberMap.run(subscriptions, uri, withServices(send), { onlyIfMissing: true })
      return {}
    })

    return new Map([
      [
        "resources/list",
        (params: unknown) => Effect.flatMap(decodeList(params), ({ cursor }) => withServices(resources.list(cursor)))
      ],
      [
        "resources/templates/list",
        (params: unknown) =>
          Effect.flatMap(decodeList(params), ({ cursor }) => withServices(resources.templates(cursor)))
      ],
      [
        "resources/read",
        Effect.fn("resources/read")(function* (params: unknown) {
          const { uri } = yield* decodeUri(params)
          return { contents: yield* withServices(resources.read(uri)) }
        })
      ],
      ["resources/subscribe", subscribe],
      [
        "resources/unsubscribe",
        (params: unknown) =>
          Effect.flatMap(decodeUri(params), ({ uri }) => Effect.as(FiberMap.remove(subscriptions, uri), {}))
      ]
    ])
  })
