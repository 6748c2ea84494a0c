import { Effect } from "effect"
import type { Orchestrator, RunRequest } from "../../src/Orchestrator.ts"
import type { RunResult } from "../../src/task/RunResult.ts"
import type { TaskReport } from "../../src/task/TaskReport.ts"

/** The interface that the command line runs on. */
export type Service = Orchestrator["Service"]

/** The id of the one task. */
export const TASK = "web-1:0123456789abcdef:00000000000000000000000000"

/** The result of the one task, changed by `over`. */
export const result = (over: Partial<RunResult> = {}): RunResult => ({
  task_id: TASK,
  alias: "web-1",
  hash: "0123456789abcdef",
  status: "completed",
  exit_code: 0,
  duration_ms: 12,
  cancelled: false,
  timeout: false,
  target_ip: "127.0.0.1",
  output: "hello\n",
  bytes_out: 6,
  bytes_err: 0,
  truncated: false,
  ...over
})

/** An orchestrator whose one task prints `chunks` and ends as told; the requests it got are kept. */
export const runs = (end: RunResult, requests: Array<RunRequest> = []): Partial<Service> => ({
  start: (request) =>
    Effect.gen(function* () {
      requests.push(request)
      if (request.onOutput !== undefined) {
        yield* request.onOutput({ stream: "stdout", text: "hello\n" })
        yield* request.onOutput({ stream: "stderr", text: "careful\n" })
      }
      return {
        task_id: TASK,
        status: "pending" as const,
        keepAlive: 300,
        pollFrequency: 5,
        alias: request.alias,
        command: request.command,
        hash: end.hash
      }
    }),
  taskResult: () => Effect.succeed(end)
})

/** A `cancel` that confirms every stop and keeps the ids. */
export const recordCancel =
  (cancelled: Array<string>): Service["cancel"] =>
  (id) =>
    Effect.sync(() => {
      cancelled.push(id)
      return { task_id: id, cancelled: true, message: "Cancelled", remote_stopped: "confirmed" as const }
    })

/** A fan-out over tag `web` that has just begun. */
export const parentTask: TaskReport = {
  task_id: "tag.web:0123456789abcdef:00000000000000000000000000",
  kind: "fan_out",
  tag: "web",
  status: "running",
  keepAlive: 300,
  pollFrequency: 5,
  progress_percent: 0,
  elapsed_ms: 0,
  bytes_read: 0,
  output_lines_available: 0
}
