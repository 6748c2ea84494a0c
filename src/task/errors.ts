import { Schema } from "effect"
import { TaskStatus } from "./Task.ts"

/** No task of this id is known: it never existed, or its result expired. Both look the same on purpose. */
export class TaskNotFound extends Schema.TaggedError<TaskNotFound>()("TaskNotFound", { taskId: Schema.String }) {
  override get message(): string {
    return `Task not found or expired: ${this.taskId}`
  }
}

/** A result was asked for before the task ended. */
export class TaskNotFinished extends Schema.TaggedError<TaskNotFinished>()("TaskNotFinished", {
  taskId: Schema.String,
  status: TaskStatus,
  /** Seconds to wait before the next attempt. */
  pollFrequency: Schema.Int
}) {
  override get message(): string {
    return `Task is still ${this.status}: ${this.taskId}`
  }
}

/** A cursor that this server did not issue for this list or task. */
export class InvalidCursor extends Schema.TaggedError<InvalidCursor>()("InvalidCursor", {}) {
  override get message(): string {
    return "cursor is not valid"
  }
}

/** The task was not admitted: too many are waiting, or the server is shutting down. Nothing ran. */
export class LimitReached extends Schema.TaggedError<LimitReached>()("LimitReached", { detail: Schema.String }) {
  override get message(): string {
    return this.detail
  }
}
