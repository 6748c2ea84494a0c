import { Effect, Ref } from "effect"
import { Orchestrator } from "../Orchestrator.ts"
import type { RunResult } from "../task/RunResult.ts"
import type { CleanChunk } from "../task/TaskOutput.ts"
import type { TaskReport } from "../task/TaskReport.ts"
import { cancelAndReport } from "./CancelOnInterrupt.ts"
import { CliFailure, EXIT, deniedBy, ownFailure } from "./CliFailure.ts"
import { makePrinter, printJson } from "./Printer.ts"
import { makeProgressLine } from "./ProgressLine.ts"

/** A command for one host, as the command line gave it. */
export interface HostRun {
  readonly alias: string
  readonly command: string
  readonly timeoutSeconds?: number
  readonly json: boolean
}

/** Seconds of one wait for the result; the wait is repeated until the task ends. The service takes at most 55. */
const WAIT_SECONDS = 55

/** The exit code of `run`: the remote one, and 255 when there is none. Pure. */
export const exitCodeOf = (result: RunResult): number =>
  result.status === "completed" || (result.status === "failed" && result.exit_code >= 0) ? result.exit_code : EXIT.own

/** What is said about a run that ended without an exit code; "" for one that has it. Pure. */
export const describeEnd = (result: RunResult): string => {
  if (exitCodeOf(result) !== EXIT.own || result.exit_code === EXIT.own) return ""
  const how =
    result.status === "timeout"
      ? `timed out after ${(result.duration_ms / 1000).toFixed(1)} s`
      : result.exit_signal === undefined
        ? result.status
        : `ended by signal ${result.exit_signal}`
  return `${result.alias}: ${how}${result.status_message === undefined ? "" : `: ${result.status_message}`}`
}

/** What the progress line says about a task that still runs. Pure. */
const progressText = (alias: string, { progress_percent, status }: TaskReport, seconds: number): string =>
  `${alias}: ${status}, ${seconds} s${progress_percent > 0 ? ` (${progress_percent} % of the time limit)` : ""}`

/**
 * Runs a command on one host: output goes to the terminal as it arrives, remote stderr to stderr; on a terminal a
 * progress line stands below it after a second, except behind an unfinished line. Fails with the remote exit
 * code. Interruption cancels the task and says whether the remote process is known to be gone.
 */
export const runOnHost = Effect.fn("cli.runOnHost")(function* (request: HostRun) {
  const orchestrator = yield* Orchestrator
  const printer = yield* makePrinter
  const progress = yield* makeProgressLine(printer)
  const atLineStart = yield* Ref.make(true)
  const { alias, command, json, timeoutSeconds } = request

  const print = Effect.fnUntraced(function* ({ stream, text }: CleanChunk) {
    if (!text.endsWith("\n")) yield* progress.show("")
    yield* Ref.set(atLineStart, text.endsWith("\n"))
    yield* progress.above(stream === "stdout" ? printer.out(text) : printer.err(text))
  })

  const showProgress = (taskId: string) =>
    Effect.gen(function* () {
      if (!(yield* Ref.get(atLineStart))) return
      const report = yield* orchestrator.taskStatus(taskId)
      yield* progress.show(progressText(alias, report, yield* progress.elapsedSeconds))
    }).pipe(Effect.ignore, Effect.delay("1 second"), Effect.forever)

  const result = (taskId: string) =>
    orchestrator.taskResult(taskId, WAIT_SECONDS).pipe(
      Effect.retry({ while: (error) => error._tag === "TaskNotFinished" }),
      Effect.mapError((error) => ownFailure(error.message)),
      Effect.raceFirst(Effect.andThen(printer.closed, Effect.fail(ownFailure("Nobody reads the output any more")))),
      Effect.raceFirst(printer.interactive ? showProgress(taskId) : Effect.never),
      Effect.ensuring(progress.end),
      Effect.onError(() => cancelAndReport(printer, alias, taskId))
    )

  const answer = yield* orchestrator
    .start({
      alias,
      command,
      client: "cli",
      ...(timeoutSeconds === undefined ? {} : { timeoutSeconds }),
      ...(json ? {} : { onOutput: print })
    })
    .pipe(
      Effect.mapError((error) => (error._tag === "CommandDenied" ? deniedBy(error.denial) : ownFailure(error.message))),
      Effect.flatMap((started) => result(started.task_id))
    )
  if (!("alias" in answer)) return yield* ownFailure("The task's result is not that of one host")

  if (json) yield* printJson(answer)
  const exitCode = exitCodeOf(answer)
  if (exitCode !== 0) return yield* new CliFailure({ exitCode, text: describeEnd(answer) })
})
