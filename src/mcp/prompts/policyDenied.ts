import { ALIAS, COMMAND, DETAIL, guidancePrompt } from "./Guidance.ts"

/** What to do about a command that the policy denied. */
export const policyDenied = guidancePrompt({
  name: "ssh_policy_denied_guidance",
  title: "A command was denied by policy",
  description: "What to do when the command policy denied a command: find out why, ask, propose the smallest rule.",
  facts: [ALIAS, COMMAND, DETAIL],
  text: `The command policy denied a command. Nothing ran on the host.

1. Call ssh_plan with the same alias and command. It says which command of the text was denied and why, and which allowed patterns are nearest.
2. Is there an allowed command that answers the user's question? Propose it and say how it differs. It must not do by other means what was denied.
3. The \`code\` of the denied command says more. \`rule-deny\` and \`deny-substring\`: the operator or the built-in list decided against this very command; say so and stop. \`no-rule\`: no rule covers it. Any other: its shape is refused (an option, a redirection, a construct), and \`reason\` says what to write instead.
4. Otherwise ask the user whether the policy should change: which command, on which host, what for, and what else it could do there.
5. If the user wants it, propose the smallest rule as YAML, for a person to add to the list \`rules\` of policy.yml. One host, the literal words of the command, no wildcard that the task does not need, and examples of what it must and must not allow:

\`\`\`yaml
# policy.yml
rules:
  - id: web-1-nginx-status
    action: allow
    aliases: ["web-1"]
    commands: ["systemctl status nginx"]
    match: ["systemctl status nginx"]
    not_match: ["systemctl restart nginx", "systemctl status ssh"]
\`\`\`

   If the rules of the file have \`simple_binaries\` or \`binary\`, the same in their language, because one file cannot hold both:

\`\`\`yaml
# policy.yml
rules:
  - id: web-1-nginx-status
    action: allow
    aliases: ["web-1"]
    binary: systemctl
    arg_prefix: [status, nginx]
    allow_extra_args: false
\`\`\`

6. The person runs \`mcp-ssh-orchestrator check\`. Then call ssh_reload_config, then ssh_plan once more, and only then ssh_run.`
})
