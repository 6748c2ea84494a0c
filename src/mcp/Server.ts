import { Server } from "@modelcontextprotocol/sdk/server/index.js"
import {
  type CallToolResult,
  ErrorCode,
  type JSONRPCRequest,
  type ListToolsResult,
  type ServerResult
} from "@modelcontextprotocol/sdk/types.js"
import { Cause, Deferred, Duration, Effect, Fiber, FiberSet, Layer, Option, Predicate, Semaphore } from "effect"
import { type Orchestrator, VERSION } from "../Orchestrator.ts"
import { findTool } from "./Catalogue.ts"
import { INTERNAL_ERROR, TOO_MANY_CALLS } from "./ErrorText.ts"
import { INSTRUCTIONS } from "./Instructions.ts"
import { shown } from "./SafeText.ts"
import { type StdioStreams, StdioTransport } from "./StdioTransport.ts"
import type { Tool, ToolResult } from "./Tool.ts"
import { toolListing } from "./ToolListing.ts"

/** Calls that may be open at the same time: more than the default queue of commands, so that it says no first. */
const MAX_OPEN_CALLS = 4096

/** How long after the start the services are built when no tool is called before: the client's first requests pass. */
const BUILD_WITHIN = Duration.millis(100)

/** Characters of a client's name in the audit record. */
const CLIENT_NAME_LENGTH = 100

/** Characters of a protocol error in the log. */
const LOGGED_LENGTH = 120

/**
 * The SDK's server without its objection to a `task` parameter: a server that does not declare tasks has to treat
 * such a call as a plain one (MCP 2025-11-25, basic/utilities/tasks, "Capabilities").
 */
class ToolServer extends Server {
  protected override assertTaskHandlerCapability(_method: string): void {}
}

/** An error answer. A plain error with a code: the SDK's own class writes the code into the message as well. */
const protocolError = (code: ErrorCode, message: string): Error => Object.assign(new Error(message), { code })

const toolList = (): ListToolsResult => ({
  tools: toolListing().map(({ inputSchema, outputSchema, annotations, ...tool }) => ({
    ...tool,
    inputSchema: { ...inputSchema, type: "object" },
    outputSchema: { ...outputSchema, type: "object" },
    annotations: { ...annotations }
  }))
})

const toCallResult = (result: ToolResult): CallToolResult =>
  result._tag === "Rejected"
    ? { content: [{ type: "text", text: result.text }], isError: true }
    : {
        content: [{ type: "text", text: JSON.stringify(result.value) }],
        structuredContent: { ...result.value },
        isError: result.isError
      }

/** A call that ends in a defect answers without its details; the log has them. Interruption stays interruption. */
const guarded = (tool: Tool, call: Effect.Effect<ToolResult>) =>
  Effect.catchCauseIf(
    call,
    (cause) => !Cause.hasInterruptsOnly(cause),
    (cause) =>
      Effect.as(Effect.logError({ event: "mcp.call.defect", tool: tool.name }, cause), {
        _tag: "Rejected",
        text: INTERNAL_ERROR
      } satisfies ToolResult)
  )

/** The tool and the arguments of a `tools/call`. The arguments are the client's own object, not a copy. */
const readCall = (request: JSONRPCRequest): { readonly tool: Tool; readonly args: unknown } => {
  const name: unknown = request.params?.["name"]
  const args: unknown = request.params?.["arguments"]
  if (typeof name !== "string") throw protocolError(ErrorCode.InvalidParams, "Invalid params: name must be a string")
  const tool = findTool(name)
  if (tool === undefined) throw protocolError(ErrorCode.InvalidParams, `Unknown tool: ${shown(name)}`)
  if (args !== undefined && !Predicate.isObject(args)) {
    throw protocolError(ErrorCode.InvalidParams, "Invalid params: arguments must be an object")
  }
  return { tool, args: args ?? {} }
}

/**
 * Serves MCP on a pair of streams until the input ends or the connection breaks, then closes `services`, which stops
 * every task with the shutdown's short grace, interrupts the calls in flight and returns.
 *
 * The protocol comes first: `services` is built behind the first answers, at the latest when a tool is called, so that
 * reading a configuration does not hold up a client that is starting.
 *
 * The tools' requests go through the SDK's fallback handler: its usual one would copy the arguments through a parser
 * that turns an own `__proto__` key into the prototype, and would answer invalid ones with an internal error.
 */
export const serveStreams: <R>(
  streams: StdioStreams,
  services: Layer.Layer<Orchestrator, never, R>
) => Effect.Effect<void, never, R> = Effect.fn("Server.serveStreams")(function* <R>(
  streams: StdioStreams,
  services: Layer.Layer<Orchestrator, never, R>
) {
  const run = yield* FiberSet.makeRuntimePromise()
  const wanted = yield* Deferred.make<void>()
  const building = yield* Effect.timeoutOption(Deferred.await(wanted), BUILD_WITHIN).pipe(
    Effect.andThen(Layer.build(services)),
    Effect.forkScoped
  )
  const built = Effect.andThen(Deferred.succeed(wanted, undefined), Fiber.join(building))
  const log = Effect.runForkWith(yield* Effect.context())
  const openCalls = yield* Semaphore.make(MAX_OPEN_CALLS)
  const closed = yield* Deferred.make<void>()
  const server = new ToolServer(
    { name: "mcp-ssh-orchestrator", title: "SSH Orchestrator", version: VERSION },
    { capabilities: { tools: {} }, instructions: INSTRUCTIONS }
  )
  let listed: ListToolsResult | undefined

  const callTool = (request: JSONRPCRequest, signal: AbortSignal): Promise<ServerResult> => {
    const { args, tool } = readCall(request)
    const client = `mcp:${shown((server.getClientVersion()?.name ?? "unknown").slice(0, CLIENT_NAME_LENGTH), CLIENT_NAME_LENGTH)}`
    return run(
      guarded(
        tool,
        Effect.flatMap(built, (context) => Effect.provideContext(tool.call(args, { client }), context))
      ).pipe(
        openCalls.withPermitsIfAvailable(1),
        Effect.map(Option.getOrElse((): ToolResult => ({ _tag: "Rejected", text: TOO_MANY_CALLS }))),
        Effect.map(toCallResult)
      ),
      { signal }
    )
  }

  server.fallbackRequestHandler = async (request, { signal }) => {
    switch (request.method) {
      case "tools/list":
        // One page: a cursor can only be one that this server never gave.
        if (request.params?.["cursor"] !== undefined) {
          throw protocolError(ErrorCode.InvalidParams, "Invalid params: cursor is not valid")
        }
        return (listed ??= toolList())
      case "tools/call":
        return callTool(request, signal)
      default:
        throw protocolError(ErrorCode.MethodNotFound, "Method not found")
    }
  }
  Object.assign(server, {
    onclose: () => Deferred.doneUnsafe(closed, Effect.void),
    // What follows the first bracket may be a message, and so a command or an output.
    onerror: ({ message }: Error) =>
      void log(
        Effect.logWarning({ event: "mcp.protocol", reason: shown(message.split(/[[{]/, 1)[0] ?? "", LOGGED_LENGTH) })
      )
  })
  yield* Effect.acquireRelease(
    Effect.promise(() => server.connect(new StdioTransport(streams))),
    () => Effect.promise(() => server.close())
  )
  yield* Deferred.await(closed)
}, Effect.scoped)

/** `serveStreams` on this process's stdin and stdout. Nothing else may write to stdout meanwhile. */
export const serveStdio = <R>(services: Layer.Layer<Orchestrator, never, R>): Effect.Effect<void, never, R> =>
  Effect.suspend(() => serveStreams({ input: process.stdin, output: process.stdout }, services))
