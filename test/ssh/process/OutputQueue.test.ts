import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { makeOutputQueue } from "../../../src/ssh/process/OutputQueue.ts"

const Arrivals = Schema.Array(
  Schema.Struct({ stream: Schema.Literals(["stdout", "stderr"]), size: Schema.Natural, reads: Schema.Natural })
)

/** Everything that waits, as stream and text. */
const drain = (queue: ReturnType<typeof makeOutputQueue>) => {
  const got: Array<{ readonly stream: string; readonly text: string }> = []
  for (let chunk = queue.take(); chunk !== undefined; chunk = queue.take()) {
    got.push({ stream: chunk.stream, text: Buffer.from(chunk.bytes).toString("latin1") })
  }
  return got
}

describe("the output queue", () => {
  it.effect.prop(
    "gives both streams' bytes back in the order of their arrival, none lost, also when read in between",
    { arrivals: Arrivals },
    ({ arrivals }) =>
      Effect.sync(() => {
        const queue = makeOutputQueue()
        const sent: Array<string> = []
        const got: Array<string> = []
        const read = () => {
          const chunk = queue.take()
          if (chunk !== undefined) got.push(...Array.from(chunk.bytes, (byte) => `${chunk.stream}${byte}`))
          return chunk !== undefined
        }
        let waiting = 0
        for (const [index, { reads, size, stream }] of arrivals.entries()) {
          const bytes = Buffer.alloc(size % 20_000, index)
          queue.add(stream, bytes)
          waiting += bytes.length
          sent.push(...Array.from(bytes, (byte) => `${stream}${byte}`))
          assert.strictEqual(queue.size(), waiting)
          if (reads % 3 === 0) {
            const before = got.length
            read()
            waiting -= got.length - before
          }
        }
        while (read());
        assert.strictEqual(queue.size(), 0)
        assert.strictEqual(got.join(), sent.join())
      }),
    { arbitrary: { runs: 50 } }
  )

  it("never changes a buffer that it handed out or that it was given", () => {
    const queue = makeOutputQueue()
    const given = Buffer.from("first")
    queue.add("stdout", given)
    queue.add("stdout", Buffer.from(" second"))
    const out = queue.take()
    queue.add("stdout", Buffer.from(" third"))
    assert.strictEqual(given.toString(), "first")
    assert.strictEqual(Buffer.from(out?.bytes ?? []).toString(), "first second")
    assert.deepStrictEqual(drain(queue), [{ stream: "stdout", text: " third" }])
  })

  it("holds a flood of single bytes in few pieces: by streams in order, between streams exactly for 1024 pieces", () => {
    const queue = makeOutputQueue()
    const sent = { stdout: "", stderr: "" }
    for (let at = 0; at < 200_000; at++) {
      const stream = at % 2 === 0 ? "stdout" : "stderr"
      const byte = String.fromCharCode(33 + (at % 89))
      sent[stream] += byte
      queue.add(stream, Buffer.from(byte, "latin1"))
    }
    assert.strictEqual(queue.size(), 200_000)
    const got = drain(queue)
    assert.isBelow(got.length, 1024 + 200_000 / (16 * 1024) + 3)
    for (const stream of ["stdout", "stderr"] as const) {
      const text = got.filter((piece) => piece.stream === stream).map((piece) => piece.text)
      assert.strictEqual(text.join(""), sent[stream])
    }
    assert.isTrue(got.slice(0, 1000).every(({ stream }, at) => stream === (at % 2 === 0 ? "stdout" : "stderr")))
  })

  it("hands large pieces on without copying them", () => {
    const queue = makeOutputQueue()
    const large = [Buffer.alloc(32 * 1024, 1), Buffer.alloc(32 * 1024, 2)]
    for (const bytes of large) queue.add("stdout", bytes)
    assert.strictEqual(queue.take()?.bytes, large[0])
    assert.strictEqual(queue.take()?.bytes, large[1])
  })
})
