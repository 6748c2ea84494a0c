import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { PassThrough } from "node:stream"
import { makeOutputQueue } from "../../src/ssh/OutputQueue.ts"

const Arrivals = Schema.Array(Schema.Struct({ stream: Schema.Literals(["stdout", "stderr"]), size: Schema.Natural }))

describe("the output queue", () => {
  it.effect.prop(
    "gives both streams' bytes back in the order of their arrival, none lost",
    { arrivals: Arrivals },
    ({ arrivals }) =>
      Effect.sync(() => {
        const streams = {
          stdout: new PassThrough({ highWaterMark: 2 ** 21 }),
          stderr: new PassThrough({ highWaterMark: 2 ** 21 })
        }
        const queue = makeOutputQueue(streams)
        const sent: Array<string> = []
        for (const [index, { size, stream }] of arrivals.entries()) {
          const bytes = Buffer.alloc(size % 20_000, index)
          streams[stream].push(bytes)
          queue.arrived(stream, bytes.length)
          sent.push(...Array.from(bytes, (byte) => `${stream}${byte}`))
        }
        const got: Array<string> = []
        for (let chunk = queue.take(); chunk !== undefined; chunk = queue.take()) {
          const { bytes, stream } = chunk
          got.push(...Array.from(bytes, (byte) => `${stream}${byte}`))
        }
        assert.strictEqual(got.join(), sent.join())
      }),
    { arbitrary: { runs: 50 } }
  )
})
