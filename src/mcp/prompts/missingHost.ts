import { ALIAS, guidancePrompt } from "./Guidance.ts"

/** What to do about a host that is not in the inventory. */
export const missingHost = guidancePrompt({
  name: "ssh_missing_host_guidance",
  title: "A host is not in the inventory",
  description: "What to do when an alias is not found: look for the right one, ask, propose an entry for servers.yml.",
  facts: [ALIAS],
  text: `An alias is not in the inventory.

1. Call ssh_list_hosts and read every page (next_cursor). Case counts in aliases.
2. Is there one that the user may have meant? Ask; do not guess. Never use a similar host in its place.
3. If the host is new, ask the user for its address, port, tags and the name of the credentials that it shall use. Do not invent any of them.
4. Propose the entry as YAML, for a person to add to the list \`hosts\` of servers.yml:

\`\`\`yaml
# servers.yml
hosts:
  - alias: web-2
    host: 10.20.0.16
    port: 22
    credentials: web-admin
    tags: [web]
    description: Second web server
\`\`\`

   Say what its tags mean: every rule and override for a tag then holds for this host too.
5. What else a person has to do before the host can be used: make its host key known with \`mcp-ssh-orchestrator trust ALIAS\` after comparing the fingerprint, and see that network lists and rules cover it as far as wanted.
6. The person runs \`mcp-ssh-orchestrator check\`. Then call ssh_reload_config, then ssh_ping with the alias: it connects and runs nothing.`
})
