import type { JsonObject } from "../WireSchema.ts"

/** Says in `_meta` that a message belongs to a task (MCP 2025-11-25, basic/utilities/tasks, "Task Association"). */
export const relatedTask = (taskId: string): JsonObject => ({ "io.modelcontextprotocol/related-task": { taskId } })
