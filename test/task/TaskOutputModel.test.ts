import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { encodeLineCursor } from "../../src/task/LineCursor.ts"
import { makeTaskOutput } from "../../src/task/TaskOutput.ts"
import { MARK, NOTICE, readAll } from "./OutputReader.ts"

const between = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))

/** A run of like lines (or of fragments without a line feed), written in chunks of one size. */
const Burst = Schema.Struct({
  unit: Schema.Literals(["a", "é", "€", "😀"]),
  length: between(0, 300),
  feed: Schema.Boolean,
  times: between(1, 40),
  read: Schema.Boolean
})
const Limit = Schema.Literals([1, 2, 7, 64, 1000, 4096, 8191, 8192, 8193, 20_000, 65_536])
const Chunk = Schema.Literals([7, 100, 4095, 4096, 10_000])

interface Kept {
  readonly head: Buffer
  readonly tail: Buffer
}

/** What a window of `limit` bytes keeps of a text, computed from the whole text. */
const keep = (full: Buffer, limit: number): Kept => {
  if (full.length <= limit) return { head: full, tail: Buffer.alloc(0) }
  let headEnd = Math.floor(limit / 2)
  let tailStart = full.length - (limit - headEnd)
  while (headEnd > 0 && (full[headEnd]! & 0xc0) === 0x80) headEnd--
  while (tailStart < full.length && (full[tailStart]! & 0xc0) === 0x80) tailStart++
  return { head: full.subarray(0, headEnd), tail: full.subarray(tailStart) }
}

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i)

const lineFeeds = (bytes: Uint8Array) => bytes.reduce((count, byte) => count + (byte === 0x0a ? 1 : 0), 0)

/** Which lines of a text can be read when only `head` and `tail` of it were kept. */
const modelLines = (bytes: Buffer, head: Buffer, tail: Buffer) => {
  const cutLine = lineFeeds(head)
  const resumedLine = lineFeeds(bytes.subarray(0, bytes.length - tail.length))
  const headRest = head.length - (head.lastIndexOf(0x0a) + 1)
  const showsRest = headRest > 0 && (cutLine === 0 || headRest > 16_384)
  const whole = tail.length === 0 || bytes[bytes.length - tail.length - 1] === 0x0a
  const feed = tail.indexOf(0x0a)
  const hidesStart = !whole && feed !== -1 && feed < tail.length - 1 && feed <= 16_384
  const headLines = cutLine + (showsRest ? 1 : 0)
  return { cutLine, headLines, resumedLine, tailLine: Math.max(resumedLine + (hidesStart ? 1 : 0), headLines) }
}

describe("TaskOutput, against the whole text", () => {
  const options = { arbitrary: { runs: 60 } }

  it.effect.prop(
    "reading on while it is written gives every kept line once, in order, and accounts for the others",
    { bursts: Schema.Array(Burst), limit: Limit, chunk: Chunk, maxLines: Schema.Literals([1, 7, 1000]) },
    ({ bursts, chunk, limit, maxLines }) =>
      Effect.gen(function* () {
        const output = yield* makeTaskOutput(limit)
        let full = ""
        let at = 0
        let cursor = encodeLineCursor(0)
        const read = Effect.fnUntraced(function* () {
          const lines = full.split("\n")
          const { dropped, lines: got, page, cursor: next } = yield* readPages(cursor)
          let n = at
          for (const step of got) {
            n += step.dropped
            for (const line of step.lines) {
              const whole = lines[n++] ?? ""
              if (line.includes(MARK)) {
                const [before = "", after = ""] = line.split(`… ${MARK} …`)
                assert.isTrue(whole.startsWith(before) && whole.endsWith(after), `line ${n - 1}`)
              } else assert.strictEqual(line, whole, `line ${n - 1}`)
            }
          }
          assert.isAtLeast(dropped, 0)
          assert.strictEqual(n, page.total_lines)
          at = n
          cursor = next
        })
        const readPages = Effect.fnUntraced(function* (from: string) {
          const got: Array<{ dropped: number; lines: ReadonlyArray<string> }> = []
          let position = from
          let dropped = 0
          for (;;) {
            const page = yield* output.page({ maxLines, cursor: position })
            got.push({ dropped: page.dropped_lines, lines: page.output_lines })
            dropped += page.dropped_lines
            position = page.next_cursor
            if (!page.has_more) return { lines: got, dropped, page, cursor: position }
          }
        })
        for (const burst of bursts) {
          const text = (burst.unit.repeat(burst.length) + (burst.feed ? "\n" : "")).repeat(burst.times)
          const bytes = Buffer.from(text)
          full += text
          for (let i = 0; i < bytes.length; i += chunk) {
            yield* output.append({ stream: "stdout", bytes: bytes.subarray(i, i + chunk) })
          }
          if (burst.read) yield* read()
        }
        yield* output.end
        yield* read()
        assert.strictEqual(at, full === "" ? 0 : full.split("\n").length - (full.endsWith("\n") ? 1 : 0))
      }),
    options
  )

  it.effect.prop(
    "what is kept is the head and the tail of the text, within the limit, and every whole line of them can be read",
    {
      bursts: Schema.Array(Burst),
      limit: Limit,
      chunk: Chunk,
      shown: Schema.Literals([64, 100, 1000, 10_000, 1_000_000])
    },
    ({ bursts, chunk, limit, shown }) =>
      Effect.gen(function* () {
        const output = yield* makeTaskOutput(limit)
        const full = bursts.map((b) => (b.unit.repeat(b.length) + (b.feed ? "\n" : "")).repeat(b.times)).join("")
        const bytes = Buffer.from(full)
        for (let i = 0; i < bytes.length; i += chunk) {
          yield* output.append({ stream: "stderr", bytes: bytes.subarray(i, i + chunk) })
        }
        yield* output.end
        const { head, tail } = keep(bytes, limit)
        const { dropped, lines } = yield* readAll(output, encodeLineCursor(0))

        const newest = yield* output.page({ maxLines: 1000 })
        const count = newest.output_lines.length
        assert.deepStrictEqual(newest.output_lines, count === 0 ? [] : lines.slice(-count))
        assert.strictEqual(newest.has_more, count < lines.length)
        assert.strictEqual(newest.dropped_lines, dropped)
        assert.strictEqual((yield* output.counts).lines, lines.length + dropped)

        const { cutLine, headLines, resumedLine, tailLine } = modelLines(bytes, head, tail)
        const all = full.replace(/\n$/, "").split("\n")
        const total = full === "" ? 0 : all.length
        const numbers = bytes.length <= limit ? range(0, total) : [...range(0, headLines), ...range(tailLine, total)]
        assert.strictEqual(lines.length, numbers.length)
        assert.strictEqual(dropped, total - numbers.length)
        for (const [i, n] of numbers.entries()) {
          const whole = all[n] ?? ""
          const cut = bytes.length > limit && ((n === cutLine && n < headLines) || n === resumedLine)
          if (!cut && Buffer.byteLength(whole) <= 16_384) assert.strictEqual(lines[i], whole)
        }

        const result = yield* output.text(shown)
        assert.isAtMost(Buffer.byteLength(result.output), Math.max(shown, bytes.length <= shown ? bytes.length : 0))
        if (!result.truncated) assert.strictEqual(result.output, full)
        else {
          const notice = NOTICE.exec(result.output)
          const leftOut = Number(notice?.[1])
          const before = result.output.slice(0, notice?.index)
          const after = Buffer.from(result.output.slice((notice?.index ?? 0) + (notice?.[0].length ?? 0) + 1))
          const shownHead = bytes.subarray(0, bytes.length - leftOut - after.length)
          assert.include([shownHead.toString(), `${shownHead.toString()}\n`], before)
          assert.isTrue(bytes.subarray(bytes.length - after.length).equals(after))
          assert.isAtMost(shownHead.length, head.length)
          if (bytes.length > limit) assert.isAtMost(after.length, tail.length)
        }
      }),
    options
  )
})
