import { expectLimit } from "../model/ExpectedLimits.ts"
import type { TaskFacts } from "../model/Facts.ts"
import type { MakeWatch } from "./Watch.ts"

/** Beyond its time limit, what a stop may take: 2 s of grace, 5 s more, and the close of the channel. */
const STOP_MILLIS = 10_000

/**
 * How long a command may be admitted before it starts or ends: 60 s for a slot, 60 s for a place on a connection, 60 s for
 * the turn of its handshake and 60 s for that of a jump host's, 15 s each for two connects, the exec and its header, all
 * but the first twice when it moves to another connection, and a stop.
 */
const PENDING_MILLIS = 60_000 + 2 * (3 * 60_000 + 4 * 15_000) + STOP_MILLIS

/** A command is stopped at its time limit, not before and not much later; it does not wait for ever to start. */
export const timesKept: MakeWatch = ({ config, facts, violated }) => {
  const checkRun = (task: TaskFacts, began: number, ended: number, timedOut: boolean): void => {
    const [step, ...others] = facts.commands.get(task.hash)?.steps ?? []
    if (step === undefined || others.length > 0) return
    const states = config.inForce(facts.submittedFrom(task), task.seenAt)
    const limit = expectLimit(states, "max_seconds", facts.subjectOf(task))
    const asked = step.timeoutSeconds ?? Number.POSITIVE_INFINITY
    const millis = ended - began
    const least = 1_000 * Math.min(limit.lowest, asked)
    const most = 1_000 * Math.min(limit.highest, asked)
    if (timedOut && millis < least - 1) violated(`${task.id} timed out after ${millis} ms, it had ${least} ms`)
    if (millis > most + STOP_MILLIS) violated(`${task.id} ran ${millis} ms, it had ${most} ms`)
  }

  return {
    event: ({ at, event }) => {
      if (event._tag !== "Transition") return
      const task = facts.tasks.get(event.task_id)
      if (task === undefined || task.fanOut) return
      const began = task.history.find(({ status }) => status === "running")?.at
      if (event.to !== "running" && began !== undefined) return checkRun(task, began, at, event.to === "timeout")
      const waited = at - task.seenAt
      if (waited > PENDING_MILLIS) violated(`${task.id} was pending for ${Math.round(waited)} ms`)
    }
  }
}
