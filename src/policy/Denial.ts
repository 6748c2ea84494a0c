import { Schema } from "effect"

/** Why a command was not run: the command policy, the network policy, or an admission limit. */
export const DenialReason = Schema.Literals(["policy", "network", "limit"])
export type DenialReason = typeof DenialReason.Type

/** What to do next, per reason. Policy and network are verbatim from the original project. */
export const HINTS: Record<DenialReason, string> = {
  policy:
    "Hint: Use ssh_plan to inspect allowed commands, review the SSH Orchestrator prompts, or ask if the policy should be updated.",
  network:
    "Hint: Use ssh_plan to review host restrictions, check the SSH Orchestrator prompts, or discuss updating policy/network rules.",
  limit:
    "Hint: Wait for running tasks to end (ssh_list_tasks shows them) or cancel one with ssh_cancel_task, then try again."
}

/** The answer to a command that was not run: nothing reached the host. */
export const Denial = Schema.Struct({
  status: Schema.Literal("denied"),
  reason: DenialReason,
  alias: Schema.String,
  hash: Schema.String,
  command: Schema.optionalKey(Schema.String),
  detail: Schema.String,
  denied_command: Schema.optionalKey(Schema.String),
  hint: Schema.String
})
export type Denial = typeof Denial.Type
