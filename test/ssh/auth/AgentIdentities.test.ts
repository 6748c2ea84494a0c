import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { PassThrough } from "node:stream"
import { wireString } from "../../../src/config/SshWire.ts"
import { listIdentities, parseIdentities } from "../../../src/ssh/auth/AgentIdentities.ts"

const ANSWER = 12

const message = (blobs: ReadonlyArray<Uint8Array>, count = blobs.length, type = ANSWER): Buffer => {
  const head = Buffer.alloc(5)
  head[0] = type
  head.writeUInt32BE(count, 1)
  return Buffer.concat([head, ...blobs.flatMap((blob) => [wireString(blob), wireString("comment")])])
}

const bytes = (text: string) => new Uint8Array(Buffer.from(text))

describe("the keys that an agent lists", () => {
  const Blobs = Schema.Array(Schema.Uint8Array)

  it.prop("are those that were written", [Blobs], ([blobs]) => {
    const read = parseIdentities(message(blobs))
    assert.deepStrictEqual(
      read?.map((blob) => [...blob]),
      blobs.map((blob) => [...blob])
    )
  })

  it.prop("are none in any other bytes, or nothing at all", [Schema.Uint8Array], ([anything]) => {
    const read = parseIdentities(anything)
    assert.isTrue(read === undefined || anything[0] === ANSWER)
  })

  const rows: ReadonlyArray<readonly [name: string, message: Buffer]> = [
    ["another answer", message([bytes("key")], 1, 5)],
    ["fewer keys than it says", message([bytes("key")], 2)],
    ["a count that no memory holds", message([bytes("key")], 0xffff_ffff)],
    ["more keys than it says", message([bytes("key"), bytes("key")], 1)],
    ["a cut answer", message([bytes("key")]).subarray(0, -1)],
    ["an empty answer", Buffer.alloc(0)]
  ]
  it.each(rows)("are not there in %s", (_, answer) => assert.isUndefined(parseIdentities(answer)))

  /** An agent that writes these pieces once it is asked, and what came of it. */
  const ask = (pieces: ReadonlyArray<Uint8Array>) => {
    const stream = new PassThrough({ allowHalfOpen: false })
    stream.write = () => {
      for (const piece of pieces) stream.push(piece)
      stream.push(null)
      return true
    }
    return Effect.map(Effect.result(listIdentities(stream)), (result) => ({ result, stream }))
  }

  it.effect("are read from an answer in any pieces, and the stream is ended", () =>
    Effect.gen(function* () {
      const framed = Buffer.from(wireString(message([bytes("one"), bytes("two")])))
      for (const size of [1, 3, 4, 5, framed.length]) {
        const pieces = Array.from({ length: Math.ceil(framed.length / size) }, (_, index) =>
          framed.subarray(index * size, (index + 1) * size)
        )
        const { result, stream } = yield* ask(pieces)
        assert.strictEqual(result._tag, "Success")
        assert.isTrue(stream.destroyed)
      }
    })
  )

  it.effect("are given up when the answer is longer than any agent's, is none, or is cut", () =>
    Effect.gen(function* () {
      const answers = [bytes("HTTP/1.1 400 Bad Request"), wireString("nonsense"), bytes("\0\0"), Buffer.alloc(0)]
      for (const answer of answers) {
        const { result, stream } = yield* ask([answer])
        assert.strictEqual(result._tag, "Failure")
        assert.isTrue(stream.destroyed)
      }
    })
  )
})
