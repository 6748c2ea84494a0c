import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Schema } from "effect"
import { InvalidCursor } from "../../src/task/errors.ts"
import { encodeLineCursor } from "../../src/task/LineCursor.ts"
import { makeTaskOutput, type TaskOutput } from "../../src/task/TaskOutput.ts"

const MARK = "[line cut]"
const NOTICE = /^… (\d+) bytes left out …$/m

const write = (output: TaskOutput, text: string, stream: "stdout" | "stderr" = "stdout") =>
  output.append({ stream, bytes: Buffer.from(text) })

const numbered = (from: number, to: number): string => {
  let text = ""
  for (let n = from; n < to; n++) text += `line ${n}\n`
  return text
}

/** Reads from `cursor` until a page says that there is no more. */
const readAll = Effect.fnUntraced(function* (output: TaskOutput, cursor: string, maxLines = 1000) {
  const lines: Array<string> = []
  let dropped = 0
  let at = cursor
  for (;;) {
    const page = yield* output.page({ maxLines, cursor: at })
    assert.isAtMost(page.output_lines.length, maxLines)
    assert.isAtMost(Buffer.byteLength(JSON.stringify(page)), 64 * 1024)
    lines.push(...page.output_lines)
    dropped += page.dropped_lines
    at = page.next_cursor
    if (!page.has_more) return { lines, dropped, cursor: at, page }
  }
})

describe("TaskOutput", () => {
  it.effect("interleaves both streams in arrival order and counts the raw bytes of each", () =>
    Effect.gen(function* () {
      const output = yield* makeTaskOutput(1024)
      assert.deepStrictEqual(yield* write(output, "one\r\n"), { stream: "stdout", text: "one\n" })
      assert.deepStrictEqual(yield* write(output, "\u001b[31mtwo\u001b[0m\n", "stderr"), {
        stream: "stderr",
        text: "two\n"
      })
      yield* write(output, "three")
      assert.deepStrictEqual(yield* output.text(1024), { output: "one\ntwo\nthree", truncated: false })
      assert.deepStrictEqual(yield* output.counts, { bytesOut: 10, bytesErr: 13, lines: 2 })
      yield* output.end
      assert.deepStrictEqual(yield* output.counts, { bytesOut: 10, bytesErr: 13, lines: 3 })
    })
  )

  it.effect("a character that is split between two chunks of a stream survives a chunk of the other stream", () =>
    Effect.gen(function* () {
      const output = yield* makeTaskOutput(1024)
      const euro = Buffer.from("€")
      yield* output.append({ stream: "stdout", bytes: euro.subarray(0, 1) })
      yield* output.append({ stream: "stderr", bytes: Uint8Array.of(0xff) })
      yield* output.append({ stream: "stdout", bytes: euro.subarray(1) })
      yield* output.append({ stream: "stderr", bytes: euro.subarray(0, 2) })
      yield* output.end
      assert.strictEqual((yield* output.text(1024)).output, "\ufffd€\ufffd")
    })
  )

  it.effect("an empty output has an empty page and text", () =>
    Effect.gen(function* () {
      const output = yield* makeTaskOutput(1024)
      const empty = {
        output_lines: [],
        total_lines: 0,
        has_more: false,
        next_cursor: encodeLineCursor(0),
        dropped_lines: 0
      }
      assert.deepStrictEqual(yield* output.page({ maxLines: 50 }), empty)
      yield* output.end
      assert.deepStrictEqual(yield* output.page({ maxLines: 50, cursor: empty.next_cursor }), empty)
      assert.deepStrictEqual(yield* output.text(1024), { output: "", truncated: false })
    })
  )

  it.effect("a page without a cursor holds the newest lines, and its cursor goes on after them", () =>
    Effect.gen(function* () {
      const output = yield* makeTaskOutput(4096)
      yield* write(output, numbered(0, 10))
      const page = yield* output.page({ maxLines: 3 })
      assert.deepStrictEqual(page.output_lines, ["line 7", "line 8", "line 9"])
      assert.isTrue(page.has_more)
      assert.strictEqual(page.total_lines, 10)
      yield* write(output, numbered(10, 12))
      const next = yield* output.page({ maxLines: 3, cursor: page.next_cursor })
      assert.deepStrictEqual(next.output_lines, ["line 10", "line 11"])
      assert.isFalse(next.has_more)
      assert.isFalse((yield* output.page({ maxLines: 12 })).has_more)
    })
  )

  it.effect("the unterminated last line is partial while the task runs and a line once it ended", () =>
    Effect.gen(function* () {
      const output = yield* makeTaskOutput(4096)
      yield* write(output, "done\nhalf")
      const running = yield* output.page({ maxLines: 50 })
      assert.deepStrictEqual(running.output_lines, ["done"])
      assert.strictEqual(running.partial_line, "half")
      assert.strictEqual((yield* output.page({ maxLines: 50, cursor: running.next_cursor })).partial_line, "half")
      yield* output.end
      const ended = yield* output.page({ maxLines: 50, cursor: running.next_cursor })
      assert.deepStrictEqual(ended.output_lines, ["half"])
      assert.notProperty(ended, "partial_line")
      assert.strictEqual(ended.total_lines, 2)
    })
  )

  it.effect("a page that does not reach the newest line has no partial line", () =>
    Effect.gen(function* () {
      const output = yield* makeTaskOutput(4096)
      yield* write(output, "a\nb\nhalf")
      const page = yield* output.page({ maxLines: 1, cursor: encodeLineCursor(0) })
      assert.isTrue(page.has_more)
      assert.notProperty(page, "partial_line")
    })
  )

  it.effect("cursors that were not issued for this output are refused", () =>
    Effect.gen(function* () {
      const output = yield* makeTaskOutput(4096)
      yield* write(output, "a\nb\n")
      const text = (value: string) => Buffer.from(value).toString("base64url")
      const bad = [
        "",
        "x",
        "2",
        text("line:-1"),
        text("line:1.5"),
        text("line:01"),
        text("hosts:1"),
        `${encodeLineCursor(1)}=`,
        encodeLineCursor(3)
      ]
      for (const cursor of bad) {
        assert.deepStrictEqual(
          yield* Effect.exit(output.page({ maxLines: 50, cursor })),
          Exit.fail(new InvalidCursor()),
          cursor
        )
      }
      assert.deepStrictEqual((yield* output.page({ maxLines: 50, cursor: encodeLineCursor(2) })).output_lines, [])
    })
  )

  it.effect("what fits the limit is kept exactly, one byte more drops from the middle", () =>
    Effect.gen(function* () {
      const output = yield* makeTaskOutput(10_000)
      const full = numbered(0, 2000).slice(0, 10_000)
      yield* write(output, full)
      assert.deepStrictEqual(yield* output.text(10_000), { output: full, truncated: false })
      yield* write(output, "x")
      const { nextCursor, output: text, truncated } = yield* output.text(20_000)
      assert.isTrue(truncated)
      assert.isUndefined(nextCursor)
      assert.isTrue(text.startsWith("line 0\n") && text.endsWith(`${full.slice(-500)}x`))
      const leftOut = Number(NOTICE.exec(text)?.[1])
      const [head = "", tail = ""] = text.split(/… \d+ bytes left out …\n/)
      assert.strictEqual(head.length + leftOut + tail.length, 10_001)
      assert.strictEqual(head + full.slice(head.length, head.length + leftOut) + tail, `${full}x`)
    })
  )

  it.effect("a reader that falls behind is told how many lines it missed", () =>
    Effect.gen(function* () {
      const output = yield* makeTaskOutput(2000)
      yield* write(output, numbered(0, 3))
      const { cursor } = yield* readAll(output, encodeLineCursor(0))
      yield* write(output, numbered(3, 10_000))
      yield* output.end
      const { dropped, lines } = yield* readAll(output, cursor)
      assert.strictEqual(lines[0], "line 3")
      assert.strictEqual(lines.at(-1), "line 9999")
      assert.strictEqual(lines.length + dropped, 9997)
      assert.strictEqual((yield* output.page({ maxLines: 5 })).dropped_lines, dropped)
    })
  )

  it.effect("head and tail of a result share the room, and the cursor reads on after the head", () =>
    Effect.gen(function* () {
      const output = yield* makeTaskOutput(1024 * 1024)
      yield* write(output, numbered(0, 5000))
      yield* output.end
      const { nextCursor, output: text, truncated } = yield* output.text(4096)
      assert.isTrue(truncated)
      assert.isAtMost(Buffer.byteLength(text), 4096)
      assert.isAtLeast(Buffer.byteLength(text), 4096 - 200)
      const lines = text.split("\n")
      const at = lines.findIndex((line) => NOTICE.test(line))
      assert.strictEqual(lines[at - 1], `line ${at - 1}`)
      const { lines: rest } = yield* readAll(output, nextCursor ?? "")
      assert.strictEqual(rest[0], `line ${at}`)
      assert.strictEqual(rest.length, 5000 - at)
    })
  )

  it.effect("a line over 16 KiB is cut with a mark in a page, and one of 16 KiB is not", () =>
    Effect.gen(function* () {
      const output = yield* makeTaskOutput(1024 * 1024)
      yield* write(output, `${"a".repeat(16_384)}\n${"é".repeat(8193)}\n`)
      const [whole = "", cut = ""] = (yield* output.page({ maxLines: 50 })).output_lines
      assert.strictEqual(whole, "a".repeat(16_384))
      assert.match(cut, /^é+… \[line cut\] …$/)
      assert.isAtMost(Buffer.byteLength(cut), 16_384)
    })
  )

  it.effect("one line that is larger than the limit shows its head and its tail", () =>
    Effect.gen(function* () {
      const output = yield* makeTaskOutput(1000)
      yield* write(output, `${"a".repeat(5000)}${"z".repeat(5000)}`)
      const { partial_line } = yield* output.page({ maxLines: 50 })
      assert.strictEqual(partial_line, `${"a".repeat(500)}… ${MARK} …${"z".repeat(500)}`)
      yield* output.end
      const page = yield* output.page({ maxLines: 50 })
      assert.deepStrictEqual(page.output_lines, [partial_line ?? ""])
      assert.strictEqual(page.dropped_lines, 0)
      const { output: text } = yield* output.text(65_536)
      assert.strictEqual(text, `${"a".repeat(500)}\n… 9000 bytes left out …\n${"z".repeat(500)}`)
    })
  )

  it.effect("lines that are all JSON escapes do not make a page larger than 64 KiB", () =>
    Effect.gen(function* () {
      const output = yield* makeTaskOutput(1024 * 1024)
      const line = '"'.repeat(16_384)
      yield* write(output, `${line}\n`.repeat(6) + line)
      for (const cursor of [undefined, encodeLineCursor(0), encodeLineCursor(5)]) {
        const page = yield* output.page({ maxLines: 1000, ...(cursor === undefined ? {} : { cursor }) })
        assert.isAtLeast(page.output_lines.length, 1)
        assert.isAtMost(Buffer.byteLength(JSON.stringify(page)), 64 * 1024)
      }
      yield* output.end
      assert.strictEqual((yield* readAll(output, encodeLineCursor(0))).lines.length, 7)
    })
  )

  it.effect("a result too small for the notice is empty and says so", () =>
    Effect.gen(function* () {
      const output = yield* makeTaskOutput(1000)
      yield* write(output, numbered(0, 50))
      const { output: text, truncated } = yield* output.text(10)
      assert.strictEqual(text, "")
      assert.isTrue(truncated)
    })
  )
})

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
