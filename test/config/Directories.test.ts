import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, FileSystem, Layer, Path } from "effect"
import { mapContainerPath } from "../../src/config/ContainerPath.ts"
import { type DirectoryFlags, Directories } from "../../src/config/Directories.ts"

/** The directories for these flags and variables, on a file system where exactly `existing` exist. */
const resolve = (flags: DirectoryFlags, env: Record<string, string>, existing: ReadonlyArray<string> = []) =>
  Effect.gen(function* () {
    const { config, keys, secrets } = yield* Directories
    return [config, keys, secrets]
  }).pipe(
    Effect.provide(
      Directories.layer(flags).pipe(
        Layer.provide(
          Layer.merge(FileSystem.layerNoop({ exists: (path) => Effect.succeed(existing.includes(path)) }), Path.layer)
        ),
        Layer.provide(ConfigProvider.layer(ConfigProvider.fromEnv({ env })))
      )
    )
  )

const HOME = "/home/ann"
const XDG = "/home/ann/.config/mcp-ssh-orchestrator"
const below = (root: string) => [root, `${root}/keys`, `${root}/secrets`]
const container = ["/app/config", "/app/keys", "/app/secrets"]

describe("directories", () => {
  it.effect("flags beat the environment, which beats the defaults", () =>
    Effect.gen(function* () {
      const env = { HOME, MCP_SSH_CONFIG_DIR: "/e/c", MCP_SSH_KEYS_DIR: "/e/k", MCP_SSH_SECRETS_DIR: "/e/s" }
      assert.deepStrictEqual(yield* resolve({}, env), ["/e/c", "/e/k", "/e/s"])
      assert.deepStrictEqual(yield* resolve({ configDir: "/f/c" }, env), ["/f/c", "/e/k", "/e/s"])
      assert.deepStrictEqual(yield* resolve({ configDir: "/f/c", keysDir: "/f/k", secretsDir: "/f/s" }, env), [
        "/f/c",
        "/f/k",
        "/f/s"
      ])
    })
  )
  it.effect("empty flags and variables are unset", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* resolve({ configDir: "" }, { HOME, MCP_SSH_CONFIG_DIR: "" }), below(XDG))
    })
  )
  it.effect("keys and secrets default to below the configuration directory in use", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* resolve({ configDir: "/f" }, { HOME }), below("/f"))
    })
  )
  it.effect("the default is the XDG directory, relative values ignored", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* resolve({}, { HOME }), below(XDG))
      assert.deepStrictEqual(yield* resolve({}, { HOME, XDG_CONFIG_HOME: "/x" }), below("/x/mcp-ssh-orchestrator"))
      assert.deepStrictEqual(yield* resolve({}, { HOME, XDG_CONFIG_HOME: "x" }), below(XDG))
    })
  )
  it.effect("the container's directories only when the XDG one is missing and /app/config exists", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* resolve({}, { HOME }, ["/app/config"]), container)
      assert.deepStrictEqual(yield* resolve({}, { HOME }, ["/app/config", XDG]), below(XDG))
      assert.deepStrictEqual(yield* resolve({}, {}, []), container)
      assert.deepStrictEqual(yield* resolve({}, { HOME, MCP_SSH_KEYS_DIR: "/k" }, ["/app/config"]), [
        "/app/config",
        "/k",
        "/app/secrets"
      ])
    })
  )
  it.effect("~/ is the home directory, and relative paths become absolute", () =>
    Effect.gen(function* () {
      const [config, keys] = yield* resolve({ configDir: "~/c", keysDir: "k" }, { HOME })
      assert.strictEqual(config, "/home/ann/c")
      assert.isTrue(keys?.startsWith("/") && keys.endsWith("/k"))
    })
  )
  it.effect("paths of a container's files are moved into the directories in use", () =>
    Effect.gen(function* () {
      const path = yield* Path.Path
      const map = (written: string) => mapContainerPath(path, { config: "/c", keys: "/k", secrets: "/s" }, written)
      assert.strictEqual(map("/app/keys/prod/id"), "/k/prod/id")
      assert.strictEqual(map("/app/config/known_hosts"), "/c/known_hosts")
      assert.strictEqual(map("/app/keysmith/id"), "/app/keysmith/id")
      assert.strictEqual(map("prod/id"), "prod/id")
    }).pipe(Effect.provide(NodeServices.layer))
  )
})
