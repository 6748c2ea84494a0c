import { Effect, type Scope } from "effect"
import { execFile, execFileSync, spawn } from "node:child_process"
import { existsSync, readFileSync } from "node:fs"

/** A running ssh-agent(1). */
export interface SshAgent {
  readonly socket: string
  /** Adds a private key by its file. */
  readonly add: (path: string) => Effect.Effect<void>
  /** Removes all keys. */
  readonly clear: Effect.Effect<void>
  /** Ends it at once; the socket's file stays. */
  readonly kill: Effect.Effect<void>
}

/** Starts ssh-agent on a socket in `directory`; it ends with the Scope, by its pid. */
export const startAgent = (directory: string): Effect.Effect<SshAgent, never, Scope.Scope> =>
  Effect.gen(function* () {
    const socket = `${directory}/agent-${yield* Effect.sync(() => process.hrtime.bigint())}.sock`
    const child = yield* Effect.acquireRelease(
      Effect.sync(() => spawn("ssh-agent", ["-D", "-a", socket], { stdio: ["ignore", "pipe", "ignore"] })),
      (agent) => Effect.sync(() => agent.kill("SIGKILL"))
    )
    // It prints its variables once it listens.
    yield* Effect.callback<void>((resume) => {
      child.stdout.once("data", () => resume(Effect.void))
      child.once("exit", () => resume(Effect.die(new Error("ssh-agent ended"))))
    })
    if (!existsSync(socket)) return yield* Effect.die(new Error("ssh-agent has no socket"))
    const sshAdd = (...args: ReadonlyArray<string>) =>
      Effect.callback<void>((resume) => {
        execFile("ssh-add", [...args], { env: { ...process.env, SSH_AUTH_SOCK: socket } }, (error) =>
          resume(error === null ? Effect.void : Effect.die(error))
        )
      })
    const agent: SshAgent = {
      socket,
      add: (path) => sshAdd("-q", path),
      clear: sshAdd("-q", "-D"),
      kill: Effect.callback((resume) => {
        child.once("exit", () => resume(Effect.void))
        child.kill("SIGKILL")
      })
    }
    return agent
  })

/** What `ssh-keygen -s` is told; the validity is in its own terms (`-V`), the options in those of `-O`. */
export interface SigningOptions {
  readonly principals?: string
  readonly validity?: string
  readonly host?: boolean
  readonly options?: ReadonlyArray<string>
  readonly serial?: number
}

/** Has an authority certify the key in `path`; yields the wire form of `path-cert.pub`. */
export const certify = (authority: string, path: string, options: SigningOptions = {}): Uint8Array => {
  execFileSync(
    "ssh-keygen",
    [
      "-q",
      "-s",
      authority,
      "-I",
      "test id",
      "-z",
      String(options.serial ?? 7),
      ...(options.host === true ? ["-h"] : []),
      ...(options.principals === undefined ? [] : ["-n", options.principals]),
      ...(options.validity === undefined ? [] : ["-V", options.validity]),
      ...(options.options ?? []).flatMap((option) => ["-O", option]),
      `${path}.pub`
    ],
    { stdio: "ignore" }
  )
  return new Uint8Array(Buffer.from(readFileSync(`${path}-cert.pub`, "utf8").split(" ")[1] ?? "", "base64"))
}
