import type { Tool } from "./Tool.ts"
import type { JsonObject } from "./WireSchema.ts"

/** A tool as `tools/list` shows it. */
export interface ListedTool {
  readonly name: string
  readonly title?: string
  readonly description: string
  readonly annotations?: Tool["annotations"]
  readonly inputSchema: JsonObject
  /** Absent for a tool whose answers have no structure. */
  readonly outputSchema?: JsonObject
  /** Whether its calls can become tasks; absent: they cannot. */
  readonly execution?: { readonly taskSupport: "optional" }
}

/** What `tools/list` shows of a tool. */
export const listedTool = <R>(tool: Tool<R>): ListedTool => ({
  name: tool.name,
  title: tool.title,
  description: tool.description,
  annotations: tool.annotations,
  inputSchema: tool.inputSchema(),
  outputSchema: tool.outputSchema(),
  ...(tool.task === undefined ? {} : { execution: { taskSupport: "optional" } })
})
