/**
 * Two measurements, each beside its baseline in the same run, printed as tables and as one line of JSON:
 *
 * - `ssh_run true` on a warm connection through the binary, over MCP stdio, beside raw ssh2 with TCP_NODELAY and
 *   `ssh -S` over a control master. Aim: at most 2.5 × raw ssh2, and below `ssh -S`.
 * - cold start to the first `tools/list` answer, beside a bundled minimal SDK server. Aim: at most 1.5 ×.
 *
 * Usage: node scripts/bench/exec.ts [--rounds N] [--starts N]   (needs `npm run build` and OpenSSH). Exit 1 when an aim is missed.
 */
import { Client as McpClient } from "@modelcontextprotocol/sdk/client/index.js"
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js"
import { Effect } from "effect"
import { execFileSync, spawn } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import * as path from "node:path"
import { createInterface } from "node:readline"
import { parseArgs } from "node:util"
import { rolldown } from "rolldown"
import { Client as SshClient } from "ssh2"
import { binaryPath } from "../../test/support/Binary.ts"
import { makeConfigFixture } from "../../test/support/ConfigFixture.ts"
import * as Sshd from "../../test/support/Sshd.ts"
import { interleave, type Samples, table } from "./statistics.ts"

const root = path.join(import.meta.dirname, "../..")

/** Start-up files of the login shell would cost each of the three the same and hide what differs (bash(1), STARTUP). */
const NO_STARTUP_FILES = "SetEnv HOME=/nonexistent"

/** Milliseconds that `work` takes. */
const timed = async (work: () => Promise<unknown>): Promise<number> => {
  const start = performance.now()
  await work()
  return performance.now() - start
}

/** Raw ssh2 with TCP_NODELAY on one open connection; its key was just made, so any host key will do. */
const connectSsh2 = (sshd: Sshd.Sshd): Promise<SshClient> =>
  new Promise((resolve, reject) => {
    const client = new SshClient()
    client.on("error", reject)
    client.on("connect", () => client.setNoDelay(true))
    client.on("ready", () => resolve(client))
    client.connect({
      host: sshd.address,
      port: sshd.port,
      username: sshd.user,
      privateKey: sshd.key.pem,
      hostVerifier: () => true
    })
  })

const execSsh2 = (client: SshClient): Promise<void> =>
  new Promise((resolve, reject) => {
    client.exec("true", (error, channel) => {
      if (error !== undefined) return reject(error)
      channel.resume()
      channel.stderr.resume()
      channel.on("close", (code: number) => (code === 0 ? resolve() : reject(new Error(`exit ${code}`))))
      channel.end()
    })
  })

const run = (file: string, args: ReadonlyArray<string>): Promise<void> =>
  new Promise((resolve, reject) => {
    const child = spawn(file, [...args], { stdio: "ignore" })
    child.on("error", reject)
    child.on("exit", (code) => (code === 0 ? resolve() : reject(new Error(`${file}: exit ${code}`))))
  })

const callTrue = async (client: McpClient): Promise<void> => {
  const result = await client.callTool({ name: "ssh_run", arguments: { alias: "web1", command: "true" } })
  if (result.isError === true) throw new Error(JSON.stringify(result.content))
}

/** Starts a server and waits for its first `tools/list` answer. */
const coldStart = (file: string, environment: Record<string, string>): Promise<number> =>
  timed(
    () =>
      new Promise<void>((resolve, reject) => {
        const child = spawn(process.execPath, [file], {
          env: { PATH: process.env["PATH"] ?? "", ...environment },
          stdio: ["pipe", "pipe", "ignore"]
        })
        const send = (message: object): void => {
          child.stdin.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`)
        }
        child.on("error", reject)
        createInterface({ input: child.stdout }).on("line", (line) => {
          const { id } = JSON.parse(line) as { readonly id?: number }
          if (id === 1) {
            send({ method: "notifications/initialized" })
            send({ id: 2, method: "tools/list" })
          }
          if (id === 2) {
            child.stdin.end()
            child.kill("SIGKILL")
            resolve()
          }
        })
        send({
          id: 1,
          method: "initialize",
          params: {
            protocolVersion: "2025-11-25",
            capabilities: {},
            clientInfo: { name: "bench", version: "1.0.0" }
          }
        })
      })
  )

/** Bundles the minimal server with the same settings as the binary. */
const bundleMinimalServer = async (directory: string): Promise<string> => {
  const file = path.join(directory, "minimal.mjs")
  const bundle = await rolldown({ input: path.join(root, "scripts/bench/minimalServer.ts"), platform: "node" })
  await bundle.write({ file, format: "esm", minify: true, codeSplitting: false })
  await bundle.close()
  return file
}

const execLatency = (rounds: number) =>
  Effect.gen(function* () {
    const sshd = yield* Sshd.start({ config: [NO_STARTUP_FILES] })
    const config = yield* makeConfigFixture({
      hosts: [{ alias: "web1", host: sshd.address, port: sshd.port, credentials: "key" }],
      credentials: [{ name: "key", username: sshd.user, key_path: "id_ed25519" }],
      policy: { rules: [{ action: "allow", commands: ["true"] }] },
      knownHosts: `${yield* sshd.knownHosts}\n`,
      keys: { id_ed25519: sshd.key.pem }
    })
    const client = yield* Effect.acquireRelease(
      Effect.promise(async () => {
        const connected = new McpClient({ name: "bench", version: "1.0.0" })
        await connected.connect(
          new StdioClientTransport({
            command: process.execPath,
            args: [binaryPath()],
            env: config.environment,
            stderr: "ignore"
          })
        )
        await connected.listTools()
        return connected
      }),
      (connected) => Effect.promise(() => connected.close())
    )
    const ssh2 = yield* Effect.acquireRelease(
      Effect.promise(() => connectSsh2(sshd)),
      (connected) => Effect.sync(() => connected.end())
    )
    const destination = [
      "-F",
      "none",
      "-S",
      `${config.root}/master`,
      "-p",
      String(sshd.port),
      `${sshd.user}@${sshd.address}`
    ]
    yield* Effect.acquireRelease(
      Effect.sync(() =>
        execFileSync(
          "ssh",
          [
            "-M",
            "-N",
            "-f",
            "-i",
            `${config.keysDir}/id_ed25519`,
            "-o",
            `UserKnownHostsFile=${config.keysDir}/known_hosts`,
            "-o",
            "BatchMode=yes",
            ...destination
          ],
          { stdio: "ignore" }
        )
      ),
      () => Effect.sync(() => execFileSync("ssh", ["-O", "exit", ...destination], { stdio: "ignore" }))
    )
    const measured = {
      "ssh_run true (this server)": () => timed(() => callTrue(client)),
      "raw ssh2, TCP_NODELAY": () => timed(() => execSsh2(ssh2)),
      "ssh -S control master": () => timed(() => run("ssh", [...destination, "true"]))
    }
    return yield* Effect.promise(async () => {
      await interleave(20, measured)
      return interleave(rounds, measured)
    })
  })

const startLatency = (starts: number) =>
  Effect.gen(function* () {
    const config = yield* makeConfigFixture({ hosts: [], credentials: [], policy: {} })
    const directory = yield* Effect.acquireRelease(
      Effect.sync(() => mkdtempSync(path.join(tmpdir(), "mcp-ssh-bench-"))),
      (created) => Effect.sync(() => rmSync(created, { recursive: true, force: true }))
    )
    const measured = yield* Effect.promise(async () => {
      const minimal = await bundleMinimalServer(directory)
      const binary = binaryPath()
      // The compile cache is written by a process that ends by itself, as the first session of a client does.
      execFileSync(process.execPath, [binary], {
        input: "",
        env: { ...process.env, ...config.environment },
        stdio: ["pipe", "ignore", "ignore"]
      })
      return {
        "cold start (this server)": () => coldStart(binary, config.environment),
        "cold start (minimal SDK server)": () => coldStart(minimal, {}),
        "the very first start (this server)": () =>
          coldStart(binary, { ...config.environment, NODE_DISABLE_COMPILE_CACHE: "1" })
      }
    })
    return yield* Effect.promise(async () => {
      await interleave(2, measured)
      return interleave(starts, measured)
    })
  })

const { values } = parseArgs({
  options: { rounds: { type: "string", default: "300" }, starts: { type: "string", default: "15" } }
})

const ratio = (a: Samples | undefined, b: Samples | undefined): number =>
  Math.round(((a?.median ?? Number.NaN) / (b?.median ?? Number.NaN)) * 100) / 100

const [exec, start] = await Effect.runPromise(
  Effect.all([Effect.scoped(execLatency(Number(values.rounds))), Effect.scoped(startLatency(Number(values.starts)))])
)
const ratios = {
  exec_to_raw_ssh2: ratio(exec[0], exec[1]),
  exec_to_control_master: ratio(exec[0], exec[2]),
  start_to_minimal_server: ratio(start[0], start[1]),
  first_start_to_minimal_server: ratio(start[2], start[1])
}
const reached =
  ratios.exec_to_raw_ssh2 <= 2.5 && ratios.exec_to_control_master < 1 && ratios.start_to_minimal_server <= 1.5
process.stdout.write(
  [
    table("Warm exec of `true`", exec),
    table("Start to the first tools/list answer", start),
    `  ssh_run / raw ssh2        ${ratios.exec_to_raw_ssh2.toFixed(2)}  (aim: at most 2.5)`,
    `  ssh_run / ssh -S          ${ratios.exec_to_control_master.toFixed(2)}  (aim: below 1)`,
    `  start / minimal server    ${ratios.start_to_minimal_server.toFixed(2)}  (aim: at most 1.5)`,
    `  the very first start      ${ratios.first_start_to_minimal_server.toFixed(2)}`,
    "",
    JSON.stringify({ bench: "exec", samples: [...exec, ...start], ratios, reached }),
    ""
  ].join("\n")
)
process.exitCode = reached ? 0 : 1
