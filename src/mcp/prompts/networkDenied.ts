import { ALIAS, DETAIL, guidancePrompt } from "./Guidance.ts"

/** What to do about a host that the network policy does not let us reach. */
export const networkDenied = guidancePrompt({
  name: "ssh_network_denied_guidance",
  title: "A host was denied by the network policy",
  description: "What to do when a host's address is not allowed: find out why, ask, propose a single address.",
  facts: [ALIAS, DETAIL],
  text: `The network policy denied a host. Nothing was connected.

1. Call ssh_plan for the host: \`network\` holds the addresses that were checked and the reason.
   - "DNS resolution failed": the name of the host does not resolve. That is no matter of policy; ask the user to check \`host\` in servers.yml and the name service.
   - "No resolved IPs allowed by policy.network": every address of the host is blocked, or missing from the allow lists.
2. Read ssh://host/{alias}/capabilities: \`allowlist_enabled\` and \`blocklist_enabled\` say which lists are in use.
3. Do not try another alias, address, name or jump host that leads to the same machine.
4. Ask the user whether this host is meant to be reachable from here.
5. If so, and an allow list is in use, propose the one address as YAML, for a person to add to that list. Never propose a broad block such as 0.0.0.0/0, ::/0 or 10.0.0.0/8:

\`\`\`yaml
# policy.yml
network:
  allow_ips: ["10.20.0.15"]
\`\`\`

   - Without an allow list do not propose one: its first entry would shut out every other host.
   - A blocked address stays blocked whatever the allow lists say. Only the person who wrote the block can decide to narrow it.
6. The person runs \`mcp-ssh-orchestrator check\`. Then call ssh_reload_config, then ssh_plan once more, and only then ssh_run.`
})
