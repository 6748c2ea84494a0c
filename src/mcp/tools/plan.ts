import { Effect, Schema } from "effect"
import { Orchestrator } from "../../Orchestrator.ts"
import { Plan } from "../../policy/Plan.ts"
import { alias, command } from "../Fields.ts"
import { answered, defineTool } from "../Tool.ts"

/** The decision about a command, without running it. */
export const plan = defineTool({
  name: "ssh_plan",
  title: "Explain whether a command may run",
  description:
    "Explain whether policy would let a command run on a host, without running or connecting to anything. Use it before a command you are not sure of, and after a denial. Returns allowed, the decision and rule for each simple command, why and hint when denied, the nearest allowed patterns, the network check and the limits. If allowed, call ssh_run with the same text; if not, do not rephrase to get around it: use an allowed form or ask the user.",
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  input: Schema.Struct({ alias, command }),
  output: Plan,
  run: ({ alias, command }) =>
    Orchestrator.use((orchestrator) => Effect.map(orchestrator.plan(alias, command), answered))
})
