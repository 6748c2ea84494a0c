import { Effect, Option, Schema } from "effect"
import { TaskNotFound } from "../task/errors.ts"
import { TaskId } from "../task/Task.ts"
import { shownTaskId } from "./SafeText.ts"

const asTaskId = Schema.decodeUnknownOption(TaskId)

/** The task id, if the text has the shape of one. */
export const taskIdOption: (text: string) => Option.Option<TaskId> = asTaskId

/**
 * The task id, or the error of an unknown task: a malformed id must look like an unknown one, and must not reach the
 * tasks.
 */
export const knownTaskId = (text: string): Effect.Effect<TaskId, TaskNotFound> =>
  Effect.fromOption(asTaskId(text), () => new TaskNotFound({ taskId: shownTaskId(text) }))
