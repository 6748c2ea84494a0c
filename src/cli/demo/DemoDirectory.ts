import type { PlatformError, Scope } from "effect"
import { Effect, FileSystem, Path } from "effect"
import type { EmbeddedHost } from "./EmbeddedFleet.ts"

/** A directory of its own for one demonstration, removed with the scope. */
export interface DemoDirectory {
  /** The configuration directory. */
  readonly config: string
  /** Where the commands of a host run; it holds a file `motd`. */
  readonly home: (alias: string) => string
  /** A script that counts to its argument, one line a second. */
  readonly count: string
  /** Writes the configuration of these servers. */
  readonly configure: (hosts: ReadonlyArray<EmbeddedHost>) => Effect.Effect<void, PlatformError.PlatformError>
  /** Adds a host to servers.yml that leads to the same server as another one. */
  readonly addHost: (
    alias: string,
    like: EmbeddedHost,
    hosts: ReadonlyArray<EmbeddedHost>
  ) => Effect.Effect<void, PlatformError.PlatformError>
}

/** The tags and the description of each host of the demonstration; the fleet has exactly these. */
export const DEMO_HOSTS = [
  { alias: "web-1", tags: ["web", "demo"], description: "First web server" },
  { alias: "web-2", tags: ["web", "demo"], description: "Second web server" },
  { alias: "db-1", tags: ["database", "demo"], description: "Database server" }
] as const

const COUNT = `#!/bin/sh
i=0
while [ "$i" -lt "$1" ]; do
  i=$((i + 1))
  echo "step $i of $1"
  sleep 1
done
`

const entry = (alias: string, port: number): string => {
  const known = DEMO_HOSTS.find((host) => host.alias === alias)
  const tags = JSON.stringify(known?.tags ?? ["web", "demo"])
  const description = JSON.stringify(known?.description ?? "Added while the server runs")
  return `  - {alias: "${alias}", host: "127.0.0.1", port: ${port}, credentials: "demo", tags: ${tags}, description: ${description}}\n`
}

const serversYml = (hosts: ReadonlyArray<{ readonly alias: string; readonly port: number }>): string =>
  `hosts:\n${hosts.map(({ alias, port }) => entry(alias, port)).join("")}`

const credentialsYml = `entries:
  - {name: "demo", username: "demo", key_path: "demo_ed25519"}
`

const policyYml = (count: string): string => `network: {allow_cidrs: ["127.0.0.0/8"]}
limits: {max_seconds: 30}
rules:
  - id: look
    action: allow
    commands: ["uname -a", "ls *", "cat motd"]
  - id: work
    action: allow
    tags: [demo]
    commands: ["${count} *", "sleep *"]
  - id: no-restarts
    action: deny
    commands: ["systemctl restart *"]
`

/** Makes the directory with homes, script and key; `configure` completes it once the servers' ports are known. */
export const makeDemoDirectory = Effect.fn("DemoDirectory.make")(function* (
  privateKey: string
): Effect.fn.Return<DemoDirectory, PlatformError.PlatformError, FileSystem.FileSystem | Path.Path | Scope.Scope> {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const config = yield* fs.makeTempDirectoryScoped({ prefix: "mcp-ssh-demo-" })
  const keys = path.join(config, "keys")
  const count = path.join(config, "bin", "count")
  const home = (alias: string) => path.join(config, "hosts", alias)

  yield* fs.makeDirectory(keys)
  yield* fs.makeDirectory(path.dirname(count))
  yield* fs.writeFileString(count, COUNT, { mode: 0o755 })
  yield* fs.writeFileString(path.join(keys, "demo_ed25519"), privateKey, { mode: 0o600 })
  for (const { alias, description } of DEMO_HOSTS) {
    yield* fs.makeDirectory(home(alias), { recursive: true })
    yield* fs.writeFileString(path.join(home(alias), "motd"), `${description}. Be gentle.\n`)
  }

  const write = (name: string, text: string) => fs.writeFileString(path.join(config, name), text, { mode: 0o600 })
  return {
    config,
    count,
    home,
    configure: Effect.fnUntraced(function* (hosts) {
      yield* write("servers.yml", serversYml(hosts))
      yield* write("credentials.yml", credentialsYml)
      yield* write("policy.yml", policyYml(count))
      const known = hosts.map(({ hostKey, port }) => `[127.0.0.1]:${port} ${hostKey}\n`).join("")
      yield* fs.writeFileString(path.join(keys, "known_hosts"), known)
    }),
    addHost: (alias, like, hosts) => write("servers.yml", serversYml([...hosts, { alias, port: like.port }]))
  }
})
