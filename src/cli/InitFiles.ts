import type { ImportedHost, ImportedInventory } from "./sshconfig/Import.ts"
import type { ImportedCredential } from "./sshconfig/ImportedCredentials.ts"

/** A file of the configuration directory to be written. */
export interface StarterFile {
  readonly name: "servers.yml" | "credentials.yml" | "policy.yml"
  readonly text: string
}

/** Words that YAML 1.1 or 1.2 reads as something else than text. */
const RESERVED = /^(?:true|false|yes|no|on|off|null|~|y|n)$/iu

/** A text as a YAML scalar: plain where no reader could take it for something else, else as a JSON string. */
const scalar = (text: string): string =>
  /^[A-Za-z_][A-Za-z0-9_./-]*$/u.test(text) && !RESERVED.test(text) ? text : JSON.stringify(text)

/** IPv4 is text in YAML as well, but not to the rule above. */
const address = (text: string): string => (/^[0-9]+(?:\.[0-9]+){3}$/u.test(text) ? text : scalar(text))

const hostLines = ({ alias, credentials, host, jump, port }: ImportedHost): ReadonlyArray<string> => [
  `  - alias: ${scalar(alias)}`,
  `    host: ${address(host)}`,
  ...(port === 22 ? [] : [`    port: ${port}`]),
  `    credentials: ${scalar(credentials)}`,
  ...(jump.length === 0 ? [] : [`    jump: [${jump.map(scalar).join(", ")}]`])
]

const credentialLines = (entry: ImportedCredential): ReadonlyArray<string> => [
  `  - name: ${scalar(entry.name)}`,
  `    username: ${scalar(entry.username)}`,
  ...(entry.keyPath === undefined ? [] : [`    key_path: ${scalar(entry.keyPath)}`]),
  ...(entry.certificatePath === undefined ? [] : [`    certificate_path: ${scalar(entry.certificatePath)}`]),
  ...(entry.agent ? ["    agent: true"] : [])
]

const SERVERS_HEAD = `# The hosts. An alias is what rules, tools and commands call a host by; rules can also go by its tags.
# Check with: mcp-ssh-orchestrator check
`

const SERVERS_EXAMPLE = `#
# hosts:
#   - alias: web-1
#     host: 10.0.0.11 # a name, IPv4 or IPv6
#     port: 22
#     credentials: admin # an entry of credentials.yml
#     tags: [production, web]
#     description: Primary web front end
#   - alias: db-1
#     host: db-1.internal
#     credentials: admin
#     jump: [web-1] # connected to through this host
`

const CREDENTIALS_HEAD = `# How hosts are logged in to. Tried in this order: certificate, key, agent, password.
# Paths are relative to the keys directory; files outside of it are not read. A secret is named here, and stands in
# secrets/.env, in the file secrets/NAME, or in the environment as MCP_SSH_SECRET_NAME.
`

const CREDENTIALS_EXAMPLE = `#
# entries:
#   - name: admin
#     username: ubuntu
#     key_path: id_ed25519
#     key_passphrase_secret: admin_passphrase # only for a key with a passphrase
#   - name: by-agent
#     username: ubuntu
#     agent: true # the agent of SSH_AUTH_SOCK
#   - name: by-password
#     username: maint
#     password_secret: maint_password
`

const POLICY = `# What may run. Nothing does until a rule allows it, and a deny rule wins over every allow rule.
# Try with: mcp-ssh-orchestrator plan HOST COMMAND
version: 3
rules: []
#
# A first set of rules, to be put in the place of the line above:
#
# rules:
#   - id: look
#     action: allow
#     aliases: ["*"] # globs of the hosts; tags: [production] goes by tags
#     commands: ["uptime", "df -h*", "free -m", "systemctl status *"]
#     match: ["df -hT /var", "systemctl status nginx"]
#     not_match: ["systemctl restart nginx"]
#   - id: logs
#     action: allow
#     commands: ["journalctl -u * -n *", "tail -n * /var/log/*"]
#   - id: no-power
#     action: deny
#     commands: ["reboot*", "shutdown*", "poweroff*"]
#
# limits:
#   max_seconds: 60 # of a command
#   connect_timeout_seconds: 15
#
# network: # with an allow list, an address must be in it; blocks win
#   allow_cidrs: ["10.0.0.0/8"]
`

/** Starter files without a host, with examples in comments that load when the \`# \` in front is taken away. */
export const starterFiles: ReadonlyArray<StarterFile> = [
  { name: "servers.yml", text: `${SERVERS_HEAD}hosts: []\n${SERVERS_EXAMPLE}` },
  { name: "credentials.yml", text: `${CREDENTIALS_HEAD}entries: []\n${CREDENTIALS_EXAMPLE}` },
  { name: "policy.yml", text: POLICY }
]

const list = (key: string, lines: ReadonlyArray<string>): string =>
  lines.length === 0 ? `${key}: []\n` : `${key}:\n${lines.join("\n")}\n`

/** The files of an inventory that was carried over, with a policy that denies everything. Pure. */
export const importedFiles = (inventory: ImportedInventory): ReadonlyArray<StarterFile> => [
  { name: "servers.yml", text: SERVERS_HEAD + list("hosts", inventory.hosts.flatMap(hostLines)) },
  { name: "credentials.yml", text: CREDENTIALS_HEAD + list("entries", inventory.credentials.flatMap(credentialLines)) },
  { name: "policy.yml", text: POLICY }
]
