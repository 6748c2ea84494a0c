import { Predicate } from "effect"
import type { TaskStatus } from "../../task/Task.ts"
import type { ConfigFacts } from "./ConfigFacts.ts"
import { type Bounds, expectLimit, type LimitName } from "./ExpectedLimits.ts"
import { makeExpectedLines } from "./ExpectedOutput.ts"
import { endedAt, type Facts, isTerminalStatus, type TaskFacts, taskOfId } from "./Facts.ts"
import { checkFleetResult } from "./FleetModel.ts"
import type { Answer } from "../invariants/Watch.ts"
import { type TaskAnswer, taskAnswers } from "./TaskAnswers.ts"

/**
 * The states that a task had between two moments, both included: what it was in before, and each that it went to. A change
 * at the first moment itself may have come after the question.
 */
export const statusesBetween = (
  { history }: Pick<TaskFacts, "history">,
  from: number,
  to: number
): ReadonlySet<TaskStatus> => {
  const before = history.findLast(({ at }) => at < from)?.status ?? "pending"
  return new Set([before, ...history.filter(({ at }) => at >= from && at <= to).map(({ status }) => status)])
}

/** Milliseconds by which two ways to round differ. */
const ROUNDING = 1

/** Times that are lowered to whole milliseconds, within what a model that reads them elsewhere can tell. */
const isNear = (actual: number, lowest: number, highest: number): boolean =>
  actual >= lowest - ROUNDING && actual <= highest + ROUNDING

const FAILED: ReadonlySet<TaskStatus> = new Set(["failed", "cancelled", "timeout"])

const fieldOf = (value: unknown, field: string): unknown =>
  Predicate.hasProperty(value, field) ? value[field] : undefined

/**
 * The reference model of the task registry, in plain code: what each answer about tasks must be, as far as it follows from
 * what was seen of them. Returns what is wrong with an answer.
 */
export const makeModel = (facts: Facts, config: ConfigFacts): ((answer: Answer) => ReadonlyArray<string>) => {
  const expectedLines = makeExpectedLines(facts)

  const limitOf = (task: TaskFacts, name: LimitName): Bounds =>
    expectLimit(config.inForce(facts.submittedFrom(task), task.seenAt), name, facts.subjectOf(task))

  /** The status, and what goes with it, of one task in an answer. */
  const checkState = ({ at, beganAt, tool }: Answer, said: TaskAnswer, task: TaskFacts): ReadonlyArray<string> => {
    const possible = statusesBetween(task, beganAt, at)
    const problems: Array<string> = []
    // A promoted call says `running` of a task that waits for its slot, too.
    const isPromoted = said.hint !== undefined && said.status === "running" && tool !== "ssh_get_task_result"
    if (!possible.has(said.status) && !(isPromoted && possible.has("pending")))
      problems.push(`${said.task_id} is said to be ${said.status}, it was ${[...possible].join(" or ")}`)
    if (said.alias !== undefined && said.alias !== task.alias)
      problems.push(`${said.task_id} is said to be on ${said.alias}`)
    if (said.kind !== undefined && (said.kind === "fan_out") !== task.fanOut)
      problems.push(`${said.task_id} is said to be a ${said.kind}`)
    const elapsed = said.elapsed_ms ?? said.duration_ms
    if (elapsed !== undefined) {
      const started = task.history.find(({ status }) => status === "running")?.at
      const end = endedAt(task)
      const until = (moment: number) =>
        started === undefined ? 0 : Math.max(0, Math.min(moment, end ?? moment) - started)
      if (!isNear(elapsed, started === undefined || started > beganAt ? 0 : until(beganAt), until(at))) {
        problems.push(`${said.task_id} is said to have run ${elapsed} ms, it ran ${until(at)} ms`)
      }
    }
    if (said.keepAlive !== undefined && possible.size === 1) {
      const { highest, lowest } = limitOf(task, "task_result_ttl")
      const spent = isTerminalStatus(said.status) ? (beganAt - (endedAt(task) ?? beganAt)) / 1_000 : 0
      const kept = (seconds: number) => Math.max(0, Math.ceil(seconds - spent))
      if (!isNear(said.keepAlive, kept(lowest), kept(highest)))
        problems.push(`${said.task_id} is said to be kept ${said.keepAlive} s`)
    }
    return problems
  }

  /** How the remote command ended, against what its host saw. */
  const checkEnd = (said: TaskAnswer, task: TaskFacts): ReadonlyArray<string> => {
    if (task.fanOut || !facts.isOnly(task) || !isTerminalStatus(said.status)) return []
    const ends = facts.runsOf(task).flatMap((run) => run.ends)
    const { exit_code: code, exit_signal: signal } = said
    const problems: Array<string> = []
    if (code !== undefined && code >= 0 && !ends.some(({ end }) => end._tag === "Exited" && end.code === code)) {
      problems.push(`${task.id} is said to have ended with ${code}, its process did not`)
    }
    if (signal !== undefined && !ends.some(({ end }) => end._tag === "Signalled" && end.signal === signal)) {
      problems.push(`${task.id} is said to have been killed by ${signal}, its process was not`)
    }
    return problems
  }

  /** All that a command wrote, where nothing changed it and nothing is left out. Results of a fan-out share theirs. */
  const checkOutput = (
    { value }: Answer,
    { output, status, truncated }: TaskAnswer,
    { id }: TaskFacts
  ): ReadonlyArray<string> => {
    if (fieldOf(value, "task_id") !== id || status !== "completed" || output === undefined || truncated !== false)
      return []
    const text = expectedLines(id)
      ?.map((line) => `${line}\n`)
      .join("")
    return text === undefined || output === text
      ? []
      : [
          `${id} completed with the output ${JSON.stringify(output.slice(0, 200))}, not ${JSON.stringify(text.slice(0, 200))}`
        ]
  }

  /** A call that waits for a task: not longer than told, and no longer than the task goes on. */
  const checkWait = (
    { at, beganAt, tool }: Answer,
    task: TaskFacts,
    said: TaskStatus,
    seconds: Bounds,
    slack: number
  ): ReadonlyArray<string> => {
    const ended = endedAt(task)
    if (isTerminalStatus(said)) {
      const due = Math.max(beganAt, ended ?? at)
      return at > due + ROUNDING ? [`${tool} was answered ${at - due} ms after ${task.id} ended`] : []
    }
    const waited = at - beganAt
    return isNear(waited, seconds.lowest * 1_000, seconds.highest * 1_000 + slack)
      ? []
      : [`${tool} was answered after ${waited} ms while ${task.id} went on`]
  }

  const checkCancel = (answer: Answer): ReadonlyArray<string> => {
    const { at, beganAt, value } = answer
    const task = facts.tasks.get(String(fieldOf(value, "task_id")))
    const cancelled = fieldOf(value, "cancelled") === true
    if (task === undefined) return cancelled ? ["a task that does not exist was cancelled"] : []
    const statuses = statusesBetween(task, beganAt, at)
    const live = statuses.has("pending") || statuses.has("running")
    if (cancelled && !(live && statuses.has("cancelled"))) {
      return [`the cancel of ${task.id} is said to have worked, it was ${[...statuses].join(" or ")}`]
    }
    if (!cancelled && fieldOf(value, "message") !== "Task not found" && endedAt(task) === undefined) {
      return [`the cancel of ${task.id} is said to have come too late, and it goes on`]
    }
    if (fieldOf(value, "message") === (cancelled ? "Cancelled" : "Task not found or not cancellable")) return []
    return fieldOf(value, "message") === "Task not found" && !cancelled
      ? []
      : [`a cancel says ${JSON.stringify(value)}`]
  }

  const checkOne = (answer: Answer): ReadonlyArray<string> => {
    const { at, beganAt, input, isError, tool, value } = answer
    const id = String(fieldOf(value, "task_id"))
    const task = facts.tasks.get(id)
    const said = taskAnswers(value)[0]
    switch (tool) {
      case "ssh_cancel_task":
        return checkCancel(answer)
      case "ssh_run":
      case "ssh_run_on_tag": {
        if (task === undefined) return []
        const status = said?.status ?? "completed"
        const connect =
          1_000 * Math.max(...config.all().map(({ policy }) => policy.limits?.connect_timeout_seconds ?? 15))
        const problems = checkWait(answer, task, status, limitOf(task, "sync_wait_seconds"), connect)
        const failed = said !== undefined && FAILED.has(said.status)
        return tool === "ssh_run" && failed !== isError
          ? [...problems, `${id} is ${status}, isError ${isError}`]
          : problems
      }
      case "ssh_get_task_result": {
        if (task === undefined) return []
        const seconds = Number(fieldOf(input, "wait_seconds") ?? 0)
        return checkWait(answer, task, said?.status ?? "completed", { lowest: seconds, highest: seconds }, 0)
      }
      case "ssh_get_task_output": {
        const status = fieldOf(value, "status") as TaskStatus
        const possible = task === undefined ? undefined : statusesBetween(task, beganAt, at)
        return possible === undefined || possible.has(status)
          ? []
          : [`the output of ${id} is said to be that of a task that is ${status}`]
      }
      case "ssh_get_task_status":
      case "ssh_list_tasks":
        return at > beganAt + ROUNDING ? [`${tool} took ${at - beganAt} ms`] : []
      default:
        return []
    }
  }

  return (answer) => {
    if (answer.outcome === "rejected") return []
    const tasks = taskAnswers(answer.value).flatMap((said): ReadonlyArray<string> => {
      const task = facts.tasks.get(said.task_id)
      // A host's task of a fan-out that waits for a slot is first heard of in a list.
      if (task === undefined)
        return facts.commands.has(taskOfId(said.task_id).hash) ? [] : [`${said.task_id} is no task`]
      return [...checkState(answer, said, task), ...checkEnd(said, task), ...checkOutput(answer, said, task)]
    })
    return [...tasks, ...checkOne(answer), ...checkFleetResult(facts, answer.value)]
  }
}
