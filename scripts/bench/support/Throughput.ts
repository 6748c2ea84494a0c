import { Effect } from "effect"
import { writeFileSync } from "node:fs"
import * as Sshd from "../../../test/support/Sshd.ts"
import { makeGround, orchestratorRunner, poolRunner, timed } from "./Ground.ts"
import { run, SAME_KEX } from "./OpenSsh.ts"
import { runOnPool, runToEnd } from "./Ours.ts"
import { connectRaw, execRaw } from "./RawSsh2.ts"
import { atLeast, type Findings, quantile, type Row, row } from "./Row.ts"

const MIB = 1024 * 1024

/** The text that is sent: 64 MiB of log lines, so that a GiB is 16 times this file. */
const LINE = "2026-01-01T00:00:00Z web1 app[4242]: GET /api/v1/items?page=17 200 12.7ms user=ana path=/srv/app\n"

/** Writes the text and gives the command that sends `mebibytes` of it. */
export const textCommand = (file: string, mebibytes: number): string => {
  writeFileSync(file, LINE.repeat(Math.ceil((64 * MIB) / LINE.length)).slice(0, 64 * MIB))
  return ["cat", ...Array.from({ length: mebibytes / 64 }, () => file)].join(" ")
}

/** MB (10^6 bytes) a second of stdout, of zeros and of text. */
export const throughput = Effect.fn("bench.throughput")(function* (quick: boolean) {
  const mebibytes = quick ? 128 : 1024
  const bytes = mebibytes * MIB
  const sshd = yield* Sshd.start()
  const ground = yield* makeGround({ sshd, commands: ["head *", "cat *"] })
  const onPool = yield* poolRunner
  const onOrchestrator = yield* orchestratorRunner(ground)
  const raw = yield* Effect.acquireRelease(
    Effect.promise(() => connectRaw(ground.host)),
    (client) => Effect.sync(() => client.end())
  )
  const commands = {
    zeros: `head -c ${bytes} /dev/zero`,
    text: textCommand(`${ground.config.root}/text`, mebibytes)
  }
  const whole = (sent: number): void => {
    if (sent !== bytes) throw new Error(`${sent} of ${bytes} bytes arrived`)
  }
  const rows: Array<Row> = []
  for (const [what, command] of Object.entries(commands)) {
    const tools: Readonly<Record<string, () => Promise<unknown>>> = {
      "ours, ConnectionPool": () => onPool(runOnPool(ground.target, command)).then(whole),
      "ours, Orchestrator (cleaned, 1 MiB kept)": () => onOrchestrator(runToEnd("web1", command)),
      "raw ssh2, NODELAY": () => execRaw(raw, command).then(whole),
      "ssh > /dev/null": () => run("ssh", [...ground.ssh, ...SAME_KEX, ...ground.destination, command])
    }
    const names = Object.keys(tools)
    const taken = new Map<string, Array<number>>(names.map((name) => [name, []]))
    yield* Effect.promise(async () => {
      for (let round = -1; round < (quick ? 2 : 5); round++) {
        for (const [name, once] of Object.entries(tools)) {
          const took = await timed(once)
          if (round >= 0) taken.get(name)?.push(bytes / 1000 / took)
        }
      }
    })
    const base = quantile(taken.get("raw ssh2, NODELAY") ?? [], 0.5)
    for (const [name, samples] of taken) {
      const goal = name.startsWith("ours")
        ? { goal: atLeast(quantile(samples, 0.5), 0.9 * base, "at least 0.9 × raw ssh2") }
        : {}
      rows.push(row(`stdout, ${mebibytes} MiB of ${what}`, name, "MB/s", samples, goal))
    }
  }
  return { rows, skipped: [] } satisfies Findings
})
