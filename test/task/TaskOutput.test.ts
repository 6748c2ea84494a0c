import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit } from "effect"
import { InvalidCursor } from "../../src/task/errors.ts"
import { encodeLineCursor } from "../../src/task/LineCursor.ts"
import { makeTaskOutput } from "../../src/task/TaskOutput.ts"
import { numbered, write } from "./OutputReader.ts"

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
      assert.deepStrictEqual(yield* output.counts, { bytesOut: 10, bytesErr: 13, lines: 2, redacted: 0 })
      yield* output.end
      assert.deepStrictEqual(yield* output.counts, { bytesOut: 10, bytesErr: 13, lines: 3, redacted: 0 })
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
})
