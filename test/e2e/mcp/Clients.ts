import { Effect, type Scope } from "effect"
import { spawn } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { fileURLToPath } from "node:url"
import { binaryPath } from "../../support/Binary.ts"
import { eventually } from "../Scenario.ts"

const modules = fileURLToPath(new URL("../../../node_modules", import.meta.url))

/** What a client's command-line program left: its exit code, and its stdout as JSON where it is JSON. */
export interface Ran {
  readonly code: number | null
  readonly json: { readonly [key: string]: unknown }
  readonly stdout: string
  readonly stderr: string
}

const asObject = (text: string): Ran["json"] => {
  try {
    const value: unknown = JSON.parse(text)
    return Array.isArray(value) ? { list: value } : Object(value)
  } catch {
    return {}
  }
}

/** Runs a script of an installed package to its end, with a home directory of its own and nothing else of the user's. */
const runScript = (script: string, home: string, args: ReadonlyArray<string>): Effect.Effect<Ran> =>
  Effect.callback<Ran>((resume) => {
    const child = spawn(process.execPath, [path.join(modules, script), ...args], {
      env: { PATH: process.env["PATH"] ?? "", HOME: home, NO_COLOR: "1" },
      stdio: ["ignore", "pipe", "pipe"],
      cwd: home
    })
    let stdout = ""
    let stderr = ""
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text
    })
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text
    })
    child.on("close", (code) => resume(Effect.succeed({ code, json: asObject(stdout), stdout, stderr })))
    return Effect.sync(() => child.kill("SIGKILL"))
  })

const makeHome: Effect.Effect<string, never, Scope.Scope> = Effect.acquireRelease(
  Effect.sync(() => fs.mkdtempSync(path.join(os.tmpdir(), "mcp-client-"))),
  (home) => Effect.sync(() => fs.rmSync(home, { recursive: true, force: true }))
)

/** The MCP Inspector's command line: each call starts the server, asks one thing and ends. */
export const makeInspector = (
  environment: Readonly<Record<string, string>>
): Effect.Effect<(...args: ReadonlyArray<string>) => Effect.Effect<Ran>, never, Scope.Scope> =>
  Effect.map(makeHome, (home) => {
    const variables = Object.entries(environment).flatMap(([name, value]) => ["-e", `${name}=${value}`])
    return (...args) =>
      runScript("@modelcontextprotocol/inspector/clients/launcher/build/index.js", home, [
        "--cli",
        process.execPath,
        binaryPath(),
        ...variables,
        ...args
      ])
  })

/** The process that keeps a session of mcpc open, as it notes it itself. */
const bridgePid = (home: string): number | undefined => {
  const file = path.join(home, ".mcpc/sessions.json")
  return fs.existsSync(file) ? Number(/"pid":\s*(\d+)/.exec(fs.readFileSync(file, "utf8"))?.[1]) : undefined
}

const isGone = (pid: number): boolean => !fs.existsSync(`/proc/${pid}`)

/** A session of Apify's `mcpc` with the binary: each call is a process of its own, the connection is one. */
export const makeMcpc = (
  environment: Readonly<Record<string, string>>
): Effect.Effect<
  { readonly connected: Ran; readonly run: (...args: ReadonlyArray<string>) => Effect.Effect<Ran> },
  never,
  Scope.Scope
> =>
  Effect.gen(function* () {
    const home = yield* makeHome
    const config = path.join(home, "mcp.json")
    fs.writeFileSync(
      config,
      JSON.stringify({
        mcpServers: { ssh: { command: process.execPath, args: [binaryPath()], env: environment } }
      })
    )
    const run = (...args: ReadonlyArray<string>) => runScript("@apify/mcpc/bin/mcpc", home, ["--json", ...args])
    const connected = yield* Effect.acquireRelease(run("connect", `${config}:ssh`, "@s"), () =>
      Effect.gen(function* () {
        const pid = bridgePid(home)
        yield* run("close", "@s")
        if (pid === undefined || Number.isNaN(pid)) return
        yield* eventually("the session's process ends", () => isGone(pid)).pipe(
          Effect.onError(() => Effect.sync(() => process.kill(pid, "SIGKILL")))
        )
      })
    )
    return { connected, run: (...args) => run("@s", ...args) }
  })
