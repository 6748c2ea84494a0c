import { Predicate } from "effect"
import { MAX_RECORDS } from "../../task/TaskRegistry.ts"
import { type Bounds, expectLimit } from "../model/ExpectedLimits.ts"
import { endedAt, type TaskFacts } from "../model/Facts.ts"
import { taskAnswers } from "../model/TaskAnswers.ts"
import type { Answer, Basis, MakeWatch } from "./Watch.ts"

/** A result is gone at most so long after its TTL: the sweep comes once a second. */
const SWEEP_MILLIS = 1_001

/** Tasks beyond which a full registry may forget one before its time. */
const NEARLY_FULL = MAX_RECORDS - 100

/** The newest tasks, which a list of all tasks is searched for. */
const LISTED = 300

/** Tools that read one task and say when there is none. */
const READERS = new Set(["ssh_get_task_status", "ssh_get_task_output", "ssh_get_task_result"])

/** The TTL of a task, in milliseconds. */
const ttlOf = ({ config, facts }: Basis, task: TaskFacts): Bounds => {
  const states = config.inForce(facts.submittedFrom(task), task.seenAt)
  const { highest, lowest } = expectLimit(states, "task_result_ttl", facts.subjectOf(task))
  return { lowest: lowest * 1_000, highest: highest * 1_000 }
}

const taskIn = (input: unknown): string => (Predicate.hasProperty(input, "task_id") ? String(input.task_id) : "")

/** A result is readable until its TTL and gone within one sweep after; after all work and TTLs nothing is held. */
export const keptUntilTtl: MakeWatch = (basis) => {
  const { facts, violated } = basis
  const isFull = () => facts.tasks.size > NEARLY_FULL

  const checkGone = (id: string, at: number): void => {
    const task = facts.tasks.get(id)
    if (task === undefined || isFull()) return
    const ended = endedAt(task)
    if (ended === undefined) return violated(`${id} is not found while it goes on`)
    const left = ended + ttlOf(basis, task).lowest - at
    if (left > 0) violated(`${id} is not found, ${Math.ceil(left)} ms before its TTL ends`)
  }

  const checkThere = (id: string, beganAt: number): void => {
    const task = facts.tasks.get(id)
    const ended = task === undefined ? undefined : endedAt(task)
    if (task === undefined || ended === undefined) return
    const over = beganAt - (ended + ttlOf(basis, task).highest + SWEEP_MILLIS)
    if (over > 0) violated(`${id} is still there, ${Math.ceil(over)} ms after its TTL and the sweep`)
  }

  const checkList = ({ at, beganAt, input, value }: Answer): void => {
    if (Predicate.hasProperty(value, "next_cursor") || Predicate.hasProperty(input, "status") || isFull()) return
    const alias = Predicate.hasProperty(input, "alias") ? input.alias : undefined
    const listed = new Set(taskAnswers(value).map(({ task_id }) => task_id))
    for (const task of facts.newest(LISTED)) {
      if (task.seenAt >= beganAt || (alias !== undefined && (task.alias !== alias || task.fanOut))) continue
      const ended = endedAt(task)
      const isKept = ended === undefined || ended + ttlOf(basis, task).lowest > at
      if (isKept && !listed.has(task.id)) violated(`${task.id} is not in the list of all tasks`)
    }
  }

  return {
    answer: (answer) => {
      const { at, beganAt, input, outcome, tool, value } = answer
      if (READERS.has(tool)) {
        const id = taskIn(input)
        if (outcome === "rejected" && String(value).includes("Task not found")) checkGone(id, at)
        if (outcome === "answered") checkThere(id, beganAt)
      }
      if (tool === "ssh_cancel_task" && Predicate.hasProperty(value, "message") && value.message === "Task not found") {
        checkGone(taskIn(input), at)
      }
      if (tool === "ssh_list_tasks" && outcome === "answered") {
        for (const { task_id } of taskAnswers(value)) checkThere(task_id, beganAt)
        checkList(answer)
      }
    },
    observe: ({ fleet, held, phase }) => {
      if (phase !== "quiet") return
      const { fibers, queued, records, slots } = held
      if (records + fibers + slots + queued > 0) {
        violated(`after all TTLs there are ${records} records, ${fibers} fibers, ${slots} slots and ${queued} waiting`)
      }
      const { channels, connecting, connections } = fleet
      if (channels + connecting + connections > 0) {
        violated(
          `after all work there are ${connections} connections, ${connecting} handshakes and ${channels} channels`
        )
      }
    }
  }
}
