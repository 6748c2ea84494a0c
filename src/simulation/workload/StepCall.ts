import { encodeLineCursor } from "../../task/LineCursor.ts"
import { commandText } from "./Program.ts"
import type { Step, TaskRef } from "./Scenario.ts"

/** A call of an MCP tool. */
export interface ToolCall {
  readonly tool: string
  readonly input: Readonly<Record<string, unknown>>
}

/** What a client remembers of the answers that it got. */
export interface ClientMemory {
  /** The id of a task, as far as the client could know it. */
  readonly taskId: (ref: TaskRef) => string | undefined
  /** The `next_cursor` of the last page of a task's output. */
  readonly cursor: (ref: TaskRef) => string | undefined
}

/** A well-formed id that no server ever gave out. */
export const NO_TASK = "nobody:0000000000000000:00000000000000000000000000"

const withTimeout = (seconds: number | undefined) => (seconds === undefined ? {} : { timeout_seconds: seconds })

/** The calls that a step makes, all at the same moment; none for a step that is not a call. */
export const callsOf = (step: Step, { cursor, taskId }: ClientMemory): ReadonlyArray<ToolCall> => {
  const idOf = (ref: TaskRef) => ({ task_id: taskId(ref) ?? NO_TASK })
  switch (step._tag) {
    case "Run":
    case "Start":
    case "Plan": {
      const command = commandText(step.program, step.key, " ".repeat(step.blanks))
      const tool = step._tag === "Run" ? "ssh_run" : step._tag === "Start" ? "ssh_run_async" : "ssh_plan"
      const timeout = step._tag === "Plan" ? {} : withTimeout(step.timeoutSeconds)
      return [{ tool, input: { alias: step.alias, command, ...timeout } }]
    }
    case "RunOnTag": {
      const command = commandText(step.program, step.key, " ".repeat(step.blanks))
      const input = {
        tag: step.tag,
        command,
        ...withTimeout(step.timeoutSeconds),
        ...(step.concurrency === undefined ? {} : { concurrency: step.concurrency }),
        ...(step.batch === undefined ? {} : { batch: step.batch }),
        ...(step.maxFailures === undefined ? {} : { max_failures: step.maxFailures }),
        ...(step.only === undefined ? {} : { only: step.only })
      }
      return [{ tool: "ssh_run_on_tag", input }]
    }
    case "Ping":
      return [{ tool: "ssh_ping", input: { alias: step.alias } }]
    case "Poll":
      return [{ tool: "ssh_get_task_status", input: idOf(step.task) }]
    case "PageOutput": {
      const from = step.from === "start" ? encodeLineCursor(0) : step.from === "last" ? cursor(step.task) : undefined
      const input = { ...idOf(step.task), max_lines: step.maxLines, ...(from === undefined ? {} : { cursor: from }) }
      return [{ tool: "ssh_get_task_output", input }]
    }
    case "Await":
      return [{ tool: "ssh_get_task_result", input: { ...idOf(step.task), wait_seconds: step.waitSeconds } }]
    case "Cancel":
      return [{ tool: "ssh_cancel_task", input: idOf(step.task) }]
    case "DoubleCancel": {
      const call = { tool: "ssh_cancel_task", input: idOf(step.task) }
      return [call, call]
    }
    case "List": {
      const { alias, status } = step
      const input = { ...(status === undefined ? {} : { status }), ...(alias === undefined ? {} : { alias }) }
      return [{ tool: "ssh_list_tasks", input }]
    }
    case "Reload":
      return [{ tool: "ssh_reload_config", input: {} }]
    case "Disconnect":
    case "Shutdown":
    case "ClockJump":
      return []
  }
}
