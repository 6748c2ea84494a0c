import { Effect, Option } from "effect"
import { InvalidCursor } from "./errors.ts"
import { decodeCursor, encodeCursor } from "./PageCursor.ts"
import type { TaskStatus } from "./Task.ts"
import type { TaskReport } from "./TaskReport.ts"

/** Tasks on one page of the task list. */
const TASKS_PER_PAGE = 100

/** Which tasks to list, and where to go on. */
export interface TaskPageOptions {
  readonly status?: TaskStatus
  readonly alias?: string
  readonly cursor?: string
}

/** A page of tasks, newest first, 100 a page. */
export interface TaskList<A extends TaskReport = TaskReport> {
  readonly tasks: ReadonlyArray<A>
  readonly next_cursor?: string
}

/**
 * One page of `tasks`. The cursor names the last task of the page before; once that task expired, the cursor is no
 * longer valid and the list is to be read from its start.
 */
export const pageOfTasks = <A extends TaskReport>(
  tasks: ReadonlyArray<A>,
  cursor?: string
): Effect.Effect<TaskList<A>, InvalidCursor> => {
  const last =
    cursor === undefined
      ? Option.some(-1)
      : Option.map(decodeCursor("tasks", cursor), (id) => tasks.findIndex((t) => t.task_id === id))
  if (Option.isNone(last) || (cursor !== undefined && last.value < 0)) return Effect.fail(new InvalidCursor())
  const from = last.value + 1
  const page = tasks.slice(from, from + TASKS_PER_PAGE)
  const end = page.at(-1)
  return Effect.succeed({
    tasks: page,
    ...(end !== undefined && from + page.length < tasks.length
      ? { next_cursor: encodeCursor("tasks", end.task_id) }
      : {})
  })
}
