import type { Effect } from "effect"
import type { InvalidCursor, TaskNotFound } from "../../task/errors.ts"
import type { TaskProgress } from "../Progress.ts"
import type { ToolResult } from "../Tool.ts"

/** A task as MCP 2025-11-25 shows it (schema, `Task`). */
export interface McpTask {
  readonly taskId: string
  readonly status: "working" | "completed" | "failed" | "cancelled"
  readonly statusMessage?: string
  /** ISO 8601. */
  readonly createdAt: string
  /** ISO 8601. */
  readonly lastUpdatedAt: string
  /** Milliseconds from its creation for which it is kept at least. */
  readonly ttl: number
  /** Milliseconds to wait between polls. */
  readonly pollInterval: number
}

/** One page of `tasks/list`. */
export interface TaskPage {
  readonly tasks: ReadonlyArray<McpTask>
  readonly nextCursor?: string
}

/** The tasks that a server's tools make: the same ones, under the same ids, as the tools themselves show. */
export interface Tasks<R> {
  readonly get: (taskId: string) => Effect.Effect<McpTask, TaskNotFound, R>
  readonly list: (cursor?: string) => Effect.Effect<TaskPage, InvalidCursor, R>
  /** Returns once the task ended, at once when it has. */
  readonly ended: (taskId: string) => Effect.Effect<void, TaskNotFound, R>
  /** What a task that ended came to, as the call would have answered. */
  readonly result: (taskId: string) => Effect.Effect<ToolResult, TaskNotFound, R>
  /** Stops a task and returns once what it did is stopped; false when it is unknown or had ended. */
  readonly cancel: (taskId: string) => Effect.Effect<boolean, never, R>
  /** Keeps the task at least `ttl` milliseconds from its creation. */
  readonly retain: (taskId: string, ttl: number) => Effect.Effect<void, TaskNotFound, R>
  readonly progress: (taskId: string) => Effect.Effect<TaskProgress, TaskNotFound, R>
}
