import { Effect, Schema } from "effect"
import { HostList, Orchestrator } from "../../Orchestrator.ts"
import { cursor, tag } from "../Fields.ts"
import { answered, defineTool } from "../Tool.ts"

/** The inventory, page by page. */
export const listHosts = defineTool({
  name: "ssh_list_hosts",
  title: "List hosts and tags",
  description:
    "List the aliases and tags of the inventory, the names that the other tools take. Start here. Returns up to 500 aliases in inventory order, count of all that match, and every tag with its number of hosts; an unknown tag gives an empty list. Reads the loaded configuration, contacts no host. For one host's address and limits use ssh_describe_host.",
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  input: Schema.Struct({
    tag: Schema.optionalKey(tag.annotate({ description: 'Only hosts with this tag, e.g. "web". Default: all.' })),
    cursor: Schema.optionalKey(cursor)
  }),
  output: HostList,
  run: (input) => Orchestrator.use((orchestrator) => Effect.map(orchestrator.listHosts(input), answered))
})
