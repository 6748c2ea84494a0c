import { ALIAS, DETAIL, guidancePrompt } from "./Guidance.ts"

/** What to do about a host without a usable login. */
export const missingCredentials = guidancePrompt({
  name: "ssh_missing_credentials_guidance",
  title: "A host has no usable login",
  description:
    "What to do when credentials, a key or a secret are missing or do not work: ask without asking for secrets, propose an entry for credentials.yml.",
  facts: [ALIAS, DETAIL],
  text: `A host has no usable login: no credentials are named, a key or a secret is missing, or the host refused them.

1. Call ssh_ping with the alias: its error says what is wrong. ssh_describe_host says whether the host names credentials at all.
2. Never ask for a password, passphrase or private key, and never repeat one. If the user offers one, say that it does not belong into the conversation. Do not try other logins or hosts.
3. Ask the user for the account and for the way to log in. A key with a passphrase is better than a password. Secrets are named, never written: \`key_passphrase_secret\` and \`password_secret\` hold the name of a secret.
4. Propose the entry as YAML, for a person to add to the list \`entries\` of credentials.yml:

\`\`\`yaml
# credentials.yml
entries:
  - name: web-admin
    username: deploy
    key_path: web/id_ed25519
    key_passphrase_secret: web_admin_passphrase
\`\`\`

   or, where the host takes only passwords:

\`\`\`yaml
# credentials.yml
entries:
  - name: web-admin
    username: deploy
    password_secret: web_admin_password
\`\`\`

   The host's entry in servers.yml names it: \`credentials: web-admin\`.
5. The person stores the key below the keys directory, and the secret as a file of that name in the secrets directory or as the environment variable MCP_SSH_SECRET_WEB_ADMIN_PASSPHRASE of the server.
6. The person runs \`mcp-ssh-orchestrator check\`; \`mcp-ssh-orchestrator doctor ALIAS\` tries the login step by step. Then call ssh_reload_config, then ssh_ping with the alias.`
})
