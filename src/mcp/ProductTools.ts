import type { Tool } from "./Tool.ts"
import { cancelTask } from "./tools/cancelTask.ts"
import { describeHost } from "./tools/describeHost.ts"
import { getTaskOutput } from "./tools/getTaskOutput.ts"
import { getTaskResult } from "./tools/getTaskResult.ts"
import { getTaskStatus } from "./tools/getTaskStatus.ts"
import { listHosts } from "./tools/listHosts.ts"
import { listTasks } from "./tools/listTasks.ts"
import { ping } from "./tools/ping.ts"
import { plan } from "./tools/plan.ts"
import { reloadConfig } from "./tools/reloadConfig.ts"
import { run } from "./tools/run.ts"
import { runAsync } from "./tools/runAsync.ts"
import { runOnTag } from "./tools/runOnTag.ts"

/** The tools in the order in which they are listed: the order in which a session needs them. */
export const TOOLS: ReadonlyArray<Tool> = [
  ping,
  listHosts,
  describeHost,
  plan,
  run,
  runOnTag,
  runAsync,
  getTaskStatus,
  getTaskOutput,
  getTaskResult,
  listTasks,
  cancelTask,
  reloadConfig
]

/** Names that the original project gave to `ssh_cancel_task`: answered, not listed. */
const LEGACY_CANCEL = ["ssh_cancel", "ssh_cancel_async_task"] as const

const BY_NAME: ReadonlyMap<string, Tool> = new Map([
  ...TOOLS.map((tool) => [tool.name, tool] as const),
  ...LEGACY_CANCEL.map((name) => [name, cancelTask] as const)
])

/** The tool that answers to `name`, if any. */
export const findTool = (name: string): Tool | undefined => BY_NAME.get(name)
