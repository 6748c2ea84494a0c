/**
 * The SSH layer beside raw ssh2 (with TCP_NODELAY), `ssh` cold, `ssh -S` over a control master and, where they are
 * installed, clush and pssh: all in one run against real sshd on loopback, as tables with the goals and as one line of JSON.
 *
 * Each part runs in a process of its own: one that fails or hangs is told in the report and costs only its own figures.
 * The binary is `dist/`, or a bundle of the sources as they are now when that is older.
 *
 * Usage: node scripts/bench/ssh.ts [--quick] [--only NAME[,NAME]] [--json]   (needs OpenSSH.) Exit 1 when a goal is missed.
 */
import { Cause, Effect, Exit, Fiber } from "effect"
import { execFileSync, spawn } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { cpus, loadavg, tmpdir } from "node:os"
import * as path from "node:path"
import { parseArgs } from "node:util"
import type { Scope } from "effect"
import { binaryPath } from "../../test/support/Binary.ts"
import { commandRate } from "./support/CommandRate.ts"
import { fanOut100, fanOut1000 } from "./support/FanOut.ts"
import { latency, latencyFar } from "./support/Latency.ts"
import { idleMemory, outputMemory } from "./support/Memory.ts"
import { type Findings, table } from "./support/Row.ts"
import { throughput } from "./support/Throughput.ts"

/** The parts by name, in the order of the report. */
const PARTS: Readonly<Record<string, (quick: boolean) => Effect.Effect<Findings, unknown, Scope.Scope>>> = {
  latency,
  "latency-50ms": latencyFar,
  rate: commandRate,
  "fan-out-100": fanOut100,
  "fan-out-1000": fanOut1000,
  throughput,
  "memory-idle": idleMemory,
  "memory-output": outputMemory
}

const root = path.join(import.meta.dirname, "../..")

/** Seconds that a part may take, and that it then has to stop what it started. */
const PART_WITHIN = 1200
const STOP_WITHIN = 20

/** Runs one part in this process, and writes what it found to a file. SIGTERM stops it and all that it started. */
const runPart = async (name: string, quick: boolean, file: string): Promise<void> => {
  const part = PARTS[name]
  if (part === undefined) throw new Error(`no such part: ${name}`)
  const fiber = Effect.runFork(Effect.scoped(part(quick)))
  process.on("SIGTERM", () => void Effect.runFork(Fiber.interrupt(fiber)))
  process.on("SIGINT", () => void Effect.runFork(Fiber.interrupt(fiber)))
  const exit = await Effect.runPromise(Fiber.await(fiber))
  const failed = Exit.isFailure(exit) ? Cause.pretty(exit.cause) : undefined
  const found: Findings =
    failed === undefined && Exit.isSuccess(exit)
      ? exit.value
      : { rows: [], skipped: [{ what: name, why: (failed ?? "").split("\n").slice(0, 6).join("\n    ") }] }
  writeFileSync(file, JSON.stringify(found))
  process.exit(0)
}

/** Runs one part in a process of its own. */
const partInProcess = (name: string, quick: boolean, directory: string, stopped: AbortSignal): Promise<Findings> =>
  new Promise((resolve) => {
    const file = path.join(directory, `${name}.json`)
    const child = spawn(
      process.execPath,
      [import.meta.filename, "--part", name, "--result", file, ...(quick ? ["--quick"] : [])],
      { stdio: ["ignore", "inherit", "pipe"] }
    )
    let said = ""
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      said = (said + text).slice(-2000)
    })
    const stop = setTimeout(() => child.kill("SIGTERM"), PART_WITHIN * 1000)
    const kill = setTimeout(() => child.kill("SIGKILL"), (PART_WITHIN + STOP_WITHIN) * 1000)
    const onStopped = () => void child.kill("SIGTERM")
    stopped.addEventListener("abort", onStopped)
    child.on("exit", (code, signal) => {
      stopped.removeEventListener("abort", onStopped)
      clearTimeout(stop)
      clearTimeout(kill)
      try {
        resolve(JSON.parse(readFileSync(file, "utf8")) as Findings)
      } catch {
        const why = `its process ended with ${signal ?? `exit code ${code}`}: ${said.trim().slice(-600)}`
        resolve({ rows: [], skipped: [{ what: name, why }] })
      }
    })
  })

/** The binary to measure: a new bundle in `directory` when the one of `npm run build` is missing or older than the sources. */
const findBinary = (directory: string): string => {
  try {
    return binaryPath()
  } catch {
    const rolldown = path.join(root, "node_modules/.bin/rolldown")
    execFileSync(rolldown, ["--config", path.join(root, "scripts/rolldown.config.mjs"), "--dir", directory], {
      cwd: root,
      stdio: "pipe"
    })
    return path.join(directory, "mcp-ssh-orchestrator.mjs")
  }
}

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    only: { type: "string", default: "" },
    json: { type: "boolean", default: false },
    part: { type: "string" },
    result: { type: "string", default: "" }
  }
})

const runAll = async (): Promise<void> => {
  const directory = mkdtempSync(path.join(tmpdir(), "bench-ssh-"))
  const stopped = new AbortController()
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => stopped.abort())
  const say = (text: string): void => void (values.json || process.stdout.write(`${text}\n`))
  try {
    process.env["MCP_SSH_E2E_BINARY"] = findBinary(path.join(directory, "binary"))
    const load = () => loadavg().map((value) => Number(value.toFixed(2)))
    const before = load()
    say(`${cpus().length} × ${cpus()[0]?.model}, node ${process.version}, load ${before.join(" ")}\n`)
    const chosen = values.only === "" ? Object.keys(PARTS) : values.only.split(",")
    const unknown = chosen.filter((name) => !(name in PARTS))
    if (unknown.length > 0)
      throw new Error(`no such part: ${unknown.join(", ")}; there are ${Object.keys(PARTS).join(", ")}`)
    const all: Array<Findings & { readonly part: string; readonly seconds: number }> = []
    for (const name of chosen) {
      if (stopped.signal.aborted) break
      const start = performance.now()
      const found = await partInProcess(name, values.quick, directory, stopped.signal)
      all.push({ part: name, seconds: Math.round((performance.now() - start) / 1000), ...found })
      say([table(found.rows), ...found.skipped.map(({ what, why }) => `${what} was left out: ${why}\n`)].join("\n"))
    }
    const goals = all.flatMap(({ rows }) => rows.filter(({ goal }) => goal !== undefined))
    const missed = goals.filter(({ goal }) => goal?.met === false)
    say(`${goals.length - missed.length} of ${goals.length} goals met.`)
    for (const { goal, measure, subject, unit, value } of missed)
      say(`  MISSED  ${measure}: ${subject}: ${value} ${unit}, ${goal?.text}`)
    say("")
    const about = { bench: "ssh", quick: values.quick, node: process.version, load_before: before, load_after: load() }
    process.stdout.write(`${JSON.stringify({ ...about, parts: all })}\n`)
    process.exitCode = missed.length === 0 && all.every(({ rows }) => rows.length > 0) ? 0 : 1
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

await (values.part === undefined ? runAll() : runPart(values.part, values.quick, values.result))
