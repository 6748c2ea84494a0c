import type { TaskStatus } from "../../task/Task.ts"
import { isTerminalStatus, statusNow } from "../model/Facts.ts"
import type { MakeWatch } from "./Watch.ts"

/** The edges of the state machine (design: `Pending → Running → …`, and `Pending →` any terminal state). */
const isEdge = (from: TaskStatus, to: TaskStatus): boolean =>
  !isTerminalStatus(from) && to !== "pending" && !(from === "running" && to === "running")

/** Every admitted task reaches exactly one terminal state, and its transitions are edges of the state machine. */
export const oneTerminalState: MakeWatch = ({ facts, violated }) => ({
  event: ({ event }) => {
    if (event._tag !== "Transition") return
    const before = facts.tasks.get(event.task_id)?.history.at(-2)?.status ?? "pending"
    if (event.from !== before) violated(`${event.task_id} was ${before}, not ${event.from}, before ${event.to}`)
    else if (!isEdge(before, event.to as TaskStatus)) violated(`${event.task_id} went from ${before} to ${event.to}`)
  },
  observe: ({ phase }) => {
    if (phase === "working") return
    for (const task of facts.tasks.values()) {
      const status = statusNow(task)
      if (!isTerminalStatus(status)) violated(`${task.id} is still ${status} in the end`)
    }
  }
})
