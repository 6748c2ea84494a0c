import { Effect } from "effect"
import { Orchestrator } from "../Orchestrator.ts"
import type { CancelReport } from "../task/TaskReport.ts"
import type { Printer } from "./Printer.ts"

/** What a person is told after Ctrl-C about the process on the host. Pure. */
export const describeCancel = (subject: string, report: CancelReport): string => {
  if (!report.cancelled) return `${subject}: ${report.message}`
  switch (report.remote_stopped) {
    case "confirmed":
      return `${subject}: cancelled; the remote process is confirmed stopped`
    case "not_started":
      return `${subject}: cancelled before the command started on the host`
    case "unconfirmed":
      return `${subject}: cancelled, but it is NOT confirmed that the remote process stopped; look on the host`
  }
}

/** Cancels a task, waits until its remote process is gone as far as can be known, and says what came of it. */
export const cancelAndReport = Effect.fn("cli.cancelAndReport")(function* (
  printer: Printer,
  subject: string,
  taskId: string
) {
  const orchestrator = yield* Orchestrator
  yield* printer.err(`${subject}: cancelling …\n`)
  yield* printer.err(`${describeCancel(subject, yield* orchestrator.cancel(taskId))}\n`)
})
