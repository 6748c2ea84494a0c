import { Effect } from "effect"
import * as Sshd from "../../../test/support/Sshd.ts"
import { makeGround, orchestratorRunner, poolRunner } from "./Ground.ts"
import { startBinary } from "./McpStdio.ts"
import { controlMaster, run } from "./OpenSsh.ts"
import { runOnPool, runToEnd } from "./Ours.ts"
import { connectRaw, execRaw } from "./RawSsh2.ts"
import { atLeast, type Findings, quantile, type Row, row } from "./Row.ts"

/** Commands a second when `count` are run with `inFlight` at a time. */
const rate = async (count: number, inFlight: number, once: (worker: number) => Promise<unknown>): Promise<number> => {
  let left = count
  const start = performance.now()
  await Promise.all(
    Array.from({ length: inFlight }, async (_, worker) => {
      while (left-- > 0) await once(worker)
    })
  )
  return (count * 1000) / (performance.now() - start)
}

/** Room for 64 commands and what stops them on each connection. */
const RAISED = ["MaxSessions 200", "MaxStartups 1000:30:1000"]

interface Tool {
  readonly name: string
  readonly once: (worker: number) => Promise<unknown>
}

/** Measures tools `rounds` times in turn; each has one round before that does not count. */
const rates = async (
  tools: ReadonlyArray<Tool>,
  options: { readonly rounds: number; readonly count: number; readonly inFlight: number }
): Promise<ReadonlyMap<string, ReadonlyArray<number>>> => {
  const taken = new Map<string, Array<number>>(tools.map(({ name }) => [name, []]))
  for (let round = -1; round < options.rounds; round++) {
    for (const { name, once } of tools) {
      const found = await rate(options.count, options.inFlight, once)
      if (round >= 0) taken.get(name)?.push(found)
    }
  }
  return taken
}

const BINARY = "ours, binary over MCP stdio"
const ORCHESTRATOR = "ours, Orchestrator"
const POOL = "ours, ConnectionPool"

const atInFlight = Effect.fn("bench.rate")(function* (inFlight: number, quick: boolean) {
  const sshd = yield* Sshd.start({ config: RAISED })
  const ground = yield* makeGround({ sshd, commands: ["true"] })
  const onPool = yield* poolRunner
  const onOrchestrator = yield* orchestratorRunner(ground)
  const binary = yield* startBinary(ground.config.environment)
  const count = (quick ? 100 : 400) * (inFlight === 1 ? 1 : 2)
  const rounds = quick ? 2 : 5
  const pool: Tool = { name: POOL, once: () => onPool(runOnPool(ground.target, "true")) }

  // The pool alone first, so that raw ssh2 gets as many connections as it chose to make.
  const before = yield* ground.accepted
  yield* Effect.promise(() => rate(count, inFlight, pool.once))
  yield* Effect.sleep("200 millis")
  const connections = Math.max(1, (yield* ground.accepted) - before)
  const through = yield* controlMaster(`${ground.config.root}/master`, ground.ssh, ground.destination)
  const raw = yield* Effect.acquireRelease(
    Effect.promise(() => Promise.all(Array.from({ length: connections }, () => connectRaw(ground.host)))),
    (clients) => Effect.sync(() => clients.forEach((client) => client.end()))
  )
  const named = `raw ssh2, NODELAY, ${connections} connection${connections === 1 ? "" : "s"}`
  const tools: ReadonlyArray<Tool> = [
    { name: BINARY, once: () => binary.call("ssh_run", { alias: "web1", command: "true" }) },
    { name: ORCHESTRATOR, once: () => onOrchestrator(runToEnd("web1", "true")) },
    pool,
    {
      name: named,
      once: (worker) => {
        const client = raw[worker % raw.length]
        return client === undefined ? Promise.reject(new Error("no connection")) : execRaw(client, "true")
      }
    },
    { name: "ssh -S control master", once: () => run("ssh", [...through, "true"]) }
  ]
  const taken = yield* Effect.promise(() => rates(tools, { rounds, count, inFlight }))
  const base = quantile(taken.get(named) ?? [], 0.5)
  return [...taken].map(([name, samples]): Row => {
    const goal =
      inFlight === 64 && name.startsWith("ours")
        ? { goal: atLeast(quantile(samples, 0.5), 0.85 * base, "at least 0.85 × raw ssh2") }
        : {}
    return row(`Commands a second, ${inFlight} in flight, MaxSessions raised`, name, "/s", samples, goal)
  })
})

/** A stock server takes 10 sessions a connection: what does ours make of 64 at a time, and does any command get lost? */
const onStock = Effect.fn("bench.rateOnStock")(function* (quick: boolean) {
  const sshd = yield* Sshd.start()
  const ground = yield* makeGround({ sshd, commands: ["true"] })
  const onPool = yield* poolRunner
  let failed = 0
  const once = (): Promise<unknown> =>
    onPool(runOnPool(ground.target, "true")).catch(() => {
      failed++
    })
  const samples = yield* Effect.promise(async () => {
    const taken: Array<number> = []
    for (let round = 0; round < (quick ? 2 : 5); round++) taken.push(await rate(quick ? 200 : 800, 64, once))
    return taken
  })
  const measure = "Commands a second, 64 in flight, stock sshd (MaxSessions 10)"
  return [
    row(measure, POOL, "/s", samples),
    { measure, subject: "ours, ConnectionPool: commands that failed", unit: "", value: failed }
  ] satisfies ReadonlyArray<Row>
})

/** Commands a second at 1, 8 and 64 in flight. */
export const commandRate = Effect.fn("bench.commandRate")(function* (quick: boolean) {
  const raised = yield* Effect.forEach([1, 8, 64], (inFlight) => Effect.scoped(atInFlight(inFlight, quick)))
  const stock = yield* Effect.scoped(onStock(quick))
  return { rows: [...raised.flat(), ...stock], skipped: [] } satisfies Findings
})
