import { ALIAS, guidancePrompt } from "./Guidance.ts"

/** How to work with this server. */
export const usage = guidancePrompt({
  name: "ssh_orchestrator_usage",
  title: "Work with the SSH orchestrator",
  description: "How to find hosts, plan, run on one host or many, follow long work, and what to do when denied.",
  facts: [
    {
      name: "goal",
      title: "Goal",
      description: "What the user wants to find out or to change.",
      maximum: 1000
    },
    ALIAS
  ],
  text: `Work on the user's hosts with the SSH orchestrator. Nothing runs unless the operator's policy allows it.

1. Find the hosts: ssh_list_hosts gives aliases and tags, ssh_describe_host the limits of one host. The resource ssh://host/{alias}/capabilities says whether common commands are allowed there.
2. Plan: ssh_plan shows the decision about each simple command of a text. A text may be a pipeline or a short POSIX script; each command in it must be allowed.
3. Look before you change: begin with commands that only read, on one host.
4. Run:
   - one host, within some 45 seconds: ssh_run;
   - longer: ssh_run_async, then ssh_get_task_result with wait_seconds, or ssh_get_task_output to read on;
   - all hosts of a tag: ssh_run_on_tag. Let \`batch\` begin with 1 and set \`max_failures\` for whatever changes something; retry with \`only\` and the failed_hosts of the answer.
5. Read status and exit_code, not only the output. When \`truncated\` is true, next_cursor leads on with ssh_get_task_output.
6. Cancel what is no longer needed with ssh_cancel_task; \`remote_stopped\` says whether the remote process is known to be gone.

When it does not work, use the prompt for the case: ssh_policy_denied_guidance, ssh_network_denied_guidance, ssh_missing_host_guidance, ssh_missing_credentials_guidance. For any change of the configuration: ssh_config_change_workflow.`
})
