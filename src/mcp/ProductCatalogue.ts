import { type Orchestrator, VERSION } from "../Orchestrator.ts"
import type { Catalogue } from "./Catalogue.ts"
import { INSTRUCTIONS } from "./Instructions.ts"
import { findTool } from "./ProductTools.ts"
import { PROMPTS } from "./prompts/Prompts.ts"
import { sshResources } from "./resources/SshResources.ts"
import { orchestratorTasks } from "./tasks/OrchestratorTasks.ts"
import { toolListing } from "./ToolListing.ts"

/** What this server offers. */
export const PRODUCT: Catalogue<Orchestrator> = {
  info: { name: "mcp-ssh-orchestrator", title: "SSH Orchestrator", version: VERSION },
  instructions: INSTRUCTIONS,
  listTools: toolListing,
  findTool,
  prompts: PROMPTS,
  resources: sshResources,
  tasks: orchestratorTasks
}
