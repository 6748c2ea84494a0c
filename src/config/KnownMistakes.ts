import { LimitsPatch } from "../policy/Limits.ts"

/** What to say about a wrong key. */
export interface Mistake {
  /** Instead of "unknown key". */
  readonly message?: string
  /** The key that was meant. */
  readonly suggestion?: string
}

/** Judges an unknown key by its path; `undefined` when nothing particular is known about it. */
export type KnownMistakes = (path: ReadonlyArray<PropertyKey>) => Mistake | undefined

const meaning = (suggestion: string): Mistake => ({ suggestion })
const unsupported = (what: string, suggestion?: string): Mistake =>
  suggestion === undefined
    ? { message: `${what} is not supported` }
    : { message: `${what} is not supported`, suggestion }

const inCredentials: Mistake = { message: "a host holds no login data", suggestion: "credentials" }

/** Keys of a host entry that must not be skipped over: with them ignored, the host would be reached in another way. */
const HOST_MISTAKES: ReadonlyMap<string, Mistake> = new Map([
  ...["hostname", "host_name", "address", "ip", "ip_address"].map((key) => [key, meaning("host")] as const),
  ...["credential_name", "credential_ref", "creds"].map((key) => [key, meaning("credentials")] as const),
  ...["proxy_jump", "proxyjump", "jump_host", "jumphost", "bastion", "gateway"].map(
    (key) => [key, meaning("jump")] as const
  ),
  ...["forward_agent", "agent_forwarding", "agent_forward", "forwardagent"].map(
    (key) => [key, unsupported("agent forwarding")] as const
  ),
  ...["proxy_command", "proxycommand", "proxy"].map((key) => [key, unsupported("a proxy command", "jump")] as const),
  ...["local_forward", "remote_forward", "dynamic_forward", "forward_x11"].map(
    (key) => [key, unsupported("forwarding")] as const
  ),
  ...[
    "strict_host_key_checking",
    "stricthostkeychecking",
    "require_known_host",
    "host_key_auto_add",
    "known_hosts"
  ].map((key) => [key, { message: "host keys are always verified; a host cannot change that" }] as const),
  ...["password", "password_secret", "passphrase", "key_passphrase_secret", "key_path", "key", "key_file"].map(
    (key) => [key, inCredentials] as const
  ),
  ...["private_key", "identity_file", "identityfile", "certificate_path", "agent"].map(
    (key) => [key, inCredentials] as const
  )
])

/** The mistake that a key of a host entry is, if it is one; other extra keys are only ignored. */
export const hostMistake = (key: string): Mistake | undefined =>
  HOST_MISTAKES.get(key.toLowerCase().replaceAll("-", "_"))

/** servers.yml. */
export const serversMistakes: KnownMistakes = (path) => {
  const key = String(path.at(-1))
  if (path.length === 1) return ["entries", "servers", "inventory"].includes(key) ? meaning("hosts") : undefined
  return hostMistake(key)
}

const CREDENTIAL_KEYS: ReadonlyMap<string, string> = new Map([
  ["user", "username"],
  ["login", "username"],
  ["key", "key_path"],
  ["key_file", "key_path"],
  ["private_key", "key_path"],
  ["identity_file", "key_path"],
  ["ssh_key", "key_path"],
  ["passphrase", "key_passphrase_secret"],
  ["key_passphrase", "key_passphrase_secret"],
  ["certificate", "certificate_path"]
])

/** credentials.yml. */
export const credentialsMistakes: KnownMistakes = (path) => {
  const key = String(path.at(-1))
  if (path.length === 1) return ["hosts", "credentials", "creds"].includes(key) ? meaning("entries") : undefined
  const right = CREDENTIAL_KEYS.get(key)
  return right === undefined ? undefined : meaning(right)
}

const NETWORK_KEYS: ReadonlyMap<string, string> = new Map([
  ...["allow", "allowed", "allowlist", "allow_list", "whitelist"].map(
    (key) => [key, "allow_ips or allow_cidrs"] as const
  ),
  ...["deny", "block", "denylist", "deny_list", "blocklist", "block_list", "blacklist", "deny_ips", "deny_cidrs"].map(
    (key) => [key, "block_ips or block_cidrs"] as const
  )
])

const RULE_KEYS: ReadonlyMap<string, string> = new Map([
  ["command", "commands"],
  ["cmd", "commands"],
  ["host", "aliases"],
  ["hosts", "aliases"],
  ["effect", "action"],
  ["regex", "commands_regex"]
])

/** Where a key of policy.yml belongs that was written at the top. */
const ROOT_KEYS: ReadonlyMap<string, string> = new Map([
  ...Object.keys(LimitsPatch.fields).map((key) => [key, `limits.${key}`] as const),
  ...["allow_ips", "allow_cidrs", "block_ips", "block_cidrs"].map((key) => [key, `network.${key}`] as const),
  ["require_known_host", "network.require_known_host"],
  ["host_key_auto_add", "limits.host_key_auto_add"],
  ["known_hosts", "known_hosts_path"],
  ["policies", "rules"]
])

/** policy.yml. */
export const policyMistakes: KnownMistakes = (path) => {
  const key = String(path.at(-1))
  const table =
    path.length === 1 ? ROOT_KEYS : path[0] === "network" ? NETWORK_KEYS : path[0] === "rules" ? RULE_KEYS : undefined
  const right = table?.get(key)
  return right === undefined ? undefined : meaning(right)
}
