import { Effect, Schema } from "effect"
import { Orchestrator } from "../../Orchestrator.ts"
import { Plan } from "../../policy/Plan.ts"
import { alias, command } from "../Fields.ts"
import { answered, defineTool } from "../Tool.ts"
import { briefly } from "../WireSchema.ts"

/** The decision about a command, without running it. */
export const plan = defineTool({
  name: "ssh_plan",
  title: "Explain whether a command may run",
  description:
    "Explain whether policy would let a command run on a host; runs nothing, does not connect. Use it before a command you are unsure of and after a denial. Returns allowed; the decision and rule for each simple command in the text; when denied also why, hint and nearest, the closest allowed patterns; the network check and limits. A no is an answer, not an error. If allowed, call ssh_run with the same text. If not, do not disguise the command: use an allowed form or ask the user for a change of policy.",
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  input: Schema.Struct({ alias, command }),
  output: Plan.mapFields((fields) => ({ ...fields, limits: briefly(fields.limits) })),
  run: ({ alias, command }) =>
    Orchestrator.use((orchestrator) => Effect.map(orchestrator.plan(alias, command), answered))
})
