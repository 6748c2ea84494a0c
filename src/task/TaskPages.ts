import { Effect, Option } from "effect"
import { InvalidCursor } from "./errors.ts"
import { decodeCursor, encodeCursor } from "./PageCursor.ts"
import type { TaskId, TaskStatus } from "./Task.ts"
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

/** The ids of one page, and where the next one begins. */
export interface TaskIdPage {
  readonly ids: ReadonlyArray<TaskId>
  readonly next_cursor?: string
}

/**
 * One page of the ids of tasks: they are paged before anything is put together about them. The cursor names the last task
 * of the page before; once that task expired, the cursor is no longer valid and the list is to be read from its start.
 */
export const pageOfTaskIds = (
  all: ReadonlyArray<TaskId>,
  cursor?: string
): Effect.Effect<TaskIdPage, InvalidCursor> => {
  const last =
    cursor === undefined
      ? Option.some(-1)
      : Option.map(decodeCursor("tasks", cursor), (id) => all.findIndex((each) => each === id))
  if (Option.isNone(last) || (cursor !== undefined && last.value < 0)) return Effect.fail(new InvalidCursor())
  const from = last.value + 1
  const ids = all.slice(from, from + TASKS_PER_PAGE)
  const end = ids.at(-1)
  return Effect.succeed({
    ids,
    ...(end !== undefined && from + ids.length < all.length ? { next_cursor: encodeCursor("tasks", end) } : {})
  })
}
