import { Effect } from "effect"
import {
  flushRedaction,
  initialRedactionState,
  redact,
  type Redaction,
  type RedactionState
} from "../audit/redaction/Redaction.ts"
import type { OutputChunk } from "../ssh/Transport.ts"
import { clean, type CleanState, completeLength, flush, initialCleanState } from "./CleanText.ts"
import { cutText, renderCut } from "./CutText.ts"
import { InvalidCursor } from "./errors.ts"
import { decodeLineCursor, encodeLineCursor } from "./LineCursor.ts"
import { countLines, type LineView, viewLines } from "./LineView.ts"
import type { OutputPage } from "./TaskReport.ts"
import { TextWindow } from "./TextWindow.ts"

/** One piece of output after cleaning and redaction: what may be shown to a client. */
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

/**
 * The bounded output of one task: both streams interleaved in arrival order, cleaned, and with secrets masked. Masking
 * comes after cleaning, so that no escape sequence can hide a secret, and before anything is kept: whoever reads the
 * output in whatever way sees the same text. What may be the beginning of a secret, at most 512 bytes of a stream, is
 * not there until more has come.
 */
export interface TaskOutput {
  /** Cleans, masks and keeps one chunk, and counts its raw bytes. Never suspends; the chunk's memory is not kept. */
  readonly append: (chunk: OutputChunk) => Effect.Effect<CleanChunk>
  /**
   * No more bytes come: incomplete characters become U+FFFD, what was held back is shown. The pieces that this adds,
   * none of them empty; none at all when asked again.
   */
  readonly flush: Effect.Effect<ReadonlyArray<CleanChunk>>
  /** No more output comes: `flush`, and an unterminated last line becomes a line. */
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
  /** Raw bytes of each stream as the host sent them, and the lines seen (dropped ones included). */
  readonly counts: Effect.Effect<{
    readonly bytesOut: number
    readonly bytesErr: number
    readonly lines: number
    /** Secrets that were masked, those in dropped lines included. */
    readonly redacted: number
  }>
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

/** How far one stream was read. */
interface StreamState {
  readonly clean: CleanState
  readonly redaction: RedactionState
}

const initialStreamState: StreamState = { clean: initialCleanState, redaction: initialRedactionState }

/**
 * Makes the output of one task, which keeps at most `maxBytes` bytes of cleaned UTF-8. Without `redaction` nothing is
 * masked.
 */
export const makeTaskOutput = (maxBytes: number, redaction?: Redaction): Effect.Effect<TaskOutput> =>
  Effect.sync(() => {
    const window = new TextWindow(maxBytes)
    const states: Record<CleanChunk["stream"], StreamState> = { stdout: initialStreamState, stderr: initialStreamState }
    const bytes: Record<CleanChunk["stream"], number> = { stdout: 0, stderr: 0 }
    let ended = false
    let redacted = 0

    const append = ({ bytes: raw, stream }: OutputChunk): CleanChunk => {
      bytes[stream] += raw.length
      const before = states[stream]
      const [state, text] = clean(before.clean, raw)
      const cleaned = state === before.clean ? raw : Buffer.from(text)
      if (redaction === undefined) {
        states[stream] = { ...before, clean: state }
        window.append(cleaned)
        return { stream, text }
      }
      const next = redact(redaction, before.redaction, cleaned)
      states[stream] = { clean: state, redaction: next.state }
      redacted += next.masked
      window.append(next.shown)
      return { stream, text: next.shown === cleaned ? text : Buffer.from(next.shown).toString("utf8") }
    }
    const flushStream = (stream: CleanChunk["stream"]): ReadonlyArray<CleanChunk> => {
      const before = states[stream]
      states[stream] = initialStreamState
      const rest = Buffer.from(flush(before.clean)[1])
      const all = redaction === undefined ? rest : redactRest(redaction, before.redaction, rest)
      window.append(all)
      return all.length === 0 ? [] : [{ stream, text: all.toString("utf8") }]
    }
    const redactRest = (by: Redaction, state: RedactionState, rest: Uint8Array): Buffer => {
      const last = redact(by, state, rest)
      const end = flushRedaction(by, last.state)
      redacted += last.masked + end.masked
      return Buffer.concat([last.shown, end.shown])
    }
    const flushAll = (): ReadonlyArray<CleanChunk> => [...flushStream("stdout"), ...flushStream("stderr")]
    const end = (): void => {
      flushAll()
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
      flush: Effect.sync(flushAll),
      end: Effect.sync(end),
      page: (options) => Effect.suspend(() => page(options)),
      text: (limit) => Effect.sync(() => text(limit)),
      kept: Effect.sync(() => Math.min(window.total, maxBytes)),
      counts: Effect.sync(() => ({
        bytesOut: bytes.stdout,
        bytesErr: bytes.stderr,
        lines: countLines(window, ended),
        redacted
      }))
    }
  })
