import { Client } from "@modelcontextprotocol/sdk/client/index.js"
import { InMemoryTransport } from "@modelcontextprotocol/sdk/inMemory.js"
import { CallToolResultSchema } from "@modelcontextprotocol/sdk/types.js"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer } from "effect"
import { PRODUCT } from "../../../src/mcp/ProductCatalogue.ts"
import { serve } from "../../../src/mcp/Server.ts"
import { openFleet } from "../resources/SpeakingHosts.ts"
import { FILES, RUN } from "./TaskFleet.ts"

const connect = Effect.gen(function* () {
  const { context, hosts } = yield* openFleet(FILES)
  const [here, there] = InMemoryTransport.createLinkedPair()
  yield* serve(there, Layer.succeedContext(context), PRODUCT).pipe(Effect.forkScoped({ startImmediately: true }))
  const client = yield* Effect.acquireRelease(
    Effect.promise(async () => {
      const opened = new Client({ name: "sdk", version: "1" })
      await opened.connect(here)
      // Learns which tools can become tasks.
      await opened.listTools()
      return opened
    }),
    (opened) => Effect.promise(() => opened.close())
  )
  return { tasks: client.experimental.tasks, hosts }
})

/** Everything that a streamed call gives, in its order. */
const messagesOf = async (tasks: Client["experimental"]["tasks"], params: typeof RUN) => {
  const messages: Array<unknown> = []
  for await (const message of tasks.callToolStream(params, CallToolResultSchema, { task: { ttl: 60_000 } })) {
    messages.push(message)
  }
  return messages
}

const typesOf = (messages: ReadonlyArray<unknown>) => messages.map((message) => Reflect.get(Object(message), "type"))

describe("the SDK's own client", () => {
  it.live("streams a call as a task from its creation to its result", () =>
    Effect.gen(function* () {
      const { hosts, tasks } = yield* connect
      const call = yield* Effect.forkChild(
        Effect.promise(() => messagesOf(tasks, RUN)),
        { startImmediately: true }
      )
      const remote = yield* hosts.next
      yield* remote.print("up 3 days\n")
      yield* remote.end
      const messages = yield* Fiber.join(call)
      assert.strictEqual(typesOf(messages)[0], "taskCreated")
      assert.strictEqual(typesOf(messages).at(-1), "result")
      assert.nestedPropertyVal(messages.at(-1), "result.structuredContent.output", "up 3 days\n")
    })
  )

  it.live("is told why a call was denied: as the task's status, and as its result", () =>
    Effect.gen(function* () {
      const { tasks } = yield* connect
      const denied = { ...RUN, arguments: { alias: "web-1", command: "reboot" } }
      const messages = yield* Effect.promise(() => messagesOf(tasks, denied))
      const task: unknown = Reflect.get(Object(messages[0]), "task")
      assert.deepInclude(task, { status: "failed" })
      const taskId = String(Reflect.get(Object(task), "taskId"))
      const result = yield* Effect.promise(() => tasks.getTaskResult(taskId, CallToolResultSchema))
      assert.isTrue(result.isError)
      assert.nestedPropertyVal(result, "structuredContent.status", "denied")
    })
  )

  it.live("lists tasks and cancels one", () =>
    Effect.gen(function* () {
      const { hosts, tasks } = yield* connect
      const call = yield* Effect.forkChild(
        Effect.promise(() => messagesOf(tasks, RUN)),
        { startImmediately: true }
      )
      yield* hosts.next
      const [task] = (yield* Effect.promise(() => tasks.listTasks())).tasks
      assert.strictEqual(task?.status, "working")
      const cancelled = yield* Effect.promise(() => tasks.cancelTask(task?.taskId ?? ""))
      assert.strictEqual(cancelled.status, "cancelled")
      const messages = yield* Fiber.join(call)
      assert.strictEqual(typesOf(messages).at(-1), "error")
    })
  )
})
