import { Effect, Schema } from "effect"
import { HostDescription, Orchestrator } from "../../Orchestrator.ts"
import { alias } from "../Fields.ts"
import { answered, defineTool } from "../Tool.ts"

/** One host as a client may see it. */
export const describeHost = defineTool({
  name: "ssh_describe_host",
  title: "Describe a host",
  description:
    "Show the settings of one host: address, port, tags, description, jump path, limits on time and output, and whether network policy allows it. Use it to learn the limits before a long or verbose command. Resolves the host's name but does not connect; never shows a credential. To test the login use ssh_ping, to see whether a command may run ssh_plan. An unknown alias is an error.",
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  input: Schema.Struct({ alias }),
  output: HostDescription,
  run: ({ alias }) => Orchestrator.use((orchestrator) => Effect.map(orchestrator.describeHost(alias), answered))
})
