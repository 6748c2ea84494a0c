import { Context, Effect, FileSystem, Layer, Option, Path } from "effect"
import { environmentVariable } from "./Environment.ts"

/** Directories given on the command line; each beats its environment variable. */
export interface DirectoryFlags {
  readonly configDir?: string | undefined
  readonly keysDir?: string | undefined
  readonly secretsDir?: string | undefined
}

/** Where the original project's container image keeps its files. */
export const CONTAINER = { config: "/app/config", keys: "/app/keys", secrets: "/app/secrets" } as const

/**
 * The three directories that the configuration is read from, as absolute paths. They need not exist.
 *
 * Each is the first of: the flag, `MCP_SSH_CONFIG_DIR` / `MCP_SSH_KEYS_DIR` / `MCP_SSH_SECRETS_DIR`, the default. The
 * default configuration directory is `$XDG_CONFIG_HOME/mcp-ssh-orchestrator` (XDG Base Directory Specification;
 * `~/.config` when unset), or `/app/config` when only that exists. Keys and secrets default to `keys/` and `secrets/`
 * below the configuration directory in use, and to their places in the container when that is `/app/config`.
 */
export class Directories extends Context.Service<
  Directories,
  {
    /** Holds servers.yml, credentials.yml and policy.yml. */
    readonly config: string
    /** Private keys and known_hosts. No key outside it is read. */
    readonly keys: string
    /** Secret files and `.env`. No secret file outside it is read. */
    readonly secrets: string
  }
>()("mcp-ssh-orchestrator/config/Directories") {
  static readonly layer = (
    flags: DirectoryFlags = {}
  ): Layer.Layer<Directories, never, FileSystem.FileSystem | Path.Path> =>
    Layer.effect(
      Directories,
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const path = yield* Path.Path
        const home = yield* environmentVariable("HOME")

        const absolute = (directory: string): string =>
          directory.startsWith("~/") && Option.isSome(home)
            ? path.join(home.value, directory.slice(2))
            : path.resolve(directory)

        const chosen = Effect.fnUntraced(function* (flag: string | undefined, variable: string) {
          const given = flag === undefined || flag === "" ? yield* environmentVariable(variable) : Option.some(flag)
          return Option.map(given, absolute)
        })

        // The specification says that a relative XDG_CONFIG_HOME is to be ignored.
        const xdg = Option.filter(yield* environmentVariable("XDG_CONFIG_HOME"), path.isAbsolute).pipe(
          Option.orElse(() => Option.map(home, (directory) => path.join(directory, ".config"))),
          Option.map((directory) => path.join(directory, "mcp-ssh-orchestrator"))
        )
        const exists = (directory: string) => Effect.orElseSucceed(fs.exists(directory), () => false)
        const standard = Option.isSome(xdg)
          ? (yield* exists(xdg.value)) || !(yield* exists(CONTAINER.config))
            ? xdg.value
            : CONTAINER.config
          : CONTAINER.config

        const config = Option.getOrElse(yield* chosen(flags.configDir, "MCP_SSH_CONFIG_DIR"), () => standard)
        const inContainer = config === CONTAINER.config
        return Directories.of({
          config,
          keys: Option.getOrElse(yield* chosen(flags.keysDir, "MCP_SSH_KEYS_DIR"), () =>
            inContainer ? CONTAINER.keys : path.join(config, "keys")
          ),
          secrets: Option.getOrElse(yield* chosen(flags.secretsDir, "MCP_SSH_SECRETS_DIR"), () =>
            inContainer ? CONTAINER.secrets : path.join(config, "secrets")
          )
        })
      })
    )
}
