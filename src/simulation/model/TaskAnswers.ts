import { Predicate, Schema } from "effect"
import { TaskStatus } from "../../task/Task.ts"

const count = Schema.optionalKey(Schema.Number)
const text = Schema.optionalKey(Schema.String)

/** What answers of any tool say about one task: the fields that statuses, results and lists share. */
export const TaskAnswer = Schema.Struct({
  task_id: Schema.String,
  status: TaskStatus,
  alias: text,
  hash: text,
  kind: text,
  keepAlive: count,
  progress_percent: count,
  elapsed_ms: count,
  duration_ms: count,
  bytes_read: count,
  bytes_out: count,
  bytes_err: count,
  output_lines_available: count,
  exit_code: count,
  exit_signal: text,
  cancelled: Schema.optionalKey(Schema.Boolean),
  timeout: Schema.optionalKey(Schema.Boolean),
  truncated: Schema.optionalKey(Schema.Boolean),
  output: text,
  target_ip: text,
  max_seconds: count,
  status_message: text,
  hint: text
})
export type TaskAnswer = typeof TaskAnswer.Type

const isTaskAnswer = Schema.is(TaskAnswer)

const listIn = (value: unknown, field: "tasks" | "results"): ReadonlyArray<unknown> => {
  const list = Predicate.hasProperty(value, field) ? value[field] : undefined
  return Array.isArray(list) ? list : []
}

const readAnswers = (value: unknown): ReadonlyArray<TaskAnswer> =>
  [value, ...listIn(value, "tasks"), ...listIn(value, "results")].filter(isTaskAnswer)

/** What was read in answers that somebody still holds: several invariants look at the same ones. */
const known = new WeakMap<object, ReadonlyArray<TaskAnswer>>()

/** What an answer says about tasks: about the one that it is about, and about those of its list. Answers do not change. */
export const taskAnswers = (value: unknown): ReadonlyArray<TaskAnswer> => {
  if (typeof value !== "object" || value === null) return []
  const before = known.get(value)
  if (before !== undefined) return before
  const answers = readAnswers(value)
  known.set(value, answers)
  return answers
}
