import { Effect, Schema } from "effect"
import { HostDescription, Orchestrator } from "../../Orchestrator.ts"
import { alias } from "../Fields.ts"
import { answered, defineTool } from "../Tool.ts"

/** One host as a client may see it. */
export const describeHost = defineTool({
  name: "ssh_describe_host",
  title: "Describe a host",
  description:
    "Show one host: address, port, tags, description, jump path, limits (time, output) and whether the network policy allows it. Connects to nothing and never shows a credential. To test the connection use ssh_ping; to see what may run there use ssh_plan.",
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  input: Schema.Struct({ alias }),
  output: HostDescription,
  run: ({ alias }) => Orchestrator.use((orchestrator) => Effect.map(orchestrator.describeHost(alias), answered))
})
