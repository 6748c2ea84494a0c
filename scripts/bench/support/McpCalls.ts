import { Effect } from "effect"
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import * as path from "node:path"
import { setTimeout as pause } from "node:timers/promises"
import { rolldown } from "rolldown"
import { makeConfigFixture } from "../../../test/support/ConfigFixture.ts"
import { binaryPath } from "../../../test/support/Binary.ts"
import type { LiveMemory } from "./McpMemoryProbe.ts"
import { type McpStdio, startBinary, startMcpServer } from "./McpStdio.ts"
import { resident } from "./ResidentMemory.ts"
import { atLeast, atMost, type Findings, quantile, type Row, row } from "./Row.ts"

/** One host that nothing connects to: `ssh_ping` without an alias asks only the server. */
const configuration = makeConfigFixture({
  hosts: [{ alias: "web1", host: "192.0.2.1", credentials: "key" }],
  credentials: [{ name: "key", username: "nobody", password_secret: "none" }],
  secrets: { none: "none" },
  policy: { rules: [{ action: "allow", commands: ["true"] }] },
  knownHosts: ""
})

/** Bundles the minimal server with the settings of the binary, so that both start and run alike. */
const bundleMinimal = (directory: string): Effect.Effect<string> =>
  Effect.promise(async () => {
    const file = path.join(directory, "minimal.mjs")
    mkdirSync(directory, { recursive: true })
    const bundle = await rolldown({ input: path.join(import.meta.dirname, "McpMinimal.ts"), platform: "node" })
    await bundle.write({ file, format: "esm", minify: true, codeSplitting: false })
    await bundle.close()
    writeFileSync(path.join(directory, "package.json"), '{"type":"module"}')
    return file
  })

const ping = (server: McpStdio): Promise<unknown> => server.call("ssh_ping", {})

/** Makes `count` calls, so many at a time; yields calls a second. */
const rate = async (server: McpStdio, count: number, inFlight: number): Promise<number> => {
  const start = performance.now()
  let left = count
  await Promise.all(
    Array.from({ length: inFlight }, async () => {
      while (left-- > 0) await ping(server)
    })
  )
  return count / ((performance.now() - start) / 1000)
}

const OURS = "ours, ssh_ping"
const MINIMAL = "minimal SDK server"

/** Calls a second, one at a time and 64 in flight, beside a minimal server in the same rounds; and the size of the list. */
export const callRate = Effect.fn("bench.callRate")(function* (quick: boolean) {
  const config = yield* configuration
  const ours = yield* startBinary(config.environment)
  const minimal = yield* startMcpServer(yield* bundleMinimal(path.join(config.root, "minimal")), config.environment)
  const rows: Array<Row> = []
  for (const inFlight of [1, 64]) {
    const taken: Record<typeof OURS | typeof MINIMAL, Array<number>> = { [OURS]: [], [MINIMAL]: [] }
    yield* Effect.promise(async () => {
      const count = quick ? 2000 : 5000
      for (let round = -2; round < (quick ? 5 : 15); round++) {
        for (const [name, server] of round % 2 === 0
          ? ([
              [OURS, ours],
              [MINIMAL, minimal]
            ] as const)
          : ([
              [MINIMAL, minimal],
              [OURS, ours]
            ] as const)) {
          const found = await rate(server, count, inFlight)
          if (round >= 0) taken[name].push(found)
        }
      }
    })
    const measure = `Calls a second over stdio, ${inFlight === 1 ? "one at a time" : `${inFlight} in flight`}`
    const base = quantile(taken[MINIMAL], 0.5)
    const goal = atLeast(quantile(taken[OURS], 0.5), 0.7 * base, "at least 0.7 × the minimal server")
    rows.push(row(measure, OURS, "/s", taken[OURS], { goal }), row(measure, MINIMAL, "/s", taken[MINIMAL]))
  }
  rows.push({
    measure: "Answer to tools/list",
    subject: "ours",
    unit: "bytes",
    value: ours.listingBytes,
    goal: atMost(ours.listingBytes, 24 * 1024, "at most 24 KB")
  })
  return { rows, skipped: [] } satisfies Findings
})

/** What a server's process has in memory, and what of its heap and buffers is in use after a collection; in MB. */
const memoryOf = async (
  server: McpStdio,
  file: string
): Promise<{ readonly resident: number; readonly live: number }> => {
  rmSync(file, { force: true })
  process.kill(server.pid, "SIGUSR2")
  while (!existsSync(file) || readFileSync(file, "utf8") === "") await pause(50)
  const { external, heapUsed } = JSON.parse(readFileSync(file, "utf8")) as LiveMemory
  await pause(1000)
  return { resident: resident(server.pid) / 1e6, live: (heapUsed + external) / 1e6 }
}

/** Memory after many calls beside that after few, of the binary and of a minimal server. */
export const callMemory = Effect.fn("bench.callMemory")(function* (quick: boolean) {
  const config = yield* configuration
  const file = path.join(config.root, "memory.json")
  const environment = { ...config.environment, MCP_BENCH_MEMORY: file }
  const probe = ["--expose-gc", "--import", path.join(import.meta.dirname, "McpMemoryProbe.ts")]
  const few = quick ? 2000 : 10_000
  const many = 10 * few
  const rows: Array<Row> = []
  for (const [subject, binary] of [
    ["ours", binaryPath()],
    [MINIMAL, yield* bundleMinimal(path.join(config.root, "minimal"))]
  ] as const) {
    const server = yield* startMcpServer(binary, environment, probe)
    const [afterFew, afterMany] = yield* Effect.promise(async () => {
      await rate(server, few, 64)
      const first = await memoryOf(server, file)
      await rate(server, many - few, 64)
      return [first, await memoryOf(server, file)] as const
    })
    for (const kind of ["live", "resident"] as const) {
      const measure = `Memory after ${many} calls of ssh_ping, 64 in flight: ${kind === "live" ? "heap and buffers in use" : "resident"}`
      const goal = atMost(afterMany[kind], 1.2 * afterFew[kind], `at most 1.2 × that after ${few}`)
      rows.push({
        ...row(measure, subject, "MB", [afterMany[kind]], { note: `${afterFew[kind].toPrecision(4)} MB after ${few}` }),
        ...(subject === "ours" ? { goal } : {})
      })
    }
  }
  return { rows, skipped: [] } satisfies Findings
})
