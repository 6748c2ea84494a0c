import { Effect } from "effect"
import { setTimeout as pause } from "node:timers/promises"
import { poolLayer } from "../../../test/support/SshFixtures.ts"
import * as Sshd from "../../../test/support/Sshd.ts"
import { delayed } from "./DelayProxy.ts"
import { type Ground, makeGround, orchestratorRunner, poolRunner, timed } from "./Ground.ts"
import { startBinary } from "./McpStdio.ts"
import { controlMaster, run, SAME_KEX } from "./OpenSsh.ts"
import { runOnPool, runToEnd } from "./Ours.ts"
import { coldRaw, connectRaw, execRaw } from "./RawSsh2.ts"
import { atMost, type Findings, quantile, type Row, row } from "./Row.ts"

const RAW = "raw ssh2, NODELAY"

/** Measures each in turn, `rounds` times, so that a slow moment of the machine hits all of them; the first few are dropped. */
const interleaved = async (
  rounds: number,
  warmUp: number,
  measured: Readonly<Record<string, () => Promise<unknown>>>
): Promise<ReadonlyMap<string, ReadonlyArray<number>>> => {
  const names = Object.keys(measured)
  const taken = new Map<string, Array<number>>(names.map((name) => [name, []]))
  for (let round = -warmUp; round < rounds; round++) {
    for (let turn = 0; turn < names.length; turn++) {
      const name = names[(round + warmUp + turn) % names.length] ?? ""
      const once = measured[name]
      if (once === undefined) continue
      const took = await timed(once)
      if (round >= 0) taken.get(name)?.push(took)
    }
  }
  return taken
}

const median = (all: ReadonlyMap<string, ReadonlyArray<number>>, name: string): number =>
  quantile(all.get(name) ?? [], 0.5)

const warmRows = (
  measure: string,
  all: ReadonlyMap<string, ReadonlyArray<number>>,
  goal: (name: string, value: number) => Row["goal"]
): ReadonlyArray<Row> =>
  [...all].map(([name, samples]) => {
    const found = goal(name, quantile(samples, 0.5))
    return row(measure, name, "ms", samples, found === undefined ? {} : { goal: found })
  })

/** Everything that runs `true` on connections that are open already. */
const warmTools = Effect.fn("bench.warmTools")(function* (ground: Ground, socket: string) {
  const onPool = yield* poolRunner
  const onOrchestrator = yield* orchestratorRunner(ground)
  const binary = yield* startBinary(ground.config.environment)
  const raw = yield* Effect.acquireRelease(
    Effect.promise(() => connectRaw(ground.host)),
    (client) => Effect.sync(() => client.end())
  )
  const through = yield* controlMaster(socket, ground.ssh, ground.destination)
  return {
    "ours, binary over MCP stdio": () => binary.call("ssh_run", { alias: "web1", command: "true" }),
    "ours, Orchestrator": () => onOrchestrator(runToEnd("web1", "true")),
    "ours, ConnectionPool": () => onPool(runOnPool(ground.target, "true")),
    [RAW]: () => execRaw(raw, "true"),
    "ssh -S control master": () => run("ssh", [...through, "true"])
  }
})

/** Everything that connects, runs `true` and is gone again. */
const coldTools = (ground: Ground): Readonly<Record<string, () => Promise<unknown>>> => ({
  "ours, ConnectionPool": () =>
    Effect.runPromise(Effect.provide(runOnPool(ground.target, "true"), poolLayer, { local: true })),
  [RAW]: () => coldRaw(ground.host, "true"),
  "ssh, curve25519": () => run("ssh", [...ground.ssh, ...SAME_KEX, ...ground.destination, "true"]),
  "ssh, default kex": () => run("ssh", [...ground.ssh, ...ground.destination, "true"])
})

/** The first command of a binary that was just started: it loads ssh2, too. */
const firstOfBinary = async (ground: Ground, rounds: number): Promise<ReadonlyArray<number>> => {
  const samples: Array<number> = []
  for (let round = 0; round <= rounds; round++) {
    const took = await Effect.runPromise(
      Effect.scoped(
        Effect.flatMap(startBinary(ground.config.environment), (binary) =>
          Effect.promise(() => timed(() => binary.call("ssh_run", { alias: "web1", command: "true" })))
        )
      )
    )
    // The very first start compiles, and keeps what it compiled.
    if (round > 0) samples.push(took)
  }
  return samples
}

/** Latency of one `true`, cold and warm, without a delay. */
export const latency = Effect.fn("bench.latency")(function* (quick: boolean) {
  const sshd = yield* Sshd.start()
  const ground = yield* makeGround({ sshd, commands: ["true"] })
  const tools = yield* warmTools(ground, `${ground.config.root}/master`)
  const warm = yield* Effect.promise(() => interleaved(quick ? 60 : 400, 30, tools))
  const cold = yield* Effect.promise(() => interleaved(quick ? 8 : 40, 3, coldTools(ground)))
  const first = yield* Effect.promise(() => firstOfBinary(ground, quick ? 3 : 10))
  const raw = median(warm, RAW)
  const rows = [
    ...warmRows("Warm exec of `true`, loopback", warm, (name, value) =>
      name === "ours, binary over MCP stdio" ? atMost(value, 1.5 * raw, "at most 1.5 × raw ssh2") : undefined
    ),
    ...warmRows("Cold exec of `true`, loopback", cold, () => undefined),
    row("Cold exec of `true`, loopback", "ours, first ssh_run of a binary", "ms", first)
  ]
  return { rows, skipped: [] } satisfies Findings
})

const RTT = 50

/** Latency of one `true` behind a round trip time of 50 ms. */
export const latencyFar = Effect.fn("bench.latencyFar")(function* (quick: boolean) {
  const sshd = yield* Sshd.start()
  const port = yield* delayed(sshd.port, RTT)
  const ground = yield* makeGround({ sshd, port, commands: ["true"] })
  const tools = yield* warmTools(ground, `${ground.config.root}/master`)
  const rounds = quick ? 10 : 40
  const idle = yield* Effect.promise(() => interleaved(rounds, 5, tools))
  // One tool at a time, without a pause: what is made ready for the next command has no time of its own.
  const busy = yield* Effect.promise(async () => {
    const taken = new Map<string, ReadonlyArray<number>>()
    for (const [name, once] of Object.entries(tools)) {
      const samples: Array<number> = []
      for (let round = 0; round < rounds; round++) samples.push(await timed(once))
      taken.set(name, samples)
      await pause(200)
    }
    return taken
  })
  const cold = yield* Effect.promise(() => interleaved(quick ? 4 : 15, 1, coldTools(ground)))
  const ours = (name: string): boolean => name.startsWith("ours")
  const rows = [
    ...warmRows(`Warm exec of \`true\`, ${RTT} ms RTT, idle before`, idle, (name, value) =>
      ours(name) ? atMost(value, 1.2 * RTT, "at most 1.2 RTT") : undefined
    ),
    ...warmRows(`Warm exec of \`true\`, ${RTT} ms RTT, one right after another`, busy, (name, value) =>
      ours(name) ? atMost(value, 2.2 * RTT, "at most 2.2 RTT") : undefined
    ),
    ...warmRows(`Cold exec of \`true\`, ${RTT} ms RTT`, cold, (name, value) =>
      ours(name) ? atMost(value, 7.2 * RTT, "at most 7.2 RTT") : undefined
    )
  ]
  return { rows, skipped: [] } satisfies Findings
})
