import type { TaskStatus } from "../../task/Task.ts"
import { isTerminalStatus } from "../model/Facts.ts"
import { type TaskAnswer, taskAnswers } from "../model/TaskAnswers.ts"
import type { Answer, MakeWatch } from "./Watch.ts"

/** What never goes back. */
interface Counts {
  readonly progress: number
  readonly elapsed: number
  readonly bytes: number
  readonly lines: number
}

/** Answers about one task that are remembered: what is older than all calls under way is needed no more. */
const REMEMBERED = 16

const NAMES = ["progress", "elapsed", "bytes", "lines"] as const satisfies ReadonlyArray<keyof Counts>

/** The most that an answer, and all before it, said. */
interface Said {
  /** The number of the answer's event. */
  readonly index: number
  readonly counts: Counts
  /** Its terminal state, if it had one. */
  readonly end: TaskStatus | undefined
  readonly exitCode: number | undefined
}

const NOTHING: Said = {
  index: -1,
  counts: { progress: 0, elapsed: 0, bytes: 0, lines: 0 },
  end: undefined,
  exitCode: undefined
}

const bytesIn = ({ bytes_err: err, bytes_out: out, bytes_read: read }: TaskAnswer): number | undefined =>
  read ?? (out === undefined ? undefined : out + (err ?? 0))

const countsIn = (answer: TaskAnswer, before: Counts): Counts => ({
  progress: answer.progress_percent ?? before.progress,
  elapsed: answer.elapsed_ms ?? answer.duration_ms ?? before.elapsed,
  bytes: bytesIn(answer) ?? before.bytes,
  lines: answer.output_lines_available ?? before.lines
})

/** `progress_percent`, `elapsed_ms`, `bytes_read` and the lines never decrease; the status of a terminal task never changes. */
export const monotonicStatus: MakeWatch = ({ violated }) => {
  const said = new Map<string, Array<Said>>()

  const check = (call: Answer, answer: TaskAnswer): void => {
    const { exit_code: exitCode, status, task_id: id } = answer
    const history = said.get(id) ?? []
    said.set(id, history)
    // Only what was answered before this call began is sure to be older.
    const before = history.findLast(({ index }) => index < call.beganIndex) ?? NOTHING
    const counts = countsIn(answer, before.counts)
    for (const name of NAMES) {
      if (counts[name] < before.counts[name])
        violated(`${name} of ${id} went from ${before.counts[name]} to ${counts[name]}`)
    }
    if (before.end !== undefined && status !== before.end) violated(`${id} was ${before.end} and is ${status}`)
    if (
      before.end !== undefined &&
      exitCode !== undefined &&
      exitCode >= 0 &&
      before.exitCode !== undefined &&
      before.exitCode !== exitCode
    ) {
      violated(`the exit code of ${id} was ${before.exitCode} and is ${exitCode}`)
    }
    if (answer.progress_percent !== undefined && (answer.progress_percent === 100) !== isTerminalStatus(status)) {
      violated(`${id} is ${status} and ${answer.progress_percent} % done`)
    }
    const most = history.at(-1) ?? NOTHING
    if (history.length >= REMEMBERED) history.shift()
    history.push({
      index: call.index,
      counts: {
        progress: Math.max(counts.progress, most.counts.progress),
        elapsed: Math.max(counts.elapsed, most.counts.elapsed),
        bytes: Math.max(counts.bytes, most.counts.bytes),
        lines: Math.max(counts.lines, most.counts.lines)
      },
      end: most.end ?? (isTerminalStatus(status) ? status : undefined),
      exitCode: most.exitCode ?? (exitCode !== undefined && exitCode >= 0 ? exitCode : undefined)
    })
  }

  return {
    answer: (call) => {
      for (const answer of taskAnswers(call.value)) check(call, answer)
    }
  }
}
