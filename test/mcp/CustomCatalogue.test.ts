import { Client } from "@modelcontextprotocol/sdk/client/index.js"
import { InMemoryTransport } from "@modelcontextprotocol/sdk/inMemory.js"
import { LoggingMessageNotificationSchema, ResultSchema } from "@modelcontextprotocol/sdk/types.js"
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import type { Catalogue } from "../../src/mcp/Catalogue.ts"
import { LogLevel } from "../../src/mcp/requests/Logging.ts"
import { serve } from "../../src/mcp/Server.ts"
import type { Tool, ToolResult } from "../../src/mcp/Tool.ts"

/** A service that the tools of the catalogue need. */
class Greeting extends Context.Service<Greeting, { readonly word: string }>()("test/Greeting") {}

const contentTool = (name: string, call: Tool<Greeting>["call"]): Tool<Greeting> => ({
  name,
  title: name,
  description: name,
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  inputSchema: () => ({ type: "object" }),
  outputSchema: () => ({ type: "object" }),
  call
})

const content = (...blocks: Extract<ToolResult, { readonly _tag: "Content" }>["content"]): ToolResult => ({
  _tag: "Content",
  content: blocks,
  isError: false
})

const TOOLS = [
  contentTool("greet", () =>
    Effect.map(Greeting, ({ word }) =>
      content({ type: "text", text: word }, { type: "image", data: "AAAA", mimeType: "image/png" })
    )
  ),
  contentTool("log", (_args, { notify }) =>
    Effect.as(
      Effect.forEach(
        LogLevel.literals,
        (level) => notify?.("notifications/message", { level, data: level }) ?? Effect.void
      ),
      content()
    )
  )
]

/** Two tools that answer with content, and nothing else: no resources, prompts or tasks. */
const CATALOGUE: Catalogue<Greeting> = {
  info: { name: "custom", title: "Custom", version: "1" },
  instructions: "Greet.",
  listTools: () => TOOLS.map(({ description, name }) => ({ name, description, inputSchema: { type: "object" } })),
  findTool: (name) => TOOLS.find((tool) => tool.name === name),
  prompts: []
}

const connect = Effect.gen(function* () {
  const [here, there] = InMemoryTransport.createLinkedPair()
  yield* serve(there, Layer.succeed(Greeting, { word: "hello" }), CATALOGUE).pipe(
    Effect.forkScoped({ startImmediately: true })
  )
  return yield* Effect.acquireRelease(
    Effect.promise(async () => {
      const client = new Client({ name: "test", version: "1" })
      await client.connect(here)
      return client
    }),
    (client) => Effect.promise(() => client.close())
  )
})

const failureOf = (promise: () => Promise<unknown>) =>
  Effect.promise(() =>
    promise().then(
      () => undefined,
      (error: unknown) => Reflect.get(Object(error), "code") as unknown
    )
  )

describe("a catalogue of another kind", () => {
  it.live("is served over any transport, with the capabilities that follow from it", () =>
    Effect.gen(function* () {
      const client = yield* connect
      assert.deepStrictEqual(client.getServerCapabilities(), { tools: {}, logging: {} })
      assert.strictEqual(client.getInstructions(), "Greet.")
      const { tools } = yield* Effect.promise(() => client.listTools())
      assert.deepStrictEqual(
        tools.map(({ name }) => name),
        ["greet", "log"]
      )
      const answer = yield* Effect.promise(() => client.callTool({ name: "greet" }))
      assert.deepStrictEqual(answer, {
        content: [
          { type: "text", text: "hello" },
          { type: "image", data: "AAAA", mimeType: "image/png" }
        ],
        isError: false
      })
    })
  )

  it.live("has no methods for what it does not have, and ignores a task parameter", () =>
    Effect.gen(function* () {
      const client = yield* connect
      for (const method of ["resources/list", "prompts/list", "completion/complete", "tasks/list"]) {
        assert.strictEqual(yield* failureOf(() => client.request({ method }, ResultSchema)), -32601, method)
      }
      const params = { name: "greet", task: { ttl: 1 } }
      const answer: unknown = yield* Effect.promise(() =>
        client.request({ method: "tools/call", params }, ResultSchema)
      )
      assert.property(answer, "content")
    })
  )

  it.live("logs to the client what its level lets pass, and refuses an unknown level", () =>
    Effect.gen(function* () {
      const client = yield* connect
      const logged: Array<string> = []
      client.setNotificationHandler(LoggingMessageNotificationSchema, ({ params }) => {
        logged.push(params.level)
      })
      const logAll = Effect.promise(() => client.callTool({ name: "log" }))
      yield* logAll
      assert.deepStrictEqual(logged.splice(0), LogLevel.literals.slice(1))
      for (const [index, level] of LogLevel.literals.entries()) {
        yield* Effect.promise(() => client.setLoggingLevel(level))
        yield* logAll
        assert.deepStrictEqual(logged.splice(0), LogLevel.literals.slice(index), level)
      }
      const unknown = { method: "logging/setLevel", params: { level: "loud" } }
      assert.strictEqual(yield* failureOf(() => client.request(unknown, ResultSchema)), -32602)
    })
  )
})
