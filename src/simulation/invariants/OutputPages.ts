import { Base64Url } from "effect/encoding"
import { Predicate, Result, Schema } from "effect"
import { OutputPage } from "../../task/TaskReport.ts"
import { expectLimit } from "../model/ExpectedLimits.ts"
import { makeExpectedLines } from "../model/ExpectedOutput.ts"
import { isTerminalStatus, taskOfId } from "../model/Facts.ts"
import type { Answer, MakeWatch } from "./Watch.ts"

/** Stands where a part of a line is missing. */
const CUT = "[line cut]"

const isPage = Schema.is(OutputPage)

/** The line that a cursor names. */
const lineOf = (cursor: unknown): number | undefined => {
  const text = typeof cursor === "string" ? Result.getOrElse(Base64Url.decodeString(cursor), () => "") : ""
  const [, digits] = /^line:(\d+)$/.exec(text) ?? []
  return digits === undefined ? undefined : Number(digits)
}

const cursorOf = ({ input }: Answer): number | undefined =>
  Predicate.hasProperty(input, "cursor") ? lineOf(input.cursor) : undefined

/** What was read of one task: each line by its number, and how many lines there are. */
interface Read {
  readonly lines: Map<number, string>
  /** Known once the task ended. */
  total: number | undefined
}

/** Lines that are remembered of one task. */
const REMEMBERED = 5_000

/**
 * Pages of output: bytes kept ≤ limit; what cursors lead through is each kept line once, in order, without gap or repeat,
 * also while the task writes; a line that was read once reads the same again.
 */
export const outputPages: MakeWatch = ({ config, facts, violated }) => {
  const expectedLines = makeExpectedLines(facts)
  const reads = new Map<string, Read>()

  const checkLine = (id: string, read: Read, index: number, line: string): void => {
    const before = read.lines.get(index)
    if (before !== undefined && before !== line && !before.includes(CUT) && !line.includes(CUT)) {
      violated(`line ${index} of ${id} was ${JSON.stringify(before)} and is ${JSON.stringify(line)}`)
    }
    if (read.lines.size < REMEMBERED) read.lines.set(index, line)
  }

  const checkPage = (answer: Answer, page: OutputPage): void => {
    const { dropped_lines: dropped, output_lines: lines, task_id: id, total_lines: total } = page
    const read = reads.get(id) ?? { lines: new Map<number, string>(), total: undefined }
    reads.set(id, read)
    const next = lineOf(page.next_cursor)
    if (next === undefined) return violated(`a page of ${id} has the cursor ${page.next_cursor}`)
    if (read.total !== undefined && total !== read.total)
      violated(`${id} ended with ${read.total} lines and has ${total}`)
    if (isTerminalStatus(page.status)) read.total = total
    const from = cursorOf(answer)
    const first = next - lines.length
    if (from === undefined) {
      if (next !== total) violated(`the newest page of ${id} leads to line ${next} of ${total}`)
      if (!page.has_more && first > 0 && dropped === 0) violated(`the newest page of ${id} hides ${first} older lines`)
    } else {
      if (next !== from + dropped + lines.length) {
        violated(
          `a page of ${id} from line ${from} has ${lines.length} lines, ${dropped} dropped, and leads to ${next}`
        )
      }
      if (page.has_more !== next < total)
        violated(`a page of ${id} leads to line ${next} of ${total}, has_more ${page.has_more}`)
      if (lines.length === 0 && page.has_more) violated(`a page of ${id} from line ${from} leads nowhere`)
    }
    for (const [index, line] of lines.entries()) checkLine(id, read, first + index, line)
    if (isTerminalStatus(page.status) && page.partial_line !== undefined) violated(`${id} ended with a partial line`)
    const bytes = lines.reduce((sum, line) => (line.includes(CUT) ? sum : sum + Buffer.byteLength(line)), 0)
    const most = expectLimit(config.all(), "max_output_bytes", facts.subjectOf(taskOfId(id))).highest
    if (bytes > most) violated(`a page of ${id} has ${bytes} bytes, ${most} may be kept`)
    if (dropped === 0) checkText(page, first)
  }

  /** Against what the program writes, where nothing can have changed it. */
  const checkText = (
    { output_lines: lines, status, task_id: id, total_lines: total }: OutputPage,
    first: number
  ): void => {
    const expected = expectedLines(id)
    if (expected === undefined) return
    if (total > expected.length) violated(`${id} has ${total} lines, its program writes ${expected.length}`)
    if (status === "completed" && total < expected.length)
      violated(`${id} completed with ${total} of ${expected.length} lines`)
    const stopped = isTerminalStatus(status) && status !== "completed"
    const fits = (line: string, index: number): boolean =>
      line === expected[index] || (stopped && index === total - 1 && expected[index]?.startsWith(line) === true)
    const wrong = lines.findIndex((line, index) => !line.includes(CUT) && !fits(line, first + index))
    if (wrong >= 0) {
      violated(
        `line ${first + wrong} of ${id} is ${JSON.stringify(lines[wrong])}, its program writes ${JSON.stringify(expected[first + wrong])}`
      )
    }
  }

  return {
    answer: (answer) => {
      const { tool, value } = answer
      if (tool === "ssh_get_task_output" && isPage(value)) checkPage(answer, value)
    }
  }
}
