import { DateTime } from "effect"
import type { TaskStatus } from "../../task/Task.ts"
import type { TaskDetail } from "../../task/TaskDetail.ts"
import type { McpTask } from "./Tasks.ts"

/**
 * Milliseconds between polls that a client is asked for. Less than what the tools advise a model, since only a poll
 * costs little; clients wait this long before they look whether a short command ended.
 */
export const POLL_INTERVAL = 1000

const STATUS: { readonly [K in TaskStatus]: McpTask["status"] } = {
  pending: "working",
  running: "working",
  completed: "completed",
  failed: "failed",
  timeout: "failed",
  cancelled: "cancelled"
}

/** Why the task stands as it does. A client that shows a failed task shows often nothing else of it. */
const statusMessage = ({ exit_code, status, status_message }: TaskDetail): string | undefined => {
  if (status_message !== undefined) return status_message
  if (status === "pending") return "The command has not started yet: it waits for a free slot or for the connection."
  return status === "failed" && exit_code !== undefined ? `The command ended with exit code ${exit_code}.` : undefined
}

/** Milliseconds since the epoch as ISO 8601 in UTC. */
export const isoTime = (millis: number): string => DateTime.formatIso(DateTime.makeUnsafe(millis))

/** A task as MCP 2025-11-25 shows it. A run that timed out is a failed one; its message says so. */
export const mcpTaskOf = (detail: TaskDetail): McpTask => {
  const message = statusMessage(detail)
  return {
    taskId: detail.task_id,
    status: STATUS[detail.status],
    ...(message === undefined ? {} : { statusMessage: message }),
    createdAt: isoTime(detail.createdAt),
    lastUpdatedAt: isoTime(detail.updatedAt),
    ttl: detail.keptFor,
    pollInterval: POLL_INTERVAL
  }
}
