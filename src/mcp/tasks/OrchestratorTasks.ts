import { Duration, Effect } from "effect"
import { Orchestrator } from "../../Orchestrator.ts"
import { TaskNotFound } from "../../task/errors.ts"
import type { TaskId } from "../../task/Task.ts"
import type { TaskDetail } from "../../task/TaskDetail.ts"
import type { OutputPage } from "../../task/TaskReport.ts"
import { knownTaskId } from "../KnownTaskId.ts"
import type { TaskProgress } from "../Progress.ts"
import { run } from "../tools/run.ts"
import { runOnTag } from "../tools/runOnTag.ts"
import { mcpTaskOf } from "./McpTaskOf.ts"
import type { Tasks } from "./Tasks.ts"

/** Characters of an output line in a progress message. */
const LINE_LENGTH = 200

/** The newest line of a page, cut: the line that is being written, or else the last whole one. */
export const newestLine = ({ output_lines, partial_line }: OutputPage): string | undefined => {
  const line = [partial_line, output_lines.at(-1)].find((text) => text !== undefined && text.trim() !== "")
  if (line === undefined || line.length <= LINE_LENGTH) return line
  return `${Array.from(line.slice(0, LINE_LENGTH + 1))
    .slice(0, -1)
    .join("")}…`
}

/** Runs `use` with the service and the id; a malformed id gets the answer of an unknown one. */
const about = <A, E>(
  taskId: string,
  use: (orchestrator: Orchestrator["Service"], taskId: TaskId) => Effect.Effect<A, E>
) => Effect.flatMap(knownTaskId(taskId), (id) => Orchestrator.use((orchestrator) => use(orchestrator, id)))

const progressOf = Effect.fnUntraced(function* (orchestrator: Orchestrator["Service"], detail: TaskDetail) {
  const total = detail.maxSeconds === 0 ? {} : { total: detail.maxSeconds }
  if (detail.kind === "fan_out") {
    return { ...total, ...(detail.status_message === undefined ? {} : { message: detail.status_message }) }
  }
  const page = yield* Effect.option(orchestrator.taskOutput(detail.task_id, { maxLines: 1 }))
  const message = page._tag === "Some" ? newestLine(page.value) : undefined
  return { ...total, ...(message === undefined ? {} : { message }) } satisfies TaskProgress
})

/** The tasks of the orchestrator as MCP tasks. */
export const orchestratorTasks: Tasks<Orchestrator> = {
  get: Effect.fn("OrchestratorTasks.get")((taskId) =>
    about(taskId, (orchestrator, id) => Effect.map(orchestrator.taskDetail(id), mcpTaskOf))
  ),
  list: Effect.fn("OrchestratorTasks.list")(function* (cursor) {
    const { next_cursor, tasks } = yield* Orchestrator.use((orchestrator) => orchestrator.listTaskDetails(cursor))
    return { tasks: tasks.map(mcpTaskOf), ...(next_cursor === undefined ? {} : { nextCursor: next_cursor }) }
  }),
  ended: Effect.fn("OrchestratorTasks.ended")((taskId) =>
    about(taskId, (orchestrator, id) => orchestrator.awaitTask(id))
  ),
  result: Effect.fn("OrchestratorTasks.result")(function* (taskId) {
    const { kind } = yield* about(taskId, (orchestrator, id) => orchestrator.taskDetail(id))
    const { task } = kind === "fan_out" ? runOnTag : run
    if (task === undefined) return yield* new TaskNotFound({ taskId })
    // The result of a task that ended is there, or expired meanwhile.
    return yield* Effect.catchTag(task.result(taskId), "TaskNotFinished", Effect.die)
  }),
  cancel: Effect.fn("OrchestratorTasks.cancel")((taskId) =>
    about(taskId, (orchestrator, id) => Effect.map(orchestrator.cancel(id), ({ cancelled }) => cancelled)).pipe(
      Effect.orElseSucceed(() => false)
    )
  ),
  retain: Effect.fn("OrchestratorTasks.retain")((taskId, ttl) =>
    about(taskId, (orchestrator, id) => orchestrator.retainTask(id, Duration.millis(ttl)))
  ),
  progress: Effect.fn("OrchestratorTasks.progress")((taskId) =>
    about(taskId, (orchestrator, id) =>
      Effect.flatMap(orchestrator.taskDetail(id), (detail) => progressOf(orchestrator, detail))
    )
  )
}
