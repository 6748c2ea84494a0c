import { NodeServices } from "@effect/platform-node"
import { ConfigProvider, Effect, FileSystem, Layer, Path } from "effect"
import { ConfigDirectory } from "../../src/config/ConfigDirectory.ts"
import { Directories } from "../../src/config/Directories.ts"
import { formatProblem } from "../../src/config/Problem.ts"

/** Gives a test the file system and the paths of the machine. */
export const services = Effect.provide(NodeServices.layer)

/** Paths of a directory below which files are written; `config/`, `keys/` and `secrets/` are the three directories. */
export type Files = Readonly<Record<string, string | Uint8Array>>

/** Writes files, 0600, below a new temporary directory that goes with the scope. */
export const writeFiles = Effect.fnUntraced(function* (files: Files) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const root = yield* fs.makeTempDirectoryScoped({ prefix: "config-test-" })
  for (const directory of ["config", "keys", "secrets", "home"]) yield* fs.makeDirectory(path.join(root, directory))
  const write = Effect.fnUntraced(function* (name: string, content: string | Uint8Array) {
    const file = path.join(root, name)
    yield* fs.makeDirectory(path.dirname(file), { recursive: true })
    yield* fs.writeFile(file, typeof content === "string" ? new TextEncoder().encode(content) : content, {
      mode: 0o600
    })
  })
  for (const [name, content] of Object.entries(files)) yield* write(name, content)
  return { root, write }
})

/** The real service on real files below `root`, with `env` as the whole environment besides HOME. */
export const layerAt = (root: string, env: Readonly<Record<string, string>> = {}) =>
  ConfigDirectory.layer.pipe(
    Layer.provide(
      Layer.succeed(Directories, { config: `${root}/config`, keys: `${root}/keys`, secrets: `${root}/secrets` })
    ),
    Layer.provide(NodeServices.layer),
    Layer.provide(ConfigProvider.layer(ConfigProvider.fromEnv({ env: { HOME: `${root}/home`, ...env } })))
  )

/** What a set of files loads as, once. */
export const loadFiles = (files: Files, env: Readonly<Record<string, string>> = {}) =>
  Effect.gen(function* () {
    const { root } = yield* writeFiles(files)
    return yield* loadAt(root, env)
  })

/** What the files below `root` load as, with the problems as an operator reads them. */
export const loadAt = (root: string, env: Readonly<Record<string, string>> = {}) =>
  Effect.gen(function* () {
    const snapshot = yield* ConfigDirectory.use((config) => config.snapshot).pipe(Effect.provide(layerAt(root, env)))
    return { snapshot, problems: snapshot.problems.map(formatProblem) }
  })

export const SERVERS = `hosts:
  - {alias: "prod-web-1", host: "10.0.0.11", port: 22, credentials: "prod-admin", tags: ["production","web"], description: "Primary web front-end"}
  - {alias: "lab-sensor-1", host: "192.168.1.140", port: "2222", credentials: "lab-maint", tags: ["lab","longrun"]}
`

export const CREDENTIALS = `entries:
  - {name: "prod-admin", username: "ubuntu", key_path: "prod/id_ed25519", key_passphrase_secret: "prod_admin_passphrase", password_secret: ""}
  - {name: "lab-maint", username: "maint", key_path: "", key_passphrase_secret: "", password_secret: "lab_maint_password"}
`

export const RELEASED_POLICY = `known_hosts_path: "/app/keys/known_hosts"
limits: {max_seconds: 60, max_output_bytes: 1048576, host_key_auto_add: false, require_known_host: true, task_result_ttl: 300, task_progress_interval: 5}
network: {allow_ips: [], allow_cidrs: ["10.0.0.0/8"], block_ips: [], block_cidrs: [], require_known_host: true}
rules:
  - {action: "allow", aliases: ["prod-*"], tags: ["production"], commands: ["uptime*", "df -h*", "systemctl status *"]}
  - {action: "deny",  aliases: ["prod-*"], commands: ["systemctl restart*", "docker *"]}
overrides: {aliases: {prod-web-1: {max_seconds: 30}}, tags: {longrun: {max_seconds: 180, task_result_ttl: 1800}}}
`

/** The same in words that mean here what they meant in the original. */
const CLEAN_POLICY = RELEASED_POLICY.replace('["uptime*", "df -h*", "systemctl status *"]', '["uptime", "df -h*"]')

export const NEWER_POLICY = `rules:
  - {action: "allow", aliases: ["*"], tags: [], simple_binaries: [uname, uptime, whoami], simple_max_args: 6}
  - {action: "allow", aliases: ["*"], binary: "df", arg_prefix: ["-h"], allow_extra_args: false}
  - {action: "allow", aliases: ["*"], binary: "cat", allow_extra_args: false, path_args: {indices: [1], patterns: ["/etc/os-release","/etc/*release"]}}
`

/** A set without a single problem. */
export const GOOD: Files = {
  "config/servers.yml": SERVERS,
  "config/credentials.yml": CREDENTIALS,
  "config/policy.yml": CLEAN_POLICY,
  "keys/known_hosts": "10.0.0.11 ssh-ed25519 AAAA\n",
  "keys/prod/id_ed25519": "-----BEGIN OPENSSH PRIVATE KEY-----\n",
  "secrets/prod_admin_passphrase": "open sesame\n",
  "secrets/lab_maint_password": "hunter2"
}
