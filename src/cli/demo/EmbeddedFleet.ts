import type { Scope } from "effect"
import { Effect, Schema } from "effect"
import { type ChildProcess, spawn } from "node:child_process"
import type { AddressInfo } from "node:net"
import type ssh2 from "ssh2"

/** The embedded fleet could not be started. */
export class FleetFailed extends Schema.TaggedError<FleetFailed>()("FleetFailed", { cause: Schema.Defect() }) {
  override get message(): string {
    return `The embedded SSH servers could not be started: ${String(this.cause)}`
  }
}

/** One SSH server of the fleet, on 127.0.0.1. */
export interface EmbeddedHost {
  readonly alias: string
  readonly port: number
  /** The public host key as it stands in a known_hosts file: algorithm and base64. */
  readonly hostKey: string
}

/** What the servers have in common, and each one's home directory. */
export interface FleetOptions {
  /** The only public key that may log in, in OpenSSH format; any user name will do. */
  readonly publicKey: string
  readonly hosts: ReadonlyArray<{ readonly alias: string; readonly home: string }>
}

/** Servers that end with the scope, together with every process that a command left behind. */
export interface EmbeddedFleet {
  readonly hosts: ReadonlyArray<EmbeddedHost>
  /** Process groups of executed commands that still have a member. */
  readonly running: Effect.Effect<number>
}

/** Loaded with the demonstration: it takes longer to load than the rest of the program. */
const loadSsh2 = Effect.map(
  Effect.promise(() => import("ssh2")),
  (library) => library.default
)

/** A throwaway key pair in OpenSSH format. */
export interface KeyPair {
  readonly private: string
  readonly public: string
}

/** Makes an ed25519 key pair. ssh2 1.17 makes one in some 300 that it cannot read itself; then another one is made. */
export const makeKeyPair: Effect.Effect<KeyPair> = Effect.flatMap(loadSsh2, ({ utils }) =>
  Effect.sync((): KeyPair => utils.generateKeyPairSync("ed25519")).pipe(
    Effect.repeat({ until: (pair) => !(utils.parseKey(pair.private) instanceof Error) })
  )
)

const groupLives = (leader: number): boolean => {
  try {
    process.kill(-leader, 0)
    return true
  } catch {
    return false
  }
}

const killGroup = (leader: number): void => {
  try {
    process.kill(-leader, "SIGKILL")
  } catch {
    // It ended on its own.
  }
}

/** The environment of a fresh login; nothing of this process's own is handed down but where programs are. */
const loginEnvironment = (home: string): Record<string, string> => ({
  PATH: process.env["PATH"] ?? "/usr/bin:/bin",
  HOME: home,
  USER: "demo",
  LANG: "C.UTF-8"
})

/** Connects a command's streams with the channel and reports how it ended, as RFC 4254 section 6.10 has it. */
const serveExec = (channel: ssh2.ServerChannel, child: ChildProcess): void => {
  const { stderr, stdin, stdout } = child
  if (stdin === null || stdout === null || stderr === null) return
  stdin.on("error", () => {})
  channel.on("error", () => {})
  channel.pipe(stdin)
  stdout.pipe(channel, { end: false })
  stderr.pipe(channel.stderr, { end: false })
  child.on("error", () => {
    channel.exit(127)
    channel.end()
  })
  child.on("close", (code, signal) => {
    if (signal === null) channel.exit(code ?? 255)
    else channel.exit(signal.replace(/^SIG/, ""), false, "")
    channel.end()
  })
}

interface RunningServer {
  readonly host: EmbeddedHost
  readonly close: Effect.Effect<void>
  /** Session leaders of the commands that were started and, as far as is known, still run. */
  readonly leaders: ReadonlySet<number>
}

const startServer = (
  { Server, utils }: typeof ssh2,
  hostKeys: KeyPair,
  { alias, home, publicKey }: { readonly alias: string; readonly home: string; readonly publicKey: string }
) =>
  Effect.callback<RunningServer, FleetFailed>((resume) => {
    const allowed = utils.parseKey(publicKey)
    if (allowed instanceof Error) return resume(Effect.fail(new FleetFailed({ cause: allowed })))
    const leaders = new Set<number>()
    const connections = new Set<ssh2.Connection>()

    const server = new Server({ hostKeys: [hostKeys.private] }, (connection) => {
      connections.add(connection)
      connection.on("error", () => {})
      connection.on("close", () => connections.delete(connection))
      connection.on("authentication", (context) => {
        if (context.method !== "publickey" || !context.key.data.equals(allowed.getPublicSSH())) {
          return context.reject(["publickey"])
        }
        // Without a signature the client only asks whether the key would do (RFC 4252 section 7).
        if (context.signature === undefined || context.blob === undefined) return context.accept()
        // Typed boolean, but a failure is a (truthy) Error.
        const verdict: unknown = allowed.verify(context.blob, context.signature, context.hashAlgo)
        return verdict === true ? context.accept() : context.reject(["publickey"])
      })
      connection.on("session", (accept) => {
        const session = accept()
        let child: ChildProcess | undefined
        session.on("exec", (acceptExec, _reject, { command }) => {
          const channel = acceptExec()
          // `detached` makes it a session leader, as sshd does: its pid is the group's and the session's id.
          const started = spawn("/bin/sh", ["-c", command], {
            cwd: home,
            detached: true,
            env: loginEnvironment(home),
            stdio: "pipe"
          })
          child = started
          if (started.pid !== undefined) leaders.add(started.pid)
          serveExec(channel, started)
        })
        session.on("signal", (acceptSignal, _reject, { name }) => {
          if (child?.pid !== undefined && groupLives(child.pid))
            process.kill(-child.pid, `SIG${name}` as NodeJS.Signals)
          acceptSignal?.()
        })
      })
    })
    server.on("error", (cause: Error) => resume(Effect.fail(new FleetFailed({ cause }))))
    server.listen(0, "127.0.0.1", () => {
      const address = server.address() as AddressInfo
      const [algorithm = "", key = ""] = hostKeys.public.split(" ")
      resume(
        Effect.succeed({
          host: { alias, port: address.port, hostKey: `${algorithm} ${key}` },
          leaders,
          close: Effect.callback<void>((closed) => {
            for (const leader of leaders) if (groupLives(leader)) killGroup(leader)
            for (const connection of connections) connection.end()
            server.close(() => closed(Effect.void))
          }).pipe(Effect.timeoutOption("2 seconds"), Effect.asVoid)
        })
      )
    })
  })

/**
 * Starts one SSH server a host on a free loopback port: public key authentication only, a fresh host key, `/bin/sh` in
 * the host's home directory behind each exec request, no other request granted. Commands run as this process's user.
 */
export const startFleet = Effect.fn("EmbeddedFleet.start")(function* (
  options: FleetOptions
): Effect.fn.Return<EmbeddedFleet, FleetFailed, Scope.Scope> {
  const library = yield* loadSsh2
  const servers = yield* Effect.forEach(options.hosts, (host) =>
    Effect.flatMap(makeKeyPair, (hostKeys) =>
      Effect.acquireRelease(
        startServer(library, hostKeys, { ...host, publicKey: options.publicKey }),
        (server) => server.close
      )
    )
  )
  return {
    hosts: servers.map((server) => server.host),
    running: Effect.sync(() => servers.flatMap((server) => [...server.leaders]).filter(groupLives).length)
  }
})
