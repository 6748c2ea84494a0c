import type { FleetResult } from "../fleet/FleetResult.ts"
import type { Promoted, RunResult } from "../task/RunResult.ts"
import type { TaskStatus } from "../task/Task.ts"
import type { Answer } from "./Tool.ts"

const FAILED: ReadonlySet<TaskStatus> = new Set(["failed", "cancelled", "timeout"])

/** A run is an error to the model when it ended failed, cancelled or timed out; a promoted one goes on and is not. */
export const ofRun = <A extends RunResult | Promoted>(value: A): Answer<A> => ({
  value,
  isError: FAILED.has(value.status)
})

/** A fan-out is an error to the model when hosts matched and none succeeded. */
export const ofFleet = (value: FleetResult): Answer<FleetResult> => ({
  value,
  isError: value.summary !== undefined && value.summary.total_hosts > 0 && value.summary.successful === 0
})
