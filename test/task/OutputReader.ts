import { assert } from "@effect/vitest"
import { Effect } from "effect"
import type { TaskOutput } from "../../src/task/TaskOutput.ts"

/** The mark inside a line that a page shows cut. */
export const MARK = "[line cut]"
/** The line that stands in a text for what is left out of its middle; it captures the number of bytes. */
export const NOTICE = /^… (\d+) bytes left out …$/m

/** Appends `text` to one of the two streams. */
export const write = (output: TaskOutput, text: string, stream: "stdout" | "stderr" = "stdout") =>
  output.append({ stream, bytes: Buffer.from(text) })

/** The lines `line N` for N from `from` up to, and without, `to`. */
export const numbered = (from: number, to: number): string => {
  let text = ""
  for (let n = from; n < to; n++) text += `line ${n}\n`
  return text
}

/** Reads from `cursor` until a page says that there is no more. */
export const readAll = Effect.fnUntraced(function* (output: TaskOutput, cursor: string, maxLines = 1000) {
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
