import type { ConfigUnusable, HostNotFound } from "../fleet/errors.ts"
import type { InvalidCursor, TaskNotFound } from "../task/errors.ts"
import { printable, shown, shownTaskId } from "./SafeText.ts"

/** The errors that have no result of their own: a client gets one sentence and the next step. */
export type ToolError = HostNotFound | ConfigUnusable | TaskNotFound | InvalidCursor

/** Configuration problems that one text lists; the rest is counted. */
const PROBLEMS_SHOWN = 10

/** Characters of one configuration problem. */
const PROBLEM_LENGTH = 300

/** Joins a text and the next step into what a client sees. */
const errorSentence = (text: string, next: string): string => `Error: ${text}. ${next}`

/** At most `maximum` of `texts`, joined, with the number of those left out. */
const listed = (texts: ReadonlyArray<string>, maximum: number): string => {
  const rest = texts.length - maximum
  return texts.slice(0, maximum).join("; ") + (rest > 0 ? `; and ${rest} more` : "")
}

/** What a client is told about an error of `tool`. No path, address, user name or secret. */
export const errorText = (error: ToolError, tool: string): string => {
  switch (error._tag) {
    case "HostNotFound":
      return errorSentence(
        `Host alias not found: ${shown(error.alias, 100)}`,
        "Call ssh_list_hosts to see the aliases."
      )
    case "ConfigUnusable":
      return errorSentence(
        `Configuration error: ${listed(
          error.problems.map((problem) => printable(problem, PROBLEM_LENGTH)),
          PROBLEMS_SHOWN
        )}`,
        "Ask the operator to fix it (`mcp-ssh-orchestrator check` prints every problem), then call ssh_reload_config."
      )
    case "TaskNotFound":
      return errorSentence(
        `Task not found${tool === "ssh_get_task_status" ? "" : " or expired"}: ${shownTaskId(error.taskId)}`,
        "Call ssh_list_tasks to see the tasks that are still kept."
      )
    case "InvalidCursor":
      return errorSentence(
        "cursor is not valid",
        "Leave cursor out to start again, then pass next_cursor as it was returned."
      )
  }
}

/** Problems with the arguments of one call that are named. */
const ARGUMENT_PROBLEMS_SHOWN = 10

/** What a client is told about arguments that do not fit the input schema: all problems in one text. */
export const argumentErrorText = (problems: ReadonlyArray<string>, tool: string): string =>
  errorSentence(listed(problems, ARGUMENT_PROBLEMS_SHOWN), `Correct the arguments of ${tool} and call it again.`)

/** What a client is told when a call ended in a defect. The cause is in the log only. */
export const INTERNAL_ERROR = errorSentence(
  "Internal error",
  "The outcome is unknown: look with ssh_list_tasks before you try again, and tell the operator; the server's log has the cause."
)

/** What a client is told when it has more calls open than the server takes. */
export const TOO_MANY_CALLS = errorSentence(
  "Too many calls at the same time",
  "Wait for open calls to be answered; use ssh_run_async or ssh_run_on_tag instead of many calls."
)
