import { Server } from "@modelcontextprotocol/sdk/server/index.js"
import {
  type CallToolResult,
  ErrorCode,
  type JSONRPCRequest,
  type ListToolsResult,
  type ServerResult
} from "@modelcontextprotocol/sdk/types.js"
import { Cause, Deferred, Effect, FiberSet, Option, Predicate, Semaphore } from "effect"
import { Orchestrator, VERSION } from "../Orchestrator.ts"
import { findTool, TOOLS } from "./Catalogue.ts"
import { INTERNAL_ERROR, TOO_MANY_CALLS } from "./ErrorText.ts"
import { INSTRUCTIONS } from "./Instructions.ts"
import { shown } from "./SafeText.ts"
import { type StdioStreams, StdioTransport } from "./StdioTransport.ts"
import type { Tool, ToolResult } from "./Tool.ts"

/** Calls that may be open at the same time: more than the default queue of commands, so that it says no first. */
const MAX_OPEN_CALLS = 4096

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
  tools: TOOLS.map((tool) => ({
    name: tool.name,
    title: tool.title,
    description: tool.description,
    inputSchema: { ...tool.inputSchema(), type: "object" },
    outputSchema: { ...tool.outputSchema(), type: "object" },
    annotations: { ...tool.annotations }
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
const guarded = (tool: Tool, call: Effect.Effect<ToolResult, never, Orchestrator>) =>
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
 * Serves MCP on a pair of streams until the input ends or the connection breaks, then interrupts the calls in flight,
 * which stops what they run, and returns. Tasks that were started asynchronously belong to `Orchestrator`'s layer.
 *
 * The tools' requests go through the SDK's fallback handler: its usual one would copy the arguments through a parser
 * that turns an own `__proto__` key into the prototype, and would answer invalid ones with an internal error.
 */
export const serveStreams: (streams: StdioStreams) => Effect.Effect<void, never, Orchestrator> = Effect.fn(
  "Server.serveStreams"
)(function* (streams) {
  const run = yield* FiberSet.makeRuntimePromise<Orchestrator>()
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
      guarded(tool, tool.call(args, { client })).pipe(
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

/** Serves MCP on this process's stdin and stdout, until stdin ends. Nothing else may write to stdout meanwhile. */
export const serveStdio: Effect.Effect<void, never, Orchestrator> = Effect.suspend(() =>
  serveStreams({ input: process.stdin, output: process.stdout })
)
