import { Effect, Fiber, Schedule } from "effect"
import type { FleetResult } from "../fleet/FleetResult.ts"
import type { TagRequest } from "../Orchestrator.ts"
import { Orchestrator } from "../Orchestrator.ts"
import type { CleanChunk } from "../task/TaskOutput.ts"
import type { TaskReport } from "../task/TaskReport.ts"
import { cancelAndReport } from "./CancelOnInterrupt.ts"
import { deniedBy, failed, ownFailure } from "./CliFailure.ts"
import type { LineSplitter } from "./LineSplitter.ts"
import { makeLineSplitter } from "./LineSplitter.ts"
import { makePrinter, printJson } from "./Printer.ts"
import { makeProgressLine } from "./ProgressLine.ts"
import { exitCodeOf } from "./RunOnHost.ts"

/** A command for the hosts of a tag, as the command line gave it. */
export type TagRun = Omit<TagRequest, "client" | "onOutput"> & { readonly json: boolean }

const TERMINAL = new Set<TaskReport["status"]>(["completed", "failed", "cancelled", "timeout"])

/** The seconds, the hosts that are done and the ones that are not, on one line of at most 80 columns. */
const progressText = (seconds: number, done: number, running: number, waiting: number): string =>
  `${seconds} s: ${done} done, ${running} running, ${waiting} waiting`

const describeHost = (result: FleetResult["results"][number]): string => {
  if ("denied" in result) return `${result.alias}: denied (${result.reason}): ${result.hint}`
  const code = exitCodeOf(result)
  const how =
    result.status === "failed" && result.exit_code >= 0
      ? `failed with exit code ${code}`
      : result.exit_signal === undefined
        ? result.status
        : `ended by signal ${result.exit_signal}`
  return `${result.alias}: ${how}${result.status_message === undefined ? "" : `: ${result.status_message}`}`
}

/** Whether every host that matched ran the command and ended with 0; false when none matched. Pure. */
export const allSucceeded = (result: FleetResult): boolean =>
  result.summary !== undefined &&
  result.summary.total_hosts > 0 &&
  result.summary.successful === result.summary.total_hosts &&
  (result.not_started ?? []).length === 0

/** The end of a fan-out for a person: a line for each host that did not succeed, then the counts. Pure. */
export const summarise = (result: FleetResult): ReadonlyArray<string> => {
  const { summary } = result
  if (summary === undefined) return [`tag ${result.tag}: ${result.note ?? "nothing was run"}`]
  const notStarted = result.not_started ?? []
  const counts = [
    `${summary.successful} of ${summary.total_hosts} hosts succeeded`,
    ...(["failed", "timeout", "cancelled", "denied"] as const)
      .filter((key) => summary[key] > 0)
      .map((key) => `${summary[key]} ${key}`),
    ...(notStarted.length === 0 ? [] : [`${notStarted.length} not started`])
  ]
  return [
    ...result.results.filter((host) => "denied" in host || host.status !== "completed").map(describeHost),
    ...(notStarted.length === 0 ? [] : [`not started: ${notStarted.join(", ")}`]),
    `tag ${result.tag}: ${counts.join(", ")}`
  ]
}

/** The lines of many hosts as they arrive, each behind its host's alias; unfinished lines come out at the end. */
const makeHostLines = (print: (stream: CleanChunk["stream"], text: string) => Effect.Effect<void>) => {
  const splitters = new Map<string, LineSplitter>()
  const splitter = (key: string): LineSplitter => {
    const known = splitters.get(key)
    if (known !== undefined) return known
    const made = makeLineSplitter()
    splitters.set(key, made)
    return made
  }
  const prefixed = (alias: string, lines: ReadonlyArray<string>) => lines.map((line) => `${alias}: ${line}\n`).join("")
  return {
    push: (alias: string, chunk: CleanChunk) =>
      print(chunk.stream, prefixed(alias, splitter(`${chunk.stream} ${alias}`).push(chunk.text))),
    flush: Effect.suspend(() =>
      Effect.forEach(
        [...splitters],
        ([key, held]) => {
          const [stream, alias] = key.split(" ", 2)
          return print(stream === "stderr" ? "stderr" : "stdout", prefixed(alias ?? "", held.flush()))
        },
        { discard: true }
      )
    )
  }
}

/** All tasks of this process. It runs one fan-out, so they are its parent and its hosts. */
const allTasks = Effect.gen(function* () {
  const orchestrator = yield* Orchestrator
  const tasks: Array<TaskReport> = []
  let cursor: string | undefined
  do {
    const page = yield* orchestrator.listTasks(cursor === undefined ? {} : { cursor })
    tasks.push(...page.tasks)
    cursor = page.next_cursor
  } while (cursor !== undefined)
  return tasks
}).pipe(Effect.catch(() => Effect.succeed<ReadonlyArray<TaskReport>>([])))

/**
 * Runs a command on the hosts of a tag: lines appear as they arrive behind `alias: `, on a terminal a progress line
 * stands below them, and the end is a summary on stderr. Fails unless every host succeeded. Interruption cancels the
 * fan-out, says whether the remote processes are known to be gone, and still prints the summary.
 */
export const runOnTag = Effect.fn("cli.runOnTag")(function* ({ json, ...request }: TagRun) {
  const orchestrator = yield* Orchestrator
  const printer = yield* makePrinter
  const progress = yield* makeProgressLine(printer)
  const lines = makeHostLines((stream, text) =>
    text === "" ? Effect.void : progress.above(stream === "stdout" ? printer.out(text) : printer.err(text))
  )
  const finish = Effect.fnUntraced(function* (result: FleetResult) {
    yield* lines.flush
    yield* progress.end
    if (json) yield* printJson(result)
    yield* printer.err(`${summarise(result).join("\n")}\n`)
  })
  // A task that expired while others still run must not be forgotten in the count.
  const ended = new Set<string>()
  const showProgress = Effect.gen(function* () {
    const tasks = (yield* allTasks).filter((task) => task.kind === "command")
    for (const task of tasks) if (TERMINAL.has(task.status)) ended.add(task.task_id)
    const count = (status: TaskReport["status"]) => tasks.filter((task) => task.status === status).length
    yield* progress.show(progressText(yield* progress.elapsedSeconds, ended.size, count("running"), count("pending")))
  })

  const run = Effect.gen(function* () {
    const fiber = yield* Effect.forkChild(
      orchestrator.runOnTagToEnd({ ...request, client: "cli", ...(json ? {} : { onOutput: lines.push }) }),
      { startImmediately: true }
    )
    if (printer.interactive) yield* Effect.forkScoped(Effect.repeat(showProgress, Schedule.spaced("1 second")))
    const cancel = Effect.gen(function* () {
      yield* progress.end
      const parent = (yield* allTasks).find((task) => task.kind === "fan_out" && !TERMINAL.has(task.status))
      if (parent === undefined) return
      yield* cancelAndReport(printer, `tag ${request.tag}`, parent.task_id)
      yield* Fiber.join(fiber).pipe(Effect.flatMap(finish), Effect.timeoutOption("1 second"), Effect.ignore)
    })
    return yield* Fiber.join(fiber).pipe(
      Effect.mapError((error) => (error._tag === "CommandDenied" ? deniedBy(error.denial) : ownFailure(error.message))),
      Effect.raceFirst(Effect.andThen(printer.closed, Effect.fail(ownFailure("Nobody reads the output any more")))),
      Effect.onError(() => cancel)
    )
  })
  const result = yield* run.pipe(Effect.scoped, Effect.ensuring(progress.end))
  yield* finish(result)
  if (!allSucceeded(result)) return yield* failed("")
})
