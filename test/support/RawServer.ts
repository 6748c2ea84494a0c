import { NodeStream } from "@effect/platform-node"
import { Cause, Deferred, Duration, Effect, Option, Queue, Ref, type Scope, Stream } from "effect"
import { spawn } from "node:child_process"
import { binaryPath } from "./Binary.ts"
import { collectLogRecords, type LogRecords } from "./LogRecords.ts"

/** How the server process ended. */
export interface ProcessEnd {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** The binary as a bare process: its lines, its end. For what a well-behaved client hides. */
export interface RawServer {
  readonly pid: number
  /** Writes bytes as they are. */
  readonly write: (bytes: string | Uint8Array) => Effect.Effect<void>
  /** Writes one JSON message as a line. */
  readonly send: (message: unknown) => Effect.Effect<void>
  /** The next line of stdout, parsed; waited for at most fifteen seconds. */
  readonly receive: Effect.Effect<{ readonly [key: string]: unknown }>
  /** Sends a request and reads until its answer; what comes before is dropped. */
  readonly request: (method: string, params?: unknown) => Effect.Effect<{ readonly [key: string]: unknown }>
  /** Every line of stdout so far. */
  readonly lines: Effect.Effect<ReadonlyArray<string>>
  /** Ends its stdin. */
  readonly endInput: Effect.Effect<void>
  readonly kill: (signal: NodeJS.Signals) => Effect.Effect<void>
  readonly exited: Effect.Effect<ProcessEnd>
  readonly log: LogRecords
}

/** The parameters of a usual `initialize`. */
export const INITIALIZE = {
  protocolVersion: "2025-11-25",
  capabilities: {},
  clientInfo: { name: "e2e-raw", version: "1.0.0" }
}

/** Starts the binary with pipes; killed with the scope. */
export const startRawServer = (options: {
  readonly environment?: Record<string, string>
  readonly args?: ReadonlyArray<string>
}): Effect.Effect<RawServer, never, Scope.Scope> =>
  Effect.gen(function* () {
    const ended = yield* Deferred.make<ProcessEnd>()
    const child = yield* Effect.acquireRelease(
      Effect.sync(() => {
        const started = spawn(process.execPath, [binaryPath(), ...(options.args ?? [])], {
          env: { PATH: process.env["PATH"] ?? "", ...options.environment },
          stdio: ["pipe", "pipe", "pipe"]
        })
        started.on("exit", (code, signal) => Deferred.doneUnsafe(ended, Effect.succeed({ code, signal })))
        started.stdin.on("error", () => undefined)
        return started
      }),
      (started) =>
        Effect.andThen(
          Effect.sync(() => started.kill("SIGKILL")),
          Deferred.await(ended)
        )
    )
    const log = yield* collectLogRecords(child.stderr)
    const seen = yield* Ref.make<ReadonlyArray<string>>([])
    const queue = yield* Queue.make<string, Cause.Done>()
    yield* NodeStream.fromReadable<Uint8Array>({ evaluate: () => child.stdout }).pipe(
      Stream.decodeText(),
      Stream.splitLines,
      Stream.runForEach((line) =>
        Effect.andThen(
          Ref.update(seen, (lines) => [...lines, line]),
          Queue.offer(queue, line)
        )
      ),
      Effect.ignore,
      Effect.andThen(Queue.end(queue)),
      Effect.forkScoped({ startImmediately: true })
    )
    const write = (bytes: string | Uint8Array) =>
      Effect.callback<void>((resume) => {
        child.stdin.write(bytes, () => resume(Effect.void))
      })
    const send = (message: unknown) => write(`${JSON.stringify(message)}\n`)
    const receive = Queue.take(queue).pipe(
      Effect.timeoutOption(Duration.seconds(15)),
      Effect.flatMap(
        Option.match({
          onNone: () => Effect.die(new Error("no answer on stdout within 15 s")),
          onSome: (line) => Effect.sync((): { readonly [key: string]: unknown } => JSON.parse(line))
        })
      ),
      Effect.orDie
    )
    const ids = yield* Ref.make(1000)
    const answerTo = (id: number): Effect.Effect<{ readonly [key: string]: unknown }> =>
      Effect.filterOrElse(
        receive,
        (message) => message["id"] === id,
        () => answerTo(id)
      )
    return {
      pid: child.pid ?? -1,
      write,
      send,
      receive,
      request: (method, params) =>
        Effect.gen(function* () {
          const id = yield* Ref.updateAndGet(ids, (n) => n + 1)
          yield* send({ jsonrpc: "2.0", id, method, ...(params === undefined ? {} : { params }) })
          return yield* answerTo(id)
        }),
      lines: Ref.get(seen),
      endInput: Effect.sync(() => child.stdin.end()),
      kill: (signal) => Effect.sync(() => child.kill(signal)),
      exited: Deferred.await(ended),
      log
    }
  })

/** Starts the binary and goes through the handshake. */
export const startInitializedServer = (options: Parameters<typeof startRawServer>[0]) =>
  Effect.gen(function* () {
    const server = yield* startRawServer(options)
    yield* server.request("initialize", INITIALIZE)
    yield* server.send({ jsonrpc: "2.0", method: "notifications/initialized" })
    return server
  })
