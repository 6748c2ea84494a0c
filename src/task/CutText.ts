import { completeLength } from "./CleanText.ts"
import { nextCharacter, type TextSource } from "./TextWindow.ts"

/** Bytes of a line that are shown; what is longer is cut with a mark. */
export const MAX_LINE_BYTES = 16 * 1024

const LINE_FEED = 0x0a

/** Room for the line that says how much is left out, at its longest. */
const NOTICE_BYTES = 64

/** The line that stands for what is not shown. */
const notice = (bytes: number): string => `… ${bytes} bytes left out …`

/**
 * The end of what is shown up to `end`: after the last whole line, so that no line is shown in part. A line that is
 * too long to be shown whole, or the only one there is, is shown up to its last whole character.
 */
export const shownEnd = (source: TextSource, end: number): number => {
  if (end === source.total || source.startsLine(end)) return end
  const from = Math.max(0, end - MAX_LINE_BYTES - 1)
  const bytes = source.read(from, end)
  const lastLine = bytes.lastIndexOf(LINE_FEED)
  return from + (lastLine === -1 ? completeLength(bytes) : lastLine + 1)
}

/** The start of what is shown from `start` on, by the rule of `shownEnd`. */
export const shownStart = (source: TextSource, start: number): number => {
  if (start === source.total || source.startsLine(start)) return start
  const bytes = source.read(start, Math.min(source.total, start + MAX_LINE_BYTES + 1))
  const line = start + bytes.indexOf(LINE_FEED) + 1
  return line > start && line < source.total ? line : start + nextCharacter(bytes)
}

/** Which bytes of a text are shown: before `headEnd` and from `tailStart` on; all of it when the two are equal. */
export interface Cut {
  readonly headEnd: number
  readonly tailStart: number
}

/** The largest head and tail, of about the same size, that fit in `maxBytes` together with the line between them. */
export const cutText = (source: TextSource, maxBytes: number): Cut => {
  const gone = source.tailStart > source.headEnd || source.headEnd < source.total
  if (!gone && source.total <= maxBytes) return { headEnd: source.total, tailStart: source.total }
  const room = Math.max(0, maxBytes - NOTICE_BYTES)
  const tailBytes = gone ? source.total - source.tailStart : source.total
  const tail = Math.min(tailBytes, room - Math.min(source.headEnd, Math.floor(room / 2)))
  const head = Math.min(source.headEnd, room - tail)
  return { headEnd: shownEnd(source, head), tailStart: shownStart(source, source.total - tail) }
}

/** The text of a cut. `maxBytes` too small for anything gives the empty text. */
export const renderCut = (source: TextSource, cut: Cut, maxBytes: number): string => {
  if (cut.headEnd === cut.tailStart) return source.read(0, source.total).toString("utf8")
  if (maxBytes < NOTICE_BYTES) return ""
  const head = source.read(0, cut.headEnd).toString("utf8")
  const border = head === "" || head.endsWith("\n") ? "" : "\n"
  const tail = source.read(cut.tailStart, source.total).toString("utf8")
  return `${head}${border}${notice(cut.tailStart - cut.headEnd)}\n${tail}`
}

const NOTICE = /^… (\d{1,15}) bytes left out …\n/m

/** A text whose middle may have been left out before, as bytes: the two parts and what lies between them. */
const sourceOf = (head: Buffer, gap: number, tail: Buffer): TextSource => {
  const total = head.length + gap + tail.length
  const tailStart = gap === 0 ? total : head.length + gap
  const headEnd = gap === 0 ? total : head.length
  const all = gap === 0 ? Buffer.concat([head, tail]) : head
  const read = (from: number, to: number): Buffer =>
    from >= tailStart ? tail.subarray(from - tailStart, to - tailStart) : all.subarray(from, to)
  return {
    total,
    headEnd,
    tailStart,
    read,
    startsLine: (offset) => offset === 0 || offset === tailStart || read(offset - 1, offset)[0] === LINE_FEED
  }
}

/**
 * Shortens the output of a result further, to at most `maxBytes`; `truncated` says that it holds a notice already,
 * which the new one replaces. `headLines` counts the whole lines that are left before the notice.
 */
export const shorten = (
  output: string,
  truncated: boolean,
  maxBytes: number
): { readonly output: string; readonly headLines: number } => {
  const found = truncated ? NOTICE.exec(output) : null
  const source =
    found === null
      ? sourceOf(Buffer.from(output), 0, Buffer.alloc(0))
      : sourceOf(
          Buffer.from(output.slice(0, found.index)),
          Number(found[1]),
          Buffer.from(output.slice(found.index + found[0].length))
        )
  const cut = cutText(source, maxBytes)
  const headLines = source.read(0, cut.headEnd).toString("latin1").split("\n").length - 1
  return { output: renderCut(source, cut, maxBytes), headLines }
}
