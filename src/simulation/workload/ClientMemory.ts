import { Predicate } from "effect"
import type { LoggedEvent } from "../world/EventLog.ts"
import type { TaskRef } from "./Scenario.ts"
import type { ClientMemory } from "./StepCall.ts"

/** What a client learns while it works. */
export interface LearningMemory extends ClientMemory {
  /** The step `key` was told the id of its task. */
  readonly started: (key: number, taskId: string) => void
  /** A call was answered; `key` is that of its step when it starts tasks. */
  readonly answered: (
    key: number | undefined,
    tool: string,
    input: Readonly<Record<string, unknown>>,
    value: unknown
  ) => void
  /** Finds the ids of a fan-out's hosts, which a client would list. */
  readonly event: (logged: LoggedEvent) => void
}

const textOf = (value: unknown, field: string): string | undefined => {
  const text = Predicate.hasProperty(value, field) ? value[field] : undefined
  return typeof text === "string" ? text : undefined
}

/** The hash in a task's id, which is that of its command: the same for a fan-out and its hosts' tasks. */
const hashOf = (taskId: string): string => taskId.split(":").at(-2) ?? ""

/** Makes an empty memory. It grows with the number of tasks of the run. */
export const makeClientMemory = (): LearningMemory => {
  const tasks = new Map<number, string>()
  /** By hash and alias: the commands of a scenario all differ. */
  const children = new Map<string, string>()
  const cursors = new Map<string, string>()

  const taskId = ({ child, of }: TaskRef): string | undefined => {
    const own = tasks.get(of)
    return own === undefined || child === undefined ? own : children.get(`${hashOf(own)} ${child}`)
  }
  return {
    taskId,
    cursor: (ref) => cursors.get(taskId(ref) ?? ""),
    started: (key, id) => {
      tasks.set(key, id)
    },
    answered: (key, tool, input, value) => {
      const id = textOf(value, "task_id")
      if (key !== undefined && id !== undefined) tasks.set(key, id)
      const paged = textOf(input, "task_id")
      const next = textOf(value, "next_cursor")
      if (tool === "ssh_get_task_output" && paged !== undefined && next !== undefined) cursors.set(paged, next)
    },
    event: ({ event }) => {
      if (event._tag === "Transition") children.set(`${event.hash} ${event.alias}`, event.task_id)
    }
  }
}
