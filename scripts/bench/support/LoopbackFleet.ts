import { Effect } from "effect"
import type { Scope } from "effect"
import { execFileSync, spawn } from "node:child_process"
import type { ChildProcess } from "node:child_process"
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir, userInfo } from "node:os"
import * as path from "node:path"
import { freePort } from "../../../test/support/Sshd.ts"

/** Many addresses of 127.0.0.0/8 that real sshd listen on, all with one host key, one port and one accepted key. */
export interface LoopbackFleet {
  readonly addresses: ReadonlyArray<string>
  readonly port: number
  readonly user: string
  readonly keyPath: string
  readonly pem: string
  /** The text of a known_hosts with every address, and a file with it. */
  readonly knownHosts: string
  readonly knownHostsPath: string
}

/** An sshd refuses a configuration with more listening sockets (MAX_LISTEN_SOCKS in sshd.c). */
const ADDRESSES_PER_SSHD = 16

const listening = (child: ChildProcess): Promise<void> =>
  new Promise((resolve, reject) => {
    let said = ""
    child.on("error", reject)
    child.on("exit", (code) => reject(new Error(`sshd: exit ${code}: ${said}`)))
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      said = (said + text).slice(-4000)
      if (said.includes("Server listening on")) resolve()
    })
  })

const makeKey = (file: string): void => {
  execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "bench", "-f", file])
}

/** Starts as many sshd as `size` addresses take; the Scope's end kills each by its pid. */
export const startFleet = (size: number): Effect.Effect<LoopbackFleet, never, Scope.Scope> =>
  Effect.gen(function* () {
    const directory = yield* Effect.acquireRelease(
      Effect.sync(() => mkdtempSync(path.join(tmpdir(), "bench-fleet-"))),
      (made) => Effect.sync(() => rmSync(made, { recursive: true, force: true }))
    )
    const at = (name: string): string => path.join(directory, name)
    if (userInfo().uid === 0) mkdirSync("/run/sshd", { recursive: true, mode: 0o755 })
    makeKey(at("host"))
    makeKey(at("id"))
    mkdirSync(at("home"), { mode: 0o700 })
    writeFileSync(at("authorized_keys"), readFileSync(at("id.pub")), { mode: 0o600 })
    // 127.64.0.0/10 is used by nothing else here.
    const addresses = Array.from({ length: size }, (_, i) => `127.64.${Math.floor(i / 250)}.${1 + (i % 250)}`)
    const port = yield* freePort(addresses[0])
    const hostKey = readFileSync(at("host.pub"), "utf8").split(" ").slice(0, 2).join(" ")
    const knownHosts = addresses.map((address) => `[${address}]:${port} ${hostKey}\n`).join("")
    writeFileSync(at("known_hosts"), knownHosts)

    const children: Array<ChildProcess> = []
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        for (const child of children) child.removeAllListeners("exit").kill("SIGKILL")
      })
    )
    const starting: Array<Promise<void>> = []
    for (let from = 0; from < size; from += ADDRESSES_PER_SSHD) {
      const config = at(`sshd_config-${from}`)
      writeFileSync(
        config,
        [
          `Port ${port}`,
          ...addresses.slice(from, from + ADDRESSES_PER_SSHD).map((address) => `ListenAddress ${address}`),
          `HostKey ${at("host")}`,
          `AuthorizedKeysFile ${at("authorized_keys")}`,
          "PidFile none",
          "StrictModes no",
          "UsePAM no",
          "UseDNS no",
          "PermitRootLogin yes",
          "PasswordAuthentication no",
          "KbdInteractiveAuthentication no",
          `SetEnv HOME=${at("home")}`,
          "MaxStartups 1000:30:1000",
          "PrintMotd no",
          "PrintLastLog no",
          ""
        ].join("\n")
      )
      const child = spawn("/usr/sbin/sshd", ["-D", "-e", "-f", config], { stdio: ["ignore", "ignore", "pipe"] })
      children.push(child)
      starting.push(listening(child))
    }
    yield* Effect.promise(() => Promise.all(starting))
    return {
      addresses,
      port,
      user: userInfo().username,
      keyPath: at("id"),
      pem: readFileSync(at("id"), "utf8"),
      knownHosts,
      knownHostsPath: at("known_hosts")
    }
  })
