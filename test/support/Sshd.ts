import { Effect, FileSystem, Schema } from "effect"
import type { Scope } from "effect"
import { NodeFileSystem } from "@effect/platform-node"
import { execFile, spawn } from "node:child_process"
import type { ChildProcess } from "node:child_process"
import { createServer } from "node:net"
import { userInfo } from "node:os"
import { type Account, type AccountsOptions, makeAccounts } from "./Accounts.ts"
import { killPid, namespaceOf, processTable } from "./ProcessTable.ts"

/** The kinds of key that `ssh-keygen` makes for a test, as its `-t` names them. */
export type KeyType = "ed25519" | "ecdsa" | "rsa"

/** A throwaway key pair on disk. */
export interface KeyPair {
  /** The private key's file, mode 0600; the public key lies beside it with the suffix `.pub`. */
  readonly path: string
  /** The private key's text. */
  readonly pem: string
  /** The public key's line, as authorized_keys wants it. */
  readonly publicKey: string
}

/** What can be chosen for one sshd; everything has a default. */
export interface SshdOptions {
  /** The loopback address to listen on, 127.0.0.1 by default. Several sshd can share a port on several addresses. */
  readonly address?: string
  /** The port, a free one by default. */
  readonly port?: number
  /** Further `sshd_config` lines. They come first, so they win over the defaults (sshd keeps the first value). */
  readonly config?: ReadonlyArray<string>
  /** The types of host key, `["ed25519"]` by default. */
  readonly hostKeys?: ReadonlyArray<KeyType>
  /** Accounts that exist for this server alone and accept `key` too (needs root). */
  readonly accounts?: ReadonlyArray<Account>
  /** With `accounts`: what their processes see besides. */
  readonly machine?: AccountsOptions
}

/** A process that one of the sshd's sessions started, found by its environment. */
export interface RemoteProcessInfo {
  readonly pid: number
  /** The arguments, joined by blanks. */
  readonly command: string
}

/** A running OpenSSH server that accepts the current user with `key`. */
export interface Sshd {
  readonly address: string
  readonly port: number
  /** The user to log in as: the one that runs the tests. */
  readonly user: string
  /** The directory with everything of this server; gone when the Scope closes. */
  readonly directory: string
  /** A directory with `id_ed25519` (and whatever `makeKey` adds), to be used as a keys directory. */
  readonly keysDir: string
  /** The accepted ed25519 key. */
  readonly key: KeyPair
  /** `key.path`. */
  readonly privateKeyPath: string
  /** known_hosts lines for `[address]:port` with the host keys in use now, without a trailing blank line. */
  readonly knownHosts: Effect.Effect<string>
  /** The pid of the listening process at the moment. */
  readonly pid: Effect.Effect<number>
  /** Makes a key in `keysDir`; it is not accepted before `authorize`. */
  readonly makeKey: (
    name: string,
    options?: { readonly type?: KeyType; readonly passphrase?: string; readonly pem?: boolean }
  ) => Effect.Effect<KeyPair, SshdError>
  /** Accepts a public key line from now on. */
  readonly authorize: (publicKey: string) => Effect.Effect<void>
  /** Everything that sshd wrote to its log so far. */
  readonly log: Effect.Effect<string>
  /**
   * The processes that sessions of this server started and that are alive (also those that left their session). With
   * `accounts` also those with an environment of their own and those of other users.
   */
  readonly processes: Effect.Effect<ReadonlyArray<RemoteProcessInfo>>
  /** Kills the server processes of all sessions with SIGKILL, as a crash would; the listener goes on. */
  readonly killSessions: Effect.Effect<void>
  /** Kills listener and sessions; connecting is then refused until `restart`. */
  readonly kill: Effect.Effect<void>
  /** Starts the listener again on the same port; with `newHostKeys` under another identity. */
  readonly restart: (options?: { readonly newHostKeys?: boolean }) => Effect.Effect<void, SshdError>
}

/** sshd or ssh-keygen did not do what the test needs; `detail` holds what it printed. */
export class SshdError extends Schema.TaggedError<SshdError>()("SshdError", {
  detail: Schema.String
}) {}

const PATH_OF_SSHD = "/usr/sbin/sshd"

const run = (file: string, args: ReadonlyArray<string>): Effect.Effect<string, SshdError> =>
  Effect.callback((resume) => {
    execFile(file, [...args], (error, stdout, stderr) => {
      resume(
        error === null
          ? Effect.succeed(stdout)
          : Effect.fail(new SshdError({ detail: `${file} ${args.join(" ")}: ${error.message} ${stderr}` }))
      )
    })
  })

/** A TCP port that was free a moment ago on `address`. */
export const freePort = (address = "127.0.0.1"): Effect.Effect<number> =>
  Effect.callback((resume) => {
    const server = createServer()
    server.listen(0, address, () => {
      const bound = server.address()
      const port = typeof bound === "object" && bound !== null ? bound.port : 0
      server.close(() => resume(Effect.succeed(port)))
    })
  })

const keyPair = Effect.fn("Sshd.keyPair")(function* (
  path: string,
  options: { readonly type?: KeyType; readonly passphrase?: string; readonly pem?: boolean } = {}
) {
  const fs = yield* FileSystem.FileSystem
  const type = options.type ?? "ed25519"
  yield* run("ssh-keygen", [
    "-q",
    "-t",
    type,
    ...(type === "rsa" ? ["-b", "2048"] : []),
    ...(options.pem === true ? ["-m", "PEM"] : []),
    "-N",
    options.passphrase ?? "",
    "-C",
    "test",
    "-f",
    path
  ])
  const pair: KeyPair = {
    path,
    pem: yield* Effect.orDie(fs.readFileString(path)),
    publicKey: (yield* Effect.orDie(fs.readFileString(`${path}.pub`))).trim()
  }
  return pair
})

const spawnSshd = (
  [file, args]: readonly [file: string, args: ReadonlyArray<string>],
  log: Array<string>
): Effect.Effect<ChildProcess, SshdError> =>
  Effect.callback((resume) => {
    const child = spawn(file, args, { stdio: ["ignore", "ignore", "pipe"] })
    const from = log.length
    let listening = false
    child.on("error", (error) => resume(Effect.fail(new SshdError({ detail: `${file}: ${error.message}` }))))
    child.on("exit", () => resume(Effect.fail(new SshdError({ detail: `sshd exited: ${log.slice(from).join("")}` }))))
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      log.push(text)
      if (listening || !log.slice(from).join("").includes("Server listening on")) return
      listening = true
      resume(Effect.succeed(child))
    })
    return Effect.sync(() => killPid(child.pid ?? 0))
  })

/** Ends once the process is gone. */
const ended = (child: ChildProcess): Effect.Effect<void> =>
  Effect.callback((resume) => {
    if (child.exitCode !== null || child.signalCode !== null) resume(Effect.void)
    else child.once("exit", () => resume(Effect.void))
  })

const makeSshd = Effect.fn("Sshd.start")(function* (options: SshdOptions) {
  const fs = yield* FileSystem.FileSystem
  const context = yield* Effect.context<FileSystem.FileSystem>()
  const address = options.address ?? "127.0.0.1"
  const user = userInfo().username
  // sshd refuses to start as root without its (empty) privilege separation directory.
  if (userInfo().uid === 0) yield* Effect.orDie(fs.makeDirectory("/run/sshd", { recursive: true, mode: 0o755 }))

  const directory = yield* Effect.orDie(fs.makeTempDirectoryScoped({ prefix: "sshd-" }))
  const keysDir = `${directory}/keys`
  yield* Effect.orDie(fs.makeDirectory(keysDir, { mode: 0o700 }))
  const authorizedKeys = `${directory}/authorized_keys`
  const configPath = `${directory}/sshd_config`
  const home = `${directory}/home`
  yield* Effect.orDie(fs.makeDirectory(home, { mode: 0o700 }))
  const hostKeyTypes = options.hostKeys ?? ["ed25519"]
  const hostKeyPath = (type: KeyType) => `${directory}/host_${type}`
  const makeHostKeys = Effect.forEach(
    hostKeyTypes,
    (type) =>
      Effect.andThen(
        Effect.orDie(
          Effect.andThen(
            fs.remove(hostKeyPath(type), { force: true }),
            fs.remove(`${hostKeyPath(type)}.pub`, { force: true })
          )
        ),
        keyPair(hostKeyPath(type), { type })
      ),
    { discard: true, concurrency: 3 }
  )
  const [key] = yield* Effect.all([keyPair(`${keysDir}/id_ed25519`), makeHostKeys], { concurrency: 2 })
  yield* Effect.orDie(fs.writeFileString(authorizedKeys, `${key.publicKey}\n`, { mode: 0o644 }))
  const accounts =
    options.accounts === undefined
      ? undefined
      : yield* Effect.mapError(
          makeAccounts(directory, options.accounts, options.machine ?? {}),
          (error) => new SshdError({ detail: error.detail })
        )
  const plain: readonly [string, ReadonlyArray<string>] = [PATH_OF_SSHD, ["-D", "-e", "-f", configPath]]
  const command = accounts === undefined ? plain : accounts.command(...plain)

  /** The namespaces of the listeners so far, where they have one of their own. */
  const namespaces = new Set<string>()
  const note = (child: ChildProcess) => {
    if (accounts !== undefined) namespaces.add(namespaceOf(child.pid ?? -1))
    namespaces.delete("")
  }

  const log: Array<string> = []
  const writeConfig = (port: number) =>
    Effect.orDie(
      fs.writeFileString(
        configPath,
        [
          ...(options.config ?? []),
          `ListenAddress ${address}`,
          `Port ${port}`,
          ...hostKeyTypes.map((type) => `HostKey ${hostKeyPath(type)}`),
          `AuthorizedKeysFile ${authorizedKeys}`,
          "PidFile none",
          "StrictModes no",
          "UsePAM no",
          "UseDNS no",
          "PermitRootLogin yes",
          "PasswordAuthentication no",
          "KbdInteractiveAuthentication no",
          "AcceptEnv LANG LC_*",
          // An empty home: bash reads ~/.bashrc for sshd, and a developer's may be slow or wait for a lock.
          ...(accounts === undefined ? [`SetEnv HOME=${home}`] : []),
          "MaxStartups 200:30:400",
          "PrintMotd no",
          "PrintLastLog no",
          "LogLevel VERBOSE",
          ...(accounts === undefined ? [] : [`Match User ${user}`, `SetEnv HOME=${home}`]),
          ""
        ].join("\n")
      )
    )
  const launch = (port: number) => Effect.andThen(writeConfig(port), spawnSshd(command, log))

  // Another process may take the port between the question and the bind.
  const chosen =
    options.port === undefined
      ? Effect.gen(function* () {
          const port = yield* freePort(address)
          return { port, child: yield* launch(port) }
        }).pipe(Effect.retry({ times: 3 }))
      : Effect.map(launch(options.port), (child) => ({ port: options.port ?? 0, child }))

  const state: { child: ChildProcess } & { readonly port: number } = yield* Effect.acquireRelease(
    chosen,
    (state) => killAll(state.child, state.port),
    { interruptible: true }
  )
  const port = state.port

  /** The pids of the session processes of a listener: its descendants that are sshd. */
  function sessionsOf(child: ChildProcess) {
    return Effect.map(processTable, (table) => {
      const found = new Set<number>([child.pid ?? -1])
      let grown = true
      while (grown) {
        grown = false
        for (const entry of table) {
          if (found.has(entry.parent) && !found.has(entry.pid) && entry.command.startsWith("sshd")) {
            found.add(entry.pid)
            grown = true
          }
        }
      }
      found.delete(child.pid ?? -1)
      return [...found]
    })
  }

  function processesOf(child: ChildProcess, port: number) {
    note(child)
    return Effect.map(processTable, (table) =>
      table
        .filter((entry) => !entry.zombie)
        .filter(
          (entry) =>
            (namespaces.has(entry.namespace) && !entry.command.startsWith("sshd")) ||
            entry.environ.some((line) => line.startsWith("SSH_CONNECTION=") && line.endsWith(` ${address} ${port}`))
        )
        .map(({ pid, command }): RemoteProcessInfo => ({ pid, command }))
    )
  }

  function killServer(child: ChildProcess) {
    return Effect.gen(function* () {
      note(child)
      for (const pid of yield* sessionsOf(child)) killPid(pid)
      if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL")
      yield* ended(child)
    })
  }

  function killAll(child: ChildProcess, port: number) {
    return Effect.gen(function* () {
      yield* killServer(child)
      for (const { pid } of yield* processesOf(child, port)) killPid(pid)
    })
  }

  const knownHosts = Effect.map(
    Effect.forEach(hostKeyTypes, (type) => Effect.orDie(fs.readFileString(`${hostKeyPath(type)}.pub`))),
    (lines) =>
      lines
        .map(
          (line) => `${port === 22 ? address : `[${address}]:${port}`} ${line.trim().split(" ").slice(0, 2).join(" ")}`
        )
        .join("\n")
  )

  const sshd: Sshd = {
    address,
    port,
    user,
    directory,
    keysDir,
    key,
    privateKeyPath: key.path,
    knownHosts,
    pid: Effect.sync(() => state.child.pid ?? -1),
    makeKey: (name, keyOptions) => Effect.provideContext(keyPair(`${keysDir}/${name}`, keyOptions), context),
    authorize: (publicKey) => Effect.orDie(fs.writeFileString(authorizedKeys, `${publicKey}\n`, { flag: "a" })),
    log: Effect.sync(() => log.join("")),
    processes: Effect.provideContext(
      Effect.suspend(() => processesOf(state.child, port)),
      context
    ),
    killSessions: Effect.provideContext(
      Effect.gen(function* () {
        for (const pid of yield* sessionsOf(state.child)) killPid(pid)
      }),
      context
    ),
    kill: Effect.provideContext(
      Effect.suspend(() => killServer(state.child)),
      context
    ),
    restart: (restartOptions) =>
      Effect.provideContext(
        Effect.gen(function* () {
          yield* killServer(state.child)
          if (restartOptions?.newHostKeys === true) yield* makeHostKeys
          state.child = yield* launch(port)
        }),
        context
      )
  }
  return sshd
})

/**
 * Starts a real OpenSSH server on loopback with throwaway keys. It lives in the Scope: closing it kills the listener,
 * the sessions and every process that they left behind, each by its pid.
 *
 * It accepts the current user with `key`, gives sessions an empty home directory, has default `MaxSessions 10`, and uses no wall clock: it can be started under
 * a TestClock (a client with timeouts cannot: use `it.live`).
 *
 * @example
 * const sshd = yield* Sshd.start({ config: ["MaxSessions 2"] })
 */
export const start = (options: SshdOptions = {}): Effect.Effect<Sshd, SshdError, Scope.Scope> =>
  Effect.provide(makeSshd(options), NodeFileSystem.layer)
