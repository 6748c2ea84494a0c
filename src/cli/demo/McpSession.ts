import { Client } from "@modelcontextprotocol/sdk/client/index.js"
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js"
import type { Scope } from "effect"
import { Effect, Schema } from "effect"

/** The server did not answer as a server does. */
export class McpSessionFailed extends Schema.TaggedError<McpSessionFailed>()("McpSessionFailed", {
  call: Schema.String,
  cause: Schema.Defect(),
  /** The end of what the server wrote to stderr; "" when that is not known. */
  log: Schema.String
}) {
  override get message(): string {
    return [`${this.call} failed: ${String(this.cause)}`, this.log].filter(Boolean).join("\n")
  }
}

/** What a tool call came to: the structured content, or the text of an error without one. */
export interface ToolAnswer {
  readonly isError: boolean
  readonly content: Readonly<Record<string, unknown>>
}

/** A real MCP client connected to a server process of its own over stdio. Both end with the scope. */
export interface McpSession {
  readonly serverName: string
  readonly tools: Effect.Effect<ReadonlyArray<string>, McpSessionFailed>
  readonly call: (name: string, input: Readonly<Record<string, unknown>>) => Effect.Effect<ToolAnswer, McpSessionFailed>
  /** The records that the server has written to stderr so far; a line that is not JSON is `{ text }`. */
  readonly log: Effect.Effect<ReadonlyArray<Readonly<Record<string, unknown>>>>
  /** Ends the session and succeeds with whether the server process is gone. */
  readonly close: Effect.Effect<boolean>
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const parseRecord = (line: string): Readonly<Record<string, unknown>> => {
  try {
    const value: unknown = JSON.parse(line)
    return isRecord(value) ? value : { text: line }
  } catch {
    return { text: line }
  }
}

const processLives = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

/** Characters of the server's log that a failure carries. */
const LOG_TAIL = 2000

const attempt = <A>(call: string, run: () => Promise<A>, log: () => string = () => "") =>
  Effect.tryPromise({ try: run, catch: (cause) => new McpSessionFailed({ call, cause, log: log().slice(-LOG_TAIL) }) })

const toAnswer = (result: Awaited<ReturnType<Client["callTool"]>>): ToolAnswer => {
  const text = Array.isArray(result.content)
    ? result.content
        .map((item: unknown) => (isRecord(item) && typeof item["text"] === "string" ? item["text"] : ""))
        .join("\n")
    : ""
  return {
    isError: result.isError === true,
    content: isRecord(result.structuredContent) ? result.structuredContent : { text }
  }
}

/** Starts this very program as a server (`process.argv[1]`) with these arguments and initializes a session with it. */
export const openSession = Effect.fn("McpSession.open")(function* (
  args: ReadonlyArray<string>
): Effect.fn.Return<McpSession, McpSessionFailed, Scope.Scope> {
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [process.argv[1] ?? "", ...args],
    stderr: "pipe"
  })
  const client = new Client({ name: "demo", version: "1.0.0" })
  let log = ""
  transport.stderr?.on("data", (chunk: Buffer) => {
    log += chunk.toString("utf8")
  })
  yield* Effect.acquireRelease(
    attempt(
      "initialize",
      () => client.connect(transport),
      () => log
    ),
    () => Effect.ignore(attempt("close", () => client.close()))
  )
  const { pid } = transport
  return {
    serverName: `${client.getServerVersion()?.name ?? "?"} ${client.getServerVersion()?.version ?? ""}`,
    tools: Effect.map(
      attempt("tools/list", () => client.listTools()),
      (list) => list.tools.map((tool) => tool.name)
    ),
    call: (name, input) =>
      Effect.map(
        attempt(name, () => client.callTool({ name, arguments: input })),
        toAnswer
      ),
    log: Effect.sync(() => log.split("\n").filter(Boolean).map(parseRecord)),
    close: Effect.andThen(
      Effect.ignore(attempt("close", () => client.close())),
      Effect.sync(() => pid === null || !processLives(pid))
    )
  }
})
