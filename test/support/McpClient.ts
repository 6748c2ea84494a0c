import { Client } from "@modelcontextprotocol/sdk/client/index.js"
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js"
import { CallToolResultSchema } from "@modelcontextprotocol/sdk/types.js"
import { Cause, Data, Deferred, Effect, Schema, type Scope } from "effect"
import { PassThrough } from "node:stream"
import { binaryPath } from "./Binary.ts"
import { collectLogRecords, type LogRecords } from "./LogRecords.ts"

/** How to start the binary. */
export interface McpClientOptions {
  /** Further variables for the server process; a real client passes on HOME, PATH and a few others only. */
  readonly environment?: Record<string, string>
  /** Arguments after the binary's path; none means `serve`. */
  readonly args?: ReadonlyArray<string>
}

/** One answer to `tools/call`. */
export interface ToolAnswer {
  readonly isError: boolean
  /** The text of the one content item. */
  readonly text: string
  /** `structuredContent`, {} when there is none. */
  readonly json: { readonly [key: string]: unknown }
  readonly structured: boolean
}

/** The call ended in a protocol error, or the connection is gone. */
export class McpCallFailed extends Data.TaggedError("McpCallFailed")<{
  readonly code: number | undefined
  readonly text: string
}> {
  override get message(): string {
    return this.text
  }
}

/** A real MCP client, connected over stdio to the real binary. */
export interface McpClient {
  /** Calls a tool; interruption sends `notifications/cancelled`. Output schemas are checked by the SDK. */
  readonly call: (name: string, args?: Record<string, unknown>) => Effect.Effect<ToolAnswer, McpCallFailed>
  /** What the server said to `tools/list`. */
  readonly tools: Awaited<ReturnType<Client["listTools"]>>["tools"]
  /** The SDK's client, for everything else. */
  readonly client: Client
  /** What the server wrote to stderr. */
  readonly log: LogRecords
  /** Process id of the server. */
  readonly pid: number
  /** Lines on stdout that were not protocol messages. */
  readonly protocolErrors: () => ReadonlyArray<string>
  /** Ends the server's stdin, as a client does that goes away, and waits for its end. */
  readonly close: Effect.Effect<void>
  /** Done once the server process is gone. */
  readonly exited: Effect.Effect<void>
}

const callFailed = (error: unknown): McpCallFailed =>
  error instanceof Error
    ? new McpCallFailed({
        code: "code" in error && typeof error.code === "number" ? error.code : undefined,
        text: error.message
      })
    : new McpCallFailed({ code: undefined, text: String(error) })

const toAnswer = (result: typeof CallToolResultSchema._output): ToolAnswer => {
  const [item] = result.content
  if (result.content.length !== 1 || item?.type !== "text") {
    throw new Error(`a result has one text item, got ${JSON.stringify(result.content)}`)
  }
  const structured = result.structuredContent
  if (structured !== undefined && JSON.stringify(JSON.parse(item.text)) !== JSON.stringify(structured)) {
    throw new Error(`the text is not the structured content: ${item.text} / ${JSON.stringify(structured)}`)
  }
  return {
    isError: result.isError === true,
    text: item.text,
    json: structured ?? {},
    structured: structured !== undefined
  }
}

/**
 * Starts the binary and connects the SDK's client to it. The tools are listed at once, so that the SDK checks the
 * structured content of every later answer against the tool's output schema. Closed with the scope.
 */
export const connectMcpClient = (options: McpClientOptions = {}): Effect.Effect<McpClient, never, Scope.Scope> =>
  Effect.gen(function* () {
    const errors: Array<string> = []
    const exited = yield* Deferred.make<void>()
    const transport = new StdioClientTransport({
      command: process.execPath,
      args: [binaryPath(), ...(options.args ?? [])],
      env: options.environment ?? {},
      stderr: "pipe"
    })
    const stderr = transport.stderr
    if (!(stderr instanceof PassThrough)) throw new Error("stderr is not piped")
    const log = yield* collectLogRecords(stderr)
    const client = new Client({ name: "e2e", version: "1.0.0" })
    Object.assign(transport, {
      onerror: (error: Error) => errors.push(error.message),
      onclose: () => Deferred.doneUnsafe(exited, Effect.void)
    })
    const close = Effect.promise(() => client.close())
    const tools = yield* Effect.acquireRelease(
      Effect.promise(async () => {
        await client.connect(transport)
        return (await client.listTools()).tools
      }),
      () => close
    ).pipe(
      Effect.catchCause((cause) =>
        Effect.flatMap(log.lines, (lines) =>
          Effect.die(new Error(`cannot connect: ${Cause.pretty(cause)}\nstderr:\n${lines.join("\n")}`))
        )
      )
    )
    return {
      call: (name, args) =>
        Effect.tryPromise({
          try: (signal) =>
            client.callTool({ name, ...(args === undefined ? {} : { arguments: args }) }, undefined, {
              signal,
              timeout: 90_000
            }),
          catch: callFailed
        }).pipe(Effect.map((result) => toAnswer(CallToolResultSchema.parse(result)))),
      tools,
      client,
      log,
      pid: transport.pid ?? -1,
      protocolErrors: () => errors,
      close,
      exited: Deferred.await(exited)
    }
  })

/** The structured content of an answer as a wire schema's type; extra or missing fields are defects. */
export const decodeAnswer = <S extends Schema.Codec<unknown, unknown>>(schema: S, answer: ToolAnswer): S["Type"] =>
  Schema.decodeUnknownSync(schema, { onExcessProperty: "error", errors: "all" })(answer.json)
