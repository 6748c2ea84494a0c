import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { encodeLineCursor } from "../../src/task/LineCursor.ts"
import { makeTaskOutput } from "../../src/task/TaskOutput.ts"
import { MARK, NOTICE, numbered, readAll, write } from "./OutputReader.ts"

describe("TaskOutput at its limits", () => {
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
