import { Effect, type Scope } from "effect"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"

/** One entry of servers.yml; further keys are written as they are. */
export interface HostEntry {
  readonly alias: string
  readonly host: string
  readonly [key: string]: unknown
}

/** What a configuration directory holds. Text goes into the file as it is, anything else as JSON, which is YAML. */
export interface ConfigFixtureOptions {
  /** The `hosts:` list, or the text of servers.yml. */
  readonly hosts?: ReadonlyArray<HostEntry> | string
  /** The `entries:` list, or the text of credentials.yml. */
  readonly credentials?: ReadonlyArray<Record<string, unknown>> | string
  /** policy.yml, as a document or as text. */
  readonly policy?: Record<string, unknown> | string
  /** keys/known_hosts; no such file when absent. */
  readonly knownHosts?: string
  /** Files below keys/, by relative path, mode 0600. */
  readonly keys?: Record<string, string>
  /** Files below secrets/, by relative path, mode 0600. */
  readonly secrets?: Record<string, string>
}

/** A configuration directory of its own, and a place for what the remote commands of a test leave behind. */
export interface ConfigFixture {
  /** Everything below is inside this directory. */
  readonly root: string
  readonly configDir: string
  readonly keysDir: string
  readonly secretsDir: string
  /** Programs that a test lets the remote host run; writable by `program`. */
  readonly binDir: string
  /** Where those programs stand (`cd`), so that every process that they start can be found again. */
  readonly workDir: string
  /** The variables that point the binary at these directories. HOME is inside too: nothing of the user's is read. */
  readonly environment: Record<string, string>
  readonly writeHosts: (hosts: NonNullable<ConfigFixtureOptions["hosts"]>) => Effect.Effect<void>
  readonly writeCredentials: (entries: NonNullable<ConfigFixtureOptions["credentials"]>) => Effect.Effect<void>
  readonly writePolicy: (policy: NonNullable<ConfigFixtureOptions["policy"]>) => Effect.Effect<void>
  readonly writeKnownHosts: (text: string) => Effect.Effect<void>
  /** Writes an executable `sh` script that stands in `workDir`; yields its absolute path. */
  readonly program: (name: string, body: string) => string
  /** Text of a file in `workDir`, "" while there is none. */
  readonly left: (name: string) => string
  /** Ids of the live processes that stand in `workDir`: what a remote command left running. */
  readonly remoteProcesses: () => ReadonlyArray<number>
}

const yaml = (key: string, value: string | ReadonlyArray<unknown>): string =>
  typeof value === "string" ? value : `${JSON.stringify({ [key]: value }, null, 2)}\n`

const writeAll = (directory: string, files: Record<string, string>): void => {
  for (const [name, text] of Object.entries(files)) {
    const file = path.join(directory, name)
    fs.mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 })
    fs.writeFileSync(file, text, { mode: 0o600 })
  }
}

/** State letter of a process (proc_pid_stat(5)), "" when it is gone. */
const processState = (pid: number): string => {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, "latin1")
    return stat.slice(stat.lastIndexOf(")") + 2, stat.lastIndexOf(")") + 3)
  } catch {
    return ""
  }
}

/** Whether a process runs: it exists and is not a zombie. */
export const isAlive = (pid: number): boolean => !["", "Z", "X"].includes(processState(pid))

const processesIn = (directory: string): ReadonlyArray<number> =>
  fs
    .readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const cwd = fs.readlinkSync(`/proc/${pid}/cwd`)
        return cwd === directory || cwd.startsWith(`${directory}/`)
      } catch {
        return false
      }
    })
    .filter(isAlive)

/**
 * A temporary configuration directory, removed with the scope. Processes still standing in its `workDir` are killed
 * then, so that a failed test leaves nothing behind.
 */
export const makeConfigFixture = (options: ConfigFixtureOptions): Effect.Effect<ConfigFixture, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const root = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "mcp-ssh-e2e-")))
      const at = (name: string): string => path.join(root, name)
      for (const name of ["config", "keys", "secrets", "bin", "work", "home"]) fs.mkdirSync(at(name), { mode: 0o700 })
      const write = (name: string, text: string) => Effect.sync(() => fs.writeFileSync(at(name), text, { mode: 0o600 }))
      const fixture: ConfigFixture = {
        root,
        configDir: at("config"),
        keysDir: at("keys"),
        secretsDir: at("secrets"),
        binDir: at("bin"),
        workDir: at("work"),
        environment: {
          MCP_SSH_CONFIG_DIR: at("config"),
          MCP_SSH_KEYS_DIR: at("keys"),
          MCP_SSH_SECRETS_DIR: at("secrets"),
          HOME: at("home")
        },
        writeHosts: (hosts) => write("config/servers.yml", yaml("hosts", hosts)),
        writeCredentials: (entries) => write("config/credentials.yml", yaml("entries", entries)),
        writePolicy: (policy) =>
          write("config/policy.yml", typeof policy === "string" ? policy : JSON.stringify(policy, null, 2)),
        writeKnownHosts: (text) => write("keys/known_hosts", text),
        program: (name, body) => {
          const file = at(`bin/${name}`)
          fs.writeFileSync(file, `#!/bin/sh\ncd '${at("work")}' || exit 111\n${body}\n`, { mode: 0o700 })
          return file
        },
        left: (name) => {
          const file = at(`work/${name}`)
          return fs.existsSync(file) ? fs.readFileSync(file, "utf8") : ""
        },
        remoteProcesses: () => processesIn(at("work"))
      }
      writeAll(fixture.configDir, {
        ...(options.hosts === undefined ? {} : { "servers.yml": yaml("hosts", options.hosts) }),
        ...(options.credentials === undefined ? {} : { "credentials.yml": yaml("entries", options.credentials) }),
        ...(options.policy === undefined
          ? {}
          : {
              "policy.yml":
                typeof options.policy === "string" ? options.policy : JSON.stringify(options.policy, null, 2)
            })
      })
      writeAll(fixture.keysDir, {
        ...options.keys,
        ...(options.knownHosts === undefined ? {} : { known_hosts: options.knownHosts })
      })
      writeAll(fixture.secretsDir, options.secrets ?? {})
      return fixture
    }),
    (fixture) =>
      Effect.sync(() => {
        for (const pid of fixture.remoteProcesses()) process.kill(pid, "SIGKILL")
        fs.rmSync(fixture.root, { recursive: true, force: true })
      })
  )
