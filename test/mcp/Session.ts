import { Deferred, Effect, type Layer, Logger, Queue, type Scope } from "effect"
import { PassThrough } from "node:stream"
import { serveStreams } from "../../src/mcp/Server.ts"
import { Orchestrator } from "../../src/Orchestrator.ts"

/** A message of the server, parsed. */
export interface Reply {
  readonly id?: unknown
  readonly error?: { readonly code: number; readonly message: string }
  readonly result?: { readonly [key: string]: unknown }
  /** Of a notification. */
  readonly method?: string
  readonly params?: { readonly [key: string]: unknown }
}

/** A server on a pair of streams in this process. */
export interface Session {
  readonly input: PassThrough
  readonly output: PassThrough
  /** Writes bytes as they are. */
  readonly write: (bytes: string | Uint8Array) => Effect.Effect<void>
  /** Writes a message as a line. */
  readonly send: (message: unknown) => Effect.Effect<void>
  /** The next message of the server. */
  readonly receive: Effect.Effect<Reply>
  /** Messages that came and were not received yet. */
  readonly waiting: Effect.Effect<number>
  /** Returns once the server returned. */
  readonly ended: Effect.Effect<void>
}

/** The request that begins a session. */
export const INITIALIZE = {
  jsonrpc: "2.0",
  id: "initialize",
  method: "initialize",
  params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "raw", version: "1" } }
}

/** Serves on a fresh pair of streams until the scope closes. */
export const openSession = (orchestrator: Layer.Layer<Orchestrator>): Effect.Effect<Session, never, Scope.Scope> =>
  Effect.gen(function* () {
    const input = new PassThrough()
    const output = new PassThrough()
    const replies = yield* Queue.unbounded<Reply>()
    let text = ""
    output.on("data", (chunk: Buffer) => {
      const lines = (text + chunk.toString()).split("\n")
      text = lines.pop() ?? ""
      for (const line of lines) Queue.offerUnsafe(replies, JSON.parse(line))
    })
    const ended = yield* Deferred.make<void>()
    yield* serveStreams({ input, output }, orchestrator).pipe(
      Effect.provide(Logger.layer([])),
      Effect.ensuring(Deferred.succeed(ended, undefined)),
      Effect.forkScoped({ startImmediately: true })
    )
    const write = (bytes: string | Uint8Array) => Effect.sync(() => void input.write(bytes))
    return {
      input,
      output,
      write,
      send: (message) => write(`${JSON.stringify(message)}\n`),
      receive: Queue.take(replies),
      waiting: Queue.size(replies),
      ended: Deferred.await(ended)
    }
  })

/** `openSession`, and the handshake done. */
export const initializedSession = Effect.fnUntraced(function* (orchestrator: Layer.Layer<Orchestrator>) {
  const session = yield* openSession(orchestrator)
  yield* session.send(INITIALIZE)
  yield* session.receive
  yield* session.send({ jsonrpc: "2.0", method: "notifications/initialized" })
  return session
})
