import { Effect } from "effect"
import type { Scope } from "effect"
import { execFileSync, spawn } from "node:child_process"
import { accessSync, constants } from "node:fs"
import * as path from "node:path"

/**
 * OpenSSH's default key exchange computes a post-quantum secret that ssh2 does not know and that takes most of the time
 * of its handshake: with this option both do the same work.
 */
export const SAME_KEX = ["-o", "KexAlgorithms=curve25519-sha256"]

/** Options of `ssh` for the bench's hosts, without any configuration of the user or of the system. */
export const sshOptions = (files: { readonly key: string; readonly knownHosts: string }): ReadonlyArray<string> => [
  "-F",
  "none",
  "-i",
  files.key,
  "-o",
  `UserKnownHostsFile=${files.knownHosts}`,
  "-o",
  "GlobalKnownHostsFile=/dev/null",
  "-o",
  "BatchMode=yes",
  "-o",
  "IdentitiesOnly=yes",
  "-o",
  "LogLevel=ERROR"
]

/** Where a program lies on PATH; undefined when it is not installed. */
export const installed = (name: string): string | undefined =>
  (process.env["PATH"] ?? "")
    .split(":")
    .map((directory) => path.join(directory, name))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK)
        return true
      } catch {
        return false
      }
    })

/** Runs a program without input; its output is dropped. Rejects unless it exits with 0. */
export const run = (
  file: string,
  args: ReadonlyArray<string>,
  environment: Readonly<Record<string, string>> = {}
): Promise<void> =>
  new Promise((resolve, reject) => {
    const child = spawn(file, [...args], {
      stdio: ["ignore", "ignore", "pipe"],
      env: { ...process.env, ...environment }
    })
    let said = ""
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      said = (said + text).slice(0, 500)
    })
    child.on("error", reject)
    child.on("exit", (code) => (code === 0 ? resolve() : reject(new Error(`${file}: exit ${code}: ${said}`))))
  })

/** A control master for the Scope; yields the arguments that make `ssh` use it. */
export const controlMaster = (
  socket: string,
  options: ReadonlyArray<string>,
  destination: ReadonlyArray<string>
): Effect.Effect<ReadonlyArray<string>, never, Scope.Scope> => {
  const through = ["-F", "none", "-S", socket, ...destination]
  return Effect.acquireRelease(
    Effect.sync(() => {
      execFileSync("ssh", ["-M", "-N", "-f", "-S", socket, ...options, ...destination], { stdio: "ignore" })
      return through
    }),
    () =>
      // One whose connection is gone has ended already; its socket is gone, too, and `ssh` fails.
      Effect.ignore(Effect.try(() => execFileSync("ssh", ["-O", "exit", ...through], { stdio: "ignore" })))
  )
}
