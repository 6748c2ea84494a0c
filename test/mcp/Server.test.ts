import { Client } from "@modelcontextprotocol/sdk/client/index.js"
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js"
import { ReadBuffer, serializeMessage } from "@modelcontextprotocol/sdk/shared/stdio.js"
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Ref } from "effect"
import type { PassThrough } from "node:stream"
import { HostNotFound } from "../../src/fleet/errors.ts"
import { RUN_RESULT, scripted } from "./ScriptedOrchestrator.ts"
import { INITIALIZE, initializedSession, openSession, type Session } from "./Session.ts"

/** The client's end of a pair of streams. */
class StreamsTransport implements Transport {
  onclose?: (() => void) | undefined
  onerror?: ((error: Error) => void) | undefined
  onmessage?: Transport["onmessage"]
  readonly #buffer = new ReadBuffer()
  readonly #from: PassThrough
  readonly #to: PassThrough

  constructor(from: PassThrough, to: PassThrough) {
    this.#from = from
    this.#to = to
  }

  start(): Promise<void> {
    this.#from.on("data", (chunk: Buffer) => {
      this.#buffer.append(chunk)
      for (let message = this.#buffer.readMessage(); message !== null; message = this.#buffer.readMessage()) {
        this.onmessage?.(message)
      }
    })
    return Promise.resolve()
  }

  send(message: Parameters<Transport["send"]>[0]): Promise<void> {
    this.#to.write(serializeMessage(message))
    return Promise.resolve()
  }

  close(): Promise<void> {
    this.#to.end()
    this.onclose?.()
    return Promise.resolve()
  }
}

const connect = (session: Session) =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const client = new Client({ name: "test \u001b[31mclient", version: "1" })
      await client.connect(new StreamsTransport(session.output, session.input))
      return client
    }),
    (client) => Effect.promise(() => client.close())
  )

const callRun = (id: number) => ({
  jsonrpc: "2.0",
  id,
  method: "tools/call",
  params: { name: "ssh_run", arguments: { alias: "web1", command: "sleep 60" } }
})

describe("serveStreams", () => {
  it.live(
    "answers a real client: names itself, lists the tools, calls one, and hides control characters of its name",
    () =>
      Effect.gen(function* () {
        const clients = yield* Ref.make<ReadonlyArray<unknown>>([])
        const session = yield* openSession(
          scripted({
            run: ({ client }) =>
              Effect.as(
                Ref.update(clients, (names) => [...names, client]),
                RUN_RESULT
              )
          })
        )
        const client = yield* connect(session)
        assert.deepInclude(client.getServerVersion(), { name: "mcp-ssh-orchestrator", title: "SSH Orchestrator" })
        assert.deepStrictEqual(client.getServerCapabilities(), {
          tools: {},
          resources: { subscribe: true, listChanged: true },
          prompts: {},
          completions: {},
          logging: {},
          tasks: { list: {}, cancel: {}, requests: { tools: { call: {} } } }
        })
        assert.include(client.getInstructions(), "ssh_list_hosts")
        const { tools } = yield* Effect.promise(() => client.listTools())
        assert.lengthOf(tools, 13)
        const answer = yield* Effect.promise(() =>
          client.callTool({ name: "ssh_run", arguments: { alias: "web1", command: "uptime" } })
        )
        assert.deepStrictEqual(answer["structuredContent"], RUN_RESULT)
        assert.deepStrictEqual(answer["content"], [{ type: "text", text: JSON.stringify(RUN_RESULT) }])
        assert.deepStrictEqual(yield* Ref.get(clients), ["mcp:test ?[31mclient"])
      })
  )

  it.live("answers an error without a result as one text", () =>
    Effect.gen(function* () {
      const session = yield* openSession(scripted({ run: ({ alias }) => Effect.fail(new HostNotFound({ alias })) }))
      const client = yield* connect(session)
      const answer = yield* Effect.promise(() =>
        client.callTool({ name: "ssh_run", arguments: { alias: "web9", command: "uptime" } })
      )
      assert.deepStrictEqual(answer, {
        content: [{ type: "text", text: "Error: Host alias not found: web9. Call ssh_list_hosts to see the aliases." }],
        isError: true
      })
    })
  )

  it.live("interrupts the call that the client cancels, does not answer it, and goes on", () =>
    Effect.gen(function* () {
      const started = yield* Deferred.make<void>()
      const stopped = yield* Deferred.make<void>()
      const session = yield* initializedSession(
        scripted({
          run: () =>
            Effect.andThen(Deferred.succeed(started, undefined), Effect.never).pipe(
              Effect.onInterrupt(() => Deferred.succeed(stopped, undefined))
            )
        })
      )
      yield* session.send(callRun(7))
      yield* Deferred.await(started)
      yield* session.send({ jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: 7 } })
      yield* Deferred.await(stopped)
      yield* session.send({ jsonrpc: "2.0", id: 8, method: "ping" })
      assert.strictEqual((yield* session.receive).id, 8)
      assert.strictEqual(yield* session.waiting, 0)
    })
  )

  it.live("interrupts calls in flight when the input ends, and returns after their finalizers", () =>
    Effect.gen(function* () {
      const started = yield* Deferred.make<void>()
      const stopped = yield* Ref.make(false)
      const session = yield* initializedSession(
        scripted({
          run: () =>
            Effect.andThen(Deferred.succeed(started, undefined), Effect.never).pipe(
              Effect.onInterrupt(() => Effect.andThen(Effect.yieldNow, Ref.set(stopped, true)))
            )
        })
      )
      yield* session.send(callRun(1))
      yield* Deferred.await(started)
      yield* Effect.sync(() => session.input.end())
      yield* session.ended
      assert.isTrue(yield* Ref.get(stopped))
    })
  )

  it.live("answers what was asked before the input ended", () =>
    Effect.gen(function* () {
      const session = yield* openSession(scripted({ run: () => Effect.succeed(RUN_RESULT) }))
      yield* session.send(INITIALIZE)
      yield* session.send({ jsonrpc: "2.0", id: 2, method: "tools/list" })
      // The last line has no newline, as from `printf`.
      yield* session.write(JSON.stringify(callRun(3)))
      yield* Effect.sync(() => session.input.end())
      const replies = [yield* session.receive, yield* session.receive, yield* session.receive]
      assert.sameMembers(
        replies.map(({ id }) => id),
        [INITIALIZE.id, 2, 3]
      )
      yield* session.ended
    })
  )

  it.live("returns when nobody reads its answers any more", () =>
    Effect.gen(function* () {
      const session = yield* initializedSession(scripted({}))
      yield* Effect.sync(() => session.output.destroy(new Error("EPIPE")))
      yield* session.ended
    })
  )

  it.live("answers a defect without its details", () =>
    Effect.gen(function* () {
      const session = yield* initializedSession(scripted({ run: () => Effect.die(new Error("secret detail")) }))
      yield* session.send(callRun(1))
      const { method, params } = yield* session.receive
      assert.strictEqual(method, "notifications/message")
      assert.deepStrictEqual(params, {
        level: "error",
        logger: "mcp-ssh-orchestrator",
        data: { event: "mcp.call.defect", tool: "ssh_run" }
      })
      const { result } = yield* session.receive
      assert.isTrue(result?.["isError"])
      assert.include(JSON.stringify(result), "Internal error")
      assert.notInclude(JSON.stringify(result), "secret")
    })
  )

  it.live("refuses every request before initialize but ping, and reaches nothing", () =>
    Effect.gen(function* () {
      const session = yield* openSession(scripted({}))
      for (const method of ["tools/list", "tools/call", "resources/list", "tasks/list", "logging/setLevel", "nope"]) {
        yield* session.send({ ...callRun(1), method })
        const { error, id } = yield* session.receive
        assert.deepStrictEqual([id, error?.code], [1, -32600], method)
      }
      yield* session.send({ jsonrpc: "2.0", id: 2, method: "ping" })
      assert.deepStrictEqual((yield* session.receive).result, {})
    })
  )

  it.live("answers a request that ends in a defect without its details", () =>
    Effect.gen(function* () {
      const session = yield* initializedSession(
        scripted({ listTaskDetails: () => Effect.die(new Error("secret detail")) })
      )
      yield* session.send({ jsonrpc: "2.0", id: 1, method: "tasks/list" })
      const { error } = yield* session.receive
      assert.strictEqual(error?.code, -32603)
      assert.notInclude(error?.message, "secret")
    })
  )

  it.live("refuses a request whose id is still in use", () =>
    Effect.gen(function* () {
      const session = yield* initializedSession(scripted({ run: () => Effect.never }))
      yield* session.send(callRun(1))
      yield* session.send(callRun(1))
      const { error, id } = yield* session.receive
      assert.deepStrictEqual([id, error?.code], [1, -32600])
    })
  )

  it.live("stops when it is interrupted", () =>
    Effect.gen(function* () {
      const exit = yield* Effect.scoped(
        Effect.gen(function* () {
          const session = yield* initializedSession(scripted({ run: () => Effect.never }))
          yield* session.send(callRun(1))
          return session
        })
      ).pipe(
        Effect.flatMap(({ ended }) => ended),
        Effect.exit
      )
      assert.isTrue(Exit.isSuccess(exit))
    })
  )
})
