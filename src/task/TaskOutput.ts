import { Effect } from "effect"
import type { OutputChunk } from "../ssh/Transport.ts"
import { clean, type CleanState, completeLength, flush, initialCleanState } from "./CleanText.ts"
import { cutText, renderCut } from "./CutText.ts"
import { InvalidCursor } from "./errors.ts"
import { decodeLineCursor, encodeLineCursor } from "./LineCursor.ts"
import { countLines, type LineView, viewLines } from "./LineView.ts"
import type { OutputPage } from "./TaskReport.ts"
import { TextWindow } from "./TextWindow.ts"

/** One piece of output after cleaning: what may be shown to a client. */
export interface CleanChunk {
  readonly stream: "stdout" | "stderr"
  readonly text: string
}

/** One page of output lines: `OutputPage` without the fields that only the supervisor knows. */
export type Page = Omit<OutputPage, "task_id" | "status">

/** Output text of a result: head and tail with one line between that says how many bytes are left out. */
export interface ResultText {
  readonly output: string
  /** True when `output` is not all that the host sent. */
  readonly truncated: boolean
  /** Where a page goes on after the head; present when more than `output` was kept. */
  readonly nextCursor?: string
}

/** The bounded output of one task: both streams interleaved in arrival order, cleaned. */
export interface TaskOutput {
  /** Cleans and keeps one chunk, and counts its raw bytes. Never suspends; the chunk's memory is not kept. */
  readonly append: (chunk: OutputChunk) => Effect.Effect<CleanChunk>
  /** No more output comes: incomplete characters become U+FFFD, an unterminated last line becomes a line. */
  readonly end: Effect.Effect<void>
  /**
   * One page of lines, at most `maxLines` (1 to 1000) and 64 KiB of JSON. Without a cursor the newest lines; with one
   * the lines after it. Lines of a page follow each other; `dropped_lines` were
   * dropped between the cursor (or the head, without a cursor) and its first line.
   */
  readonly page: (options: {
    readonly maxLines: number
    readonly cursor?: string
  }) => Effect.Effect<Page, InvalidCursor>
  /** Head and tail in at most `maxBytes` bytes of UTF-8. */
  readonly text: (maxBytes: number) => Effect.Effect<ResultText>
  /** Bytes of cleaned text that are kept: what the output holds of the process's memory. */
  readonly kept: Effect.Effect<number>
  /** Raw bytes of each stream, and the lines seen (dropped ones included). */
  readonly counts: Effect.Effect<{ readonly bytesOut: number; readonly bytesErr: number; readonly lines: number }>
}

const MAX_PAGE_LINES = 1000

/** Bytes of JSON in the lines of a page: 64 KiB without the page's other fields. */
const PAGE_BYTES = 63 * 1024

/** Bytes of JSON in the partial line of a page, so that a whole line (32 KiB when every character is escaped) fits. */
const PARTIAL_BYTES = 24 * 1024

/** Bytes that a line takes in a JSON array. */
const jsonBytes = (line: string): number => Buffer.byteLength(JSON.stringify(line)) + 1

/** A partial line that fits its share: text has at most twice as many bytes in JSON. */
const fitPartial = (line: string): string => {
  if (jsonBytes(line) <= PARTIAL_BYTES) return line
  const bytes = Buffer.from(line).subarray(0, PARTIAL_BYTES / 2 - 8)
  return `${bytes.subarray(0, completeLength(bytes)).toString("utf8")}…`
}

/**
 * Takes lines while they fit, from the start of a range or, `fromEnd`, from its end; in their order. At least one is
 * taken, if there is one: a line never fills a page.
 */
const takeLines = (
  view: LineView,
  range: { readonly from: number; readonly to: number; readonly fromEnd: boolean },
  limits: { readonly lines: number; readonly bytes: number }
): ReadonlyArray<string> => {
  const taken: Array<string> = []
  const count = Math.min(range.to - range.from, limits.lines)
  let bytes = 0
  for (let i = 0; i < count; i++) {
    const line = view.line(range.fromEnd ? range.to - 1 - i : range.from + i)
    bytes += jsonBytes(line)
    if (bytes > limits.bytes) break
    taken.push(line)
  }
  return range.fromEnd ? taken.reverse() : taken
}

const newestPage = (view: LineView, maxLines: number): Page => {
  const partial = fitPartial(view.partial)
  const oldest = view.tailLine > view.headLines ? view.tailLine : 0
  const lines = takeLines(
    view,
    { from: oldest, to: view.total, fromEnd: true },
    { lines: maxLines, bytes: PAGE_BYTES - jsonBytes(partial) }
  )
  return {
    output_lines: lines,
    total_lines: view.total,
    has_more: view.total - lines.length > oldest || (oldest > 0 && view.headLines > 0),
    next_cursor: encodeLineCursor(view.total),
    dropped_lines: view.tailLine - view.headLines,
    ...(partial === "" ? {} : { partial_line: partial })
  }
}

const pageAfter = (view: LineView, cursor: number, maxLines: number): Page => {
  const inHead = cursor < view.headLines
  const from = inHead ? cursor : Math.max(cursor, view.tailLine)
  const partial = fitPartial(view.partial)
  const lines = takeLines(
    view,
    { from, to: inHead ? view.headLines : view.total, fromEnd: false },
    { lines: maxLines, bytes: PAGE_BYTES - jsonBytes(partial) }
  )
  const next = from + lines.length
  return {
    output_lines: lines,
    total_lines: view.total,
    has_more: next < view.total,
    next_cursor: encodeLineCursor(next),
    dropped_lines: from - cursor,
    ...(partial === "" || next < view.total ? {} : { partial_line: partial })
  }
}

/** Makes the output of one task, which keeps at most `maxBytes` bytes of cleaned UTF-8. */
export const makeTaskOutput = (maxBytes: number): Effect.Effect<TaskOutput> =>
  Effect.sync(() => {
    const window = new TextWindow(maxBytes)
    const states: Record<CleanChunk["stream"], CleanState> = { stdout: initialCleanState, stderr: initialCleanState }
    const bytes: Record<CleanChunk["stream"], number> = { stdout: 0, stderr: 0 }
    let ended = false

    const append = ({ bytes: raw, stream }: OutputChunk): CleanChunk => {
      bytes[stream] += raw.length
      const [state, text] = clean(states[stream], raw)
      window.append(state === states[stream] ? raw : Buffer.from(text))
      states[stream] = state
      return { stream, text }
    }
    const end = (): void => {
      for (const stream of ["stdout", "stderr"] as const) {
        const [state, text] = flush(states[stream])
        states[stream] = state
        window.append(Buffer.from(text))
      }
      ended = true
    }
    const page = (options: { readonly maxLines: number; readonly cursor?: string }) => {
      const maxLines = Math.max(1, Math.min(MAX_PAGE_LINES, options.maxLines))
      const view = viewLines(window, ended)
      if (options.cursor === undefined) return Effect.succeed(newestPage(view, maxLines))
      return Effect.flatMap(decodeLineCursor(options.cursor), (cursor) =>
        cursor > view.total ? Effect.fail(new InvalidCursor()) : Effect.succeed(pageAfter(view, cursor, maxLines))
      )
    }
    const text = (limit: number): ResultText => {
      const cut = cutText(window, limit)
      const all = cutText(window, Infinity)
      const output = renderCut(window, cut, limit)
      if (cut.headEnd === cut.tailStart) return { output, truncated: false }
      const rest = cut.headEnd < all.headEnd || cut.tailStart > all.tailStart
      return {
        output,
        truncated: true,
        ...(rest ? { nextCursor: encodeLineCursor(window.linesBefore(cut.headEnd)) } : {})
      }
    }
    return {
      append: (chunk) => Effect.sync(() => append(chunk)),
      end: Effect.sync(end),
      page: (options) => Effect.suspend(() => page(options)),
      text: (limit) => Effect.sync(() => text(limit)),
      kept: Effect.sync(() => Math.min(window.total, maxBytes)),
      counts: Effect.sync(() => ({
        bytesOut: bytes.stdout,
        bytesErr: bytes.stderr,
        lines: countLines(window, ended)
      }))
    }
  })
