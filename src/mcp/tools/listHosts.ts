import { Effect, Schema } from "effect"
import { HostList, Orchestrator } from "../../Orchestrator.ts"
import { cursor, tag } from "../Fields.ts"
import { answered, defineTool } from "../Tool.ts"

/** The inventory, page by page. */
export const listHosts = defineTool({
  name: "ssh_list_hosts",
  title: "List hosts and tags",
  description:
    "List the host aliases that the other tools take, and every tag with its number of hosts. Start here when you do not know an alias. tag keeps the hosts of that tag. 500 a page: pass next_cursor back as cursor. For address, limits and jump path of a host use ssh_describe_host.",
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  input: Schema.Struct({ tag: Schema.optionalKey(tag), cursor: Schema.optionalKey(cursor) }),
  output: HostList,
  run: (input) => Orchestrator.use((orchestrator) => Effect.map(orchestrator.listHosts(input), answered))
})
