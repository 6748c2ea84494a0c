/**
 * A process of its own for what is told by the memory of a whole process. It takes an order as JSON on stdin, does it,
 * and prints one JSON object.
 */
import { Effect, Layer } from "effect"
import { execFile } from "node:child_process"
import { readFileSync } from "node:fs"
import { setTimeout as pause } from "node:timers/promises"
import { promisify } from "node:util"
import { poolLayer } from "../../../test/support/SshFixtures.ts"
import { orchestratorLayer, runOnPool, runToEnd, targetOf, type BenchHost } from "./Ours.ts"
import { connectRaw, execRaw } from "./RawSsh2.ts"
import { forgetPeak, peak, resident } from "./ResidentMemory.ts"

/** What a probe is to do. */
export type Order =
  | {
      /** Open one connection to each host, run `true` on it, and tell what an idle one takes. */
      readonly what: "idle"
      readonly who: "pool" | "raw"
      readonly hosts: ReadonlyArray<BenchHost>
      readonly knownHosts: string
    }
  | {
      /** Run a command with much output, and tell what the process took above idle. */
      readonly what: "output"
      readonly who: "orchestrator" | "raw"
      readonly host: BenchHost
      readonly directories: { readonly configDir: string; readonly keysDir: string; readonly secretsDir: string }
      readonly command: string
    }

/** What it says, in bytes. */
export interface Answer {
  readonly before: number
  readonly after: number
}

/** Runs a probe to its end, or until the signal. */
export const probe = async (order: Order, signal: AbortSignal): Promise<Answer> => {
  const running = promisify(execFile)(process.execPath, ["--expose-gc", import.meta.filename], {
    timeout: 300_000,
    signal
  })
  running.child.stdin?.end(JSON.stringify(order))
  const { stdout } = await running
  return JSON.parse(stdout) as Answer
}

/** Collects garbage and waits for what V8 gives back late. */
const settle = async (): Promise<number> => {
  for (let round = 0; round < 3; round++) {
    globalThis.gc?.()
    await pause(300)
  }
  return resident(process.pid)
}

/** Runs `once` for each host, 20 at a time. */
const each = async (hosts: ReadonlyArray<BenchHost>, once: (host: BenchHost) => Promise<unknown>): Promise<void> => {
  const waiting = [...hosts]
  await Promise.all(
    Array.from({ length: 20 }, async () => {
      for (let host = waiting.shift(); host !== undefined; host = waiting.shift()) await once(host)
    })
  )
}

/** The first tenth is opened before the first look: code that is compiled and tables that are built with the first use. */
const idle = (order: Extract<Order, { readonly what: "idle" }>) =>
  Effect.gen(function* () {
    const services = yield* Layer.build(poolLayer)
    const open = {
      pool: (host: BenchHost) => Effect.runPromiseWith(services)(runOnPool(targetOf(host, order.knownHosts), "true")),
      raw: async (host: BenchHost) => {
        await execRaw(await connectRaw(host), "true")
      }
    }[order.who]
    const first = Math.floor(order.hosts.length / 11)
    return yield* Effect.promise(async () => {
      await each(order.hosts.slice(0, first), open)
      const before = await settle()
      await each(order.hosts.slice(first), open)
      return { before, after: await settle() } satisfies Answer
    })
  })

const output = (order: Extract<Order, { readonly what: "output" }>) =>
  Effect.gen(function* () {
    const services = order.who === "raw" ? undefined : yield* Layer.build(orchestratorLayer(order.directories))
    const client = order.who === "raw" ? yield* Effect.promise(() => connectRaw(order.host)) : undefined
    const once = async (command: string): Promise<unknown> =>
      client === undefined
        ? services && Effect.runPromiseWith(services)(runToEnd(order.host.alias, command))
        : execRaw(client, command)
    return yield* Effect.promise(async () => {
      await once("true")
      const before = await settle()
      forgetPeak(process.pid)
      await once(order.command)
      return { before, after: peak(process.pid) } satisfies Answer
    })
  })

if (import.meta.main) {
  const order = JSON.parse(readFileSync(0, "utf8")) as Order
  const answer = await Effect.runPromise(Effect.scoped(order.what === "idle" ? idle(order) : output(order)))
  process.stdout.write(JSON.stringify(answer), () => process.exit(0))
}
