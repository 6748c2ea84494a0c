/**
 * Reads the output of one command as a task does, in a process of its own, and prints what it took as a line of JSON.
 * Arguments: a JSON object with the members of `Order`.
 */
import { NodeFileSystem } from "@effect/platform-node"
import { Duration, Effect, Layer, Redacted, Stream } from "effect"
import { Ssh2Transport } from "../../../src/ssh/ssh2/Ssh2Transport.ts"
import { Target } from "../../../src/ssh/Target.ts"
import { Transport } from "../../../src/ssh/Transport.ts"
import { makeTaskOutput } from "../../../src/task/TaskOutput.ts"

/** What to run where. */
export interface Order {
  readonly port: number
  readonly user: string
  readonly pem: string
  readonly knownHosts: string
  readonly command: string
  /** Bytes of output that are kept. */
  readonly limit: number
}

/** What it took: bytes that came, bytes kept, and the process's memory before and at most. */
export interface Taken {
  readonly bytes: number
  readonly kept: number
  readonly idleRss: number
  readonly peakRss: number
  readonly seconds: number
}

const order = JSON.parse(process.argv[2] ?? "{}") as Order
const target = new Target({
  alias: "flood",
  hostname: "127.0.0.1",
  address: "127.0.0.1",
  port: order.port,
  login: { username: order.user, key: { pem: Redacted.make(order.pem) }, digest: "flood" },
  hostKeys: { paths: [order.knownHosts], digest: "flood" }
})

const program = Effect.gen(function* () {
  const transport = yield* Transport
  const connection = yield* transport.connect(target, Duration.seconds(20))
  const output = yield* makeTaskOutput(order.limit)
  let bytes = 0
  let peakRss = 0
  const sample = () => {
    peakRss = Math.max(peakRss, process.memoryUsage.rss())
  }
  const run = (command: string) =>
    Effect.scoped(
      Effect.gen(function* () {
        const channel = yield* connection.exec(command)
        yield* Stream.runForEach(channel.output, (chunk) => {
          bytes += chunk.bytes.length
          return output.append(chunk)
        })
        return yield* channel.exit
      })
    )
  yield* run("true")
  const idleRss = process.memoryUsage.rss()
  const timer = setInterval(sample, 10)
  const [elapsed] = yield* Effect.timed(run(order.command))
  clearInterval(timer)
  sample()
  const taken: Taken = { bytes, kept: yield* output.kept, idleRss, peakRss, seconds: Duration.toSeconds(elapsed) }
  process.stdout.write(`${JSON.stringify(taken)}\n`)
})

await Effect.runPromise(
  program.pipe(Effect.scoped, Effect.provide(Ssh2Transport.layer.pipe(Layer.provide(NodeFileSystem.layer))))
)
