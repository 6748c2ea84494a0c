import { Predicate } from "effect"
import { type RunFacts, statusNow, type TaskFacts, taskOfId } from "../model/Facts.ts"
import type { Observation } from "./Observation.ts"
import { taskAnswers } from "../model/TaskAnswers.ts"
import type { MakeWatch } from "./Watch.ts"

/** What an answer says about the remote process. */
type Claim = "confirmed" | "not_started"

const isClaim = (value: unknown): value is Claim => value === "confirmed" || value === "not_started"

/** What a status message of a result says about it. */
const claimIn = (message: string): Claim | undefined => {
  if (message === "Cancelled: the remote process was stopped." || message.startsWith("Stopped after "))
    return "confirmed"
  return message.endsWith("nothing ran.") || message.includes(" Nothing ran.") ? "not_started" : undefined
}

/**
 * After a stop is `confirmed`, the host has no live process of that task and its channel is closed; `not_started` means
 * that no process ever started. On a host without a fault every stop is confirmed. What is left on a host in the end belongs to a task whose stop was not confirmed.
 */
export const stoppedMeansGone: MakeWatch = ({ facts, violated }) => {
  const claims = new Map<string, Claim>()
  const unconfirmed = new Set<string>()

  const check = (id: string, claim: Claim): void => {
    const task = taskOfId(id)
    if (!facts.isOnly(task)) return
    claims.set(id, claim)
    for (const run of facts.runsOf(task)) {
      if (claim === "not_started" && run.started > 0)
        violated(`${id} is said not to have started, but ran on ${run.alias}`)
      if (claim === "confirmed" && run.live.size > 0)
        violated(`${id} is said to be stopped, but is alive on ${run.alias}`)
      if (claim === "confirmed" && run.channels.size > 0)
        violated(`${id} is said to be stopped, but has a channel open`)
    }
  }

  /** On a host with which nothing is wrong, a stop is confirmed: one that never is would be true, and no stop. */
  const checkUnconfirmed = (id: string): void => {
    const { alias, fanOut } = taskOfId(id)
    const jump = facts.hosts.get(alias)?.jump
    const hosts = fanOut
      ? [...facts.hosts.values()]
      : [alias, jump ?? alias].flatMap((one) => facts.hosts.get(one) ?? [])
    if (hosts.every(({ faults }) => faults.length === 0))
      violated(`${id} could not be stopped on a host without a fault`)
  }

  const checkEnd = (task: TaskFacts, run: RunFacts): void => {
    const ended = run.ends.some(({ end }) => end._tag === "Exited" && end.code === 0)
    if (!ended) violated(`${task.id} completed, but its process did not end with 0`)
  }

  /** Why a process may be alive although its task ended; the log names what could not be stopped. */
  const mayLive = ({ id, ...task }: TaskFacts): boolean => {
    const status = statusNow({ id, ...task })
    return status === "failed" || unconfirmed.has(id)
  }

  const leftOver = ({ processes }: Observation): void => {
    for (const process of processes()) {
      const run = facts.runOfTag(process.tag)
      const tasks = run?.command === undefined ? [] : facts.tasksOf(run.alias, run.command.hash)
      if (!tasks.some(mayLive)) violated(`${process.command} is alive on ${process.alias} and nobody was told`)
    }
  }

  return {
    event: ({ event }) => {
      switch (event._tag) {
        case "Answered": {
          const { tool, value } = event
          if (tool === "ssh_cancel_task" && Predicate.hasProperty(value, "remote_stopped")) {
            const { remote_stopped: remote } = value
            const id = Predicate.hasProperty(value, "task_id") ? String(value.task_id) : ""
            const isKnown = Predicate.hasProperty(value, "message") && value.message !== "Task not found"
            if (isClaim(remote) && isKnown) check(id, remote)
            const worked = Predicate.hasProperty(value, "cancelled") && value.cancelled === true
            if (remote === "unconfirmed" && worked) checkUnconfirmed(id)
          }
          for (const { status_message: message, task_id: id } of taskAnswers(value)) {
            const claim = message === undefined ? undefined : claimIn(message)
            if (claim !== undefined) check(id, claim)
          }
          return
        }
        case "Log":
          if (event.event === "task.stop.unconfirmed" && Predicate.hasProperty(event.fields, "task_id")) {
            unconfirmed.add(String(event.fields.task_id))
          }
          return
        case "Transition": {
          const task = facts.tasks.get(event.task_id)
          if (event.to !== "completed" || task === undefined || task.fanOut || !facts.isOnly(task)) return
          const [run] = facts.runsOf(task)
          if (run === undefined) return violated(`${task.id} completed, but its host saw no run`)
          return checkEnd(task, run)
        }
        case "ProcessStarted": {
          const hash = facts.byCanonical.get(event.command)?.hash
          for (const { id } of hash === undefined ? [] : facts.tasksOf(event.alias, hash)) {
            if (claims.get(id) === "not_started") violated(`${id} was said not to have started, and started then`)
          }
          return
        }
        default:
          return
      }
    },
    observe: (observation) => {
      if (observation.phase !== "working") leftOver(observation)
    }
  }
}
