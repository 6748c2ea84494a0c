import { Server } from "@modelcontextprotocol/sdk/server/index.js"
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js"
import type {
  JSONRPCRequest,
  Notification,
  Request,
  Result,
  ServerCapabilities
} from "@modelcontextprotocol/sdk/types.js"
import { Cause, Context, Deferred, Duration, Effect, Fiber, FiberSet, Layer, Ref, Stream } from "effect"
import type { Orchestrator } from "../Orchestrator.ts"
import type { Catalogue } from "./Catalogue.ts"
import { PRODUCT } from "./ProductCatalogue.ts"
import { ErrorCodes, ProtocolError } from "./ProtocolError.ts"
import { isLogged, type LogLevel } from "./requests/Logging.ts"
import { completes, requestTable } from "./requests/RequestTable.ts"
import type { WithServices } from "./requests/RequestHandler.ts"
import { shown } from "./SafeText.ts"
import type { Session } from "./Session.ts"
import { type StdioStreams, StdioTransport } from "./StdioTransport.ts"
import type { JsonObject } from "./WireSchema.ts"

/** How long after the start the services are built when no request needs them before: the client's first ones pass. */
const BUILD_WITHIN = Duration.millis(100)

/** Characters of a client's name in the audit record. */
const CLIENT_NAME_LENGTH = 100

/** Characters of a protocol error in the log. */
const LOGGED_LENGTH = 120

/**
 * The SDK's server without its objection to a `task` parameter: a server has to treat a request that it does not offer
 * as a task as a plain one (MCP 2025-11-25, basic/utilities/tasks, "Capabilities").
 */
class AdapterServer extends Server<Request, Notification, Result> {
  protected override assertTaskHandlerCapability(_method: string): void {}
}

const capabilitiesOf = <R>(catalogue: Catalogue<R>): ServerCapabilities => ({
  tools: {},
  ...(catalogue.resources === undefined ? {} : { resources: { subscribe: true, listChanged: true } }),
  ...(catalogue.prompts.length === 0 ? {} : { prompts: {} }),
  ...(completes(catalogue) ? { completions: {} } : {}),
  logging: {},
  ...(catalogue.tasks === undefined ? {} : { tasks: { list: {}, cancel: {}, requests: { tools: { call: {} } } } })
})

/** An error answer. A plain error with a code: the SDK's own class writes the code into the message as well. */
const wireError = ({ code, data, message }: ProtocolError): Error =>
  Object.assign(new Error(message), { code, ...(data === undefined ? {} : { data }) })

const refusal = (code: number, message: string) => Effect.fail(new ProtocolError({ code, message }))

/** A request that ends in a defect is answered without its details; the log has them. */
const guarded = (method: string, answer: Effect.Effect<JsonObject, ProtocolError>) =>
  Effect.catchCauseIf(answer, Cause.hasDies, (cause) =>
    Effect.andThen(
      Effect.logError({ event: "mcp.request.defect", method }, cause),
      refusal(ErrorCodes.internalError, "Internal error: the server's log has the cause")
    )
  )

/**
 * Serves one session of MCP on a transport until it closes, then closes `services`, interrupts the requests in flight
 * and returns. The SDK frames the messages and answers `initialize` and `ping`; everything else is the catalogue's.
 *
 * The protocol comes first: `services` is built behind the first answers, at the latest when a request needs it, so that
 * reading a configuration does not hold up a client that is starting.
 *
 * All requests go through the SDK's fallback handler: its usual ones would copy the params through a parser that turns
 * an own `__proto__` key into the prototype, and would answer invalid ones with an internal error.
 *
 * Messages for the client's log (`notifications/message`) are sent only about calls that ended in a defect, and by tools
 * that send some themselves, each to a session whose level lets it pass: the server's own log is on stderr.
 */
export const serve: <R, RIn>(
  transport: Transport,
  services: Layer.Layer<R, never, RIn>,
  catalogue: Catalogue<R>
) => Effect.Effect<void, never, RIn> = Effect.fn("Server.serve")(function* <R, RIn>(
  transport: Transport,
  services: Layer.Layer<R, never, RIn>,
  catalogue: Catalogue<R>
) {
  const run = yield* FiberSet.makeRuntimePromise()
  const wanted = yield* Deferred.make<void>()
  const base = yield* Effect.context<RIn>()
  const building = yield* Effect.timeoutOption(Deferred.await(wanted), BUILD_WITHIN).pipe(
    Effect.andThen(Layer.build(services)),
    // Joined once, not by each request.
    Effect.map((context) => Context.merge(base, context)),
    Effect.forkScoped
  )
  const withServices: WithServices<R> = (effect) =>
    Deferred.succeed(wanted, undefined).pipe(
      Effect.andThen(Fiber.join(building)),
      Effect.flatMap((context) => {
        const whole: (own: Context.Context<never>) => Context.Context<R> = () => context
        return Effect.updateContext(effect, whole)
      })
    )
  const log = Effect.runForkWith(base)
  const closed = yield* Deferred.make<void>()
  const logLevel = yield* Ref.make<LogLevel>("info")
  const server = new AdapterServer(catalogue.info, {
    capabilities: capabilitiesOf(catalogue),
    instructions: catalogue.instructions
  })
  // Declaring the capability installs the SDK's handler, which answers an unknown level with an internal error.
  server.removeRequestHandler("logging/setLevel")

  const isInitialized = (): boolean => server.getClientVersion() !== undefined
  const notifier =
    (send: (notification: Notification) => Promise<void>): Session["notify"] =>
    (method, params) =>
      Effect.flatMap(Ref.get(logLevel), (threshold) =>
        isInitialized() && (method !== "notifications/message" || isLogged(params?.["level"], threshold))
          ? Effect.ignore(Effect.tryPromise(() => send({ method, ...(params === undefined ? {} : { params }) })))
          : Effect.void
      )
  const session: Session = {
    client: Effect.sync(() => {
      const name = server.getClientVersion()?.name ?? "unknown"
      return `mcp:${shown(name.slice(0, CLIENT_NAME_LENGTH), CLIENT_NAME_LENGTH)}`
    }),
    notify: notifier((notification) => server.notification(notification))
  }
  const requests = yield* requestTable(catalogue, session, logLevel, withServices)
  const { resources } = catalogue
  if (resources !== undefined) {
    yield* Effect.flatMap(Fiber.join(building), (context) =>
      resources.listChanges.pipe(
        Stream.runForEach(() => session.notify("notifications/resources/list_changed")),
        Effect.provideContext(context)
      )
    ).pipe(Effect.forkScoped)
  }

  const answer = ({ method, params }: JSONRPCRequest, notify: Session["notify"]) => {
    if (!isInitialized()) return refusal(ErrorCodes.invalidRequest, "Invalid request: initialize first")
    const handler = requests.get(method)
    if (handler === undefined) return refusal(ErrorCodes.methodNotFound, "Method not found")
    return guarded(method, handler(params, { client: session.client, notify }))
  }
  server.fallbackRequestHandler = (request, { sendNotification, signal }) =>
    run(Effect.mapError(answer(request, notifier(sendNotification)), wireError), { signal })
  Object.assign(server, {
    onclose: () => Deferred.doneUnsafe(closed, Effect.void),
    // What follows the first bracket may be a message, and so a command or an output.
    onerror: ({ message }: Error) =>
      void log(
        Effect.logWarning({ event: "mcp.protocol", reason: shown(message.split(/[[{]/, 1)[0] ?? "", LOGGED_LENGTH) })
      )
  })
  yield* Effect.acquireRelease(
    Effect.promise(() => server.connect(transport)),
    () => Effect.promise(() => server.close())
  )
  yield* Deferred.await(closed)
}, Effect.scoped)

/**
 * Serves the product on a pair of streams until the input ends or the connection breaks, then stops every task with the
 * shutdown's short grace and returns.
 */
export const serveStreams = <RIn>(
  streams: StdioStreams,
  services: Layer.Layer<Orchestrator, never, RIn>
): Effect.Effect<void, never, RIn> => Effect.suspend(() => serve(new StdioTransport(streams), services, PRODUCT))

/** `serveStreams` on this process's stdin and stdout. Nothing else may write to stdout meanwhile. */
export const serveStdio = <RIn>(services: Layer.Layer<Orchestrator, never, RIn>): Effect.Effect<void, never, RIn> =>
  Effect.suspend(() => serveStreams({ input: process.stdin, output: process.stdout }, services))
