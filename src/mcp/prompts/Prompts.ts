import type { Orchestrator } from "../../Orchestrator.ts"
import { configChange } from "./configChange.ts"
import { missingCredentials } from "./missingCredentials.ts"
import { missingHost } from "./missingHost.ts"
import { networkDenied } from "./networkDenied.ts"
import { policyDenied } from "./policyDenied.ts"
import type { Prompt } from "./Prompt.ts"
import { usage } from "./usage.ts"

/** The prompts in the order in which they are listed. */
export const PROMPTS: ReadonlyArray<Prompt<Orchestrator>> = [
  usage,
  policyDenied,
  networkDenied,
  missingHost,
  missingCredentials,
  configChange
]
