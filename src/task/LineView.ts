import { completeLength } from "./CleanText.ts"
import { MAX_LINE_BYTES, shownEnd, shownStart } from "./CutText.ts"
import { nextCharacter, type TextWindow } from "./TextWindow.ts"

/** Stands in a line where a part of it is missing. */
const MARK = "… [line cut] …"

/** Bytes of a line that are shown beside the mark. */
const ROOM = MAX_LINE_BYTES - Buffer.byteLength(MARK)

/**
 * The lines of a window as they stand now: lines 0 to `headLines` (exclusive) and `tailLine` to `total` (exclusive)
 * can be read, those in between were dropped. Both are 0 when nothing was dropped.
 */
export interface LineView {
  /** Lines seen, dropped ones included; the line that is still being written does not count. */
  readonly total: number
  readonly headLines: number
  readonly tailLine: number
  /** The text of a line that can be read, without its line feed, in at most 16 KiB. */
  readonly line: (index: number) => string
  /** The line that is still being written, cut like any other; "" when there is none. */
  readonly partial: string
}

/** The first `room` bytes of a range, or fewer: no character is split. */
const first = (window: TextWindow, from: number, to: number, room: number): string => {
  const bytes = window.read(from, Math.min(to, from + room))
  return bytes.subarray(0, completeLength(bytes)).toString("utf8")
}

/** The last `room` bytes of a range, or fewer. */
const last = (window: TextWindow, from: number, to: number, room: number): string => {
  const bytes = window.read(Math.max(from, to - room), to)
  return bytes.subarray(nextCharacter(bytes)).toString("utf8")
}

const isUnterminated = (window: TextWindow): boolean => !window.startsLine(window.total)

/** The lines of a window that were seen, dropped ones included; `ended` makes an unterminated last line a line. */
export const countLines = (window: TextWindow, ended: boolean): number =>
  window.lines + (ended && isUnterminated(window) ? 1 : 0)

/** The view of a window; `ended` makes an unterminated last line a line. The view is valid until the next append. */
export const viewLines = (window: TextWindow, ended: boolean): LineView => {
  const { headEnd, lines, tailStart, total } = window
  const gone = headEnd < total
  /** The line in which the head ends, and the line in which the tail begins. */
  const cutLine = gone ? window.linesBefore(headEnd) : 0
  const resumedLine = gone ? window.linesBefore(tailStart) : 0

  const line = (index: number): string => {
    /** Its start is in the gap, or where the tail begins. */
    const resumes = gone && index === resumedLine && (index > cutLine || window.startsLine(headEnd))
    const start = resumes ? tailStart : window.lineStart(index)
    const end = gone && index >= cutLine && index < resumedLine ? headEnd : lineEnd(index)
    if (gone && start < headEnd && end >= tailStart) {
      const half = Math.floor(ROOM / 2)
      return `${first(window, start, headEnd, half)}${MARK}${last(window, tailStart, end, half)}`
    }
    if (resumes && !window.startsLine(tailStart)) return `${MARK}${last(window, start, end, ROOM)}`
    if (end - start <= MAX_LINE_BYTES && (end !== headEnd || !gone)) return window.read(start, end).toString("utf8")
    return `${first(window, start, end, ROOM)}${MARK}`
  }
  const lineEnd = (index: number): number => (index < lines ? window.lineStart(index + 1) - 1 : total)

  const seen = countLines(window, ended)
  const headLines = !gone ? 0 : cutLine + (shownEnd(window, headEnd) === headEnd && !window.startsLine(headEnd) ? 1 : 0)
  const hidden = gone && shownStart(window, tailStart) > tailStart ? 1 : 0
  return {
    total: seen,
    headLines: Math.min(headLines, seen),
    tailLine: Math.min(Math.max(resumedLine + hidden, headLines), seen),
    line,
    partial: !ended && isUnterminated(window) ? line(lines) : ""
  }
}
