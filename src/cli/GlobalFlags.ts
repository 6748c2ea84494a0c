import type { LogLevel } from "effect"
import { Option } from "effect"
import { Command, Flag } from "effect/cli"
import { LOG_LEVELS } from "./LogLevels.ts"

/** What the flags that every command takes come to. A key is absent when its flag was not given; flags beat environment. */
export interface GlobalFlags {
  readonly configDir?: string
  readonly keysDir?: string
  readonly secretsDir?: string
  readonly logLevel?: LogLevel.LogLevel
}

const directory = (name: string, description: string) =>
  Flag.String(name).pipe(Flag.withMetavar("DIR"), Flag.withDescription(description), Flag.optional)

/**
 * The root command's name with the flags that all commands take, before or after the command's name. The
 * subcommands read the flags by yielding it.
 */
export const root = Command.make("mcp-ssh-orchestrator").pipe(
  Command.withSharedFlags({
    configDir: directory(
      "config-dir",
      "Directory with servers.yml, credentials.yml and policy.yml (MCP_SSH_CONFIG_DIR)"
    ),
    keysDir: directory("keys-dir", "Directory with private keys and known_hosts (MCP_SSH_KEYS_DIR)"),
    secretsDir: directory("secrets-dir", "Directory with secrets (MCP_SSH_SECRETS_DIR)"),
    logLevel: Flag.ChoiceWithValue("log-level", Object.entries(LOG_LEVELS)).pipe(
      Flag.withDescription("Least severe log record that is written (MCP_SSH_LOG_LEVEL)"),
      Flag.optional
    )
  }),
  Command.withDescription(
    "MCP server that runs commands on a fleet over SSH, deny by default. Without a command it serves on stdio."
  )
)

/** The flags as parsed, `Option`s and all. */
type ParsedFlags = {
  readonly configDir: Option.Option<string>
  readonly keysDir: Option.Option<string>
  readonly secretsDir: Option.Option<string>
  readonly logLevel: Option.Option<LogLevel.LogLevel>
}

/** The parsed flags without the absent ones. */
export const givenFlags = (parsed: ParsedFlags): GlobalFlags => ({
  ...(Option.isSome(parsed.configDir) ? { configDir: parsed.configDir.value } : {}),
  ...(Option.isSome(parsed.keysDir) ? { keysDir: parsed.keysDir.value } : {}),
  ...(Option.isSome(parsed.secretsDir) ? { secretsDir: parsed.secretsDir.value } : {}),
  ...(Option.isSome(parsed.logLevel) ? { logLevel: parsed.logLevel.value } : {})
})
