import { ALIAS, guidancePrompt } from "./Guidance.ts"

/** How a change of the configuration is made, step by step. */
export const configChange = guidancePrompt({
  name: "ssh_config_change_workflow",
  title: "Change the configuration",
  description:
    "How to propose a change of servers.yml, credentials.yml or policy.yml, and what to do once it is applied.",
  facts: [
    {
      name: "change",
      title: "Change",
      description: "What shall be different afterwards.",
      maximum: 1000
    },
    ALIAS
  ],
  text: `A change of the configuration is proposed by you, applied by a person, and loaded with ssh_reload_config.

1. See what is in force: ssh_describe_host and ssh_plan for rules, limits and network checks, ssh_ping without an alias for problems in the files.
2. Say what shall change, on which hosts, why, and what else becomes possible by it. Ask whether the user wants that.
3. Propose the smallest YAML that does it, and name the file and the list or section it belongs to:
   - hosts in servers.yml, logins in credentials.yml, rules, limits and network lists in policy.yml;
   - one alias rather than a tag, a tag rather than every host;
   - literal commands rather than wildcards, single addresses rather than CIDR blocks;
   - names of secrets (\`password_secret\`, \`key_passphrase_secret\`), never a secret itself.
   A longer time limit for one host, for example:

\`\`\`yaml
# policy.yml
overrides:
  aliases:
    web-1:
      max_seconds: 300
\`\`\`

4. The person merges it into the file and runs \`mcp-ssh-orchestrator check\`, which prints every problem with its line, and \`mcp-ssh-orchestrator policy test\` where there are cases.
5. When the person says that it is applied, call ssh_reload_config. \`status: "error"\` lists the problems, and the old configuration stays in force: pass them on and wait. \`status: "reloaded"\` lists the hosts that changed.
6. Verify with ssh_plan, or with ssh_ping for a host or a login, that it does what was wanted and no more, before you run anything.

Running tasks keep the configuration that they started with.`
})
