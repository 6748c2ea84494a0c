import { Effect } from "effect"
import { execFileSync } from "node:child_process"
import * as Sshd from "../../../test/support/Sshd.ts"
import { makeGround } from "./Ground.ts"
import { startFleet } from "./LoopbackFleet.ts"
import { startBinary } from "./McpStdio.ts"
import { probe } from "./MemoryProbe.ts"
import { controlMaster, sshOptions } from "./OpenSsh.ts"
import { forgetPeak, peak, proportional, resident } from "./ResidentMemory.ts"
import { atMost, type Findings, quantile, type Row, row } from "./Row.ts"
import { textCommand } from "./Throughput.ts"
import { setTimeout as pause } from "node:timers/promises"

const MASTERS = 10

/** KiB of memory that an idle connection takes. */
export const idleMemory = Effect.fn("bench.idleMemory")(function* (quick: boolean) {
  const counts = quick ? [100] : [100, 500]
  const largest = Math.max(...counts)
  const fleet = yield* startFleet(largest + largest / 10)
  const { addresses, pem, port, user } = fleet
  const hosts = addresses.map((address, i) => ({ alias: `h${i}`, address, port, user, pem }))
  const rows: Array<Row> = []
  for (const count of counts) {
    for (const who of ["pool", "raw"] as const) {
      const samples: Array<number> = []
      for (let round = 0; round < (quick ? 1 : 3); round++) {
        const { after, before } = yield* Effect.promise((signal) =>
          probe(
            { what: "idle", who, hosts: hosts.slice(0, count + count / 10), knownHosts: fleet.knownHostsPath },
            signal
          )
        )
        samples.push((after - before) / 1024 / count)
      }
      const name = who === "pool" ? "ours, ConnectionPool" : "raw ssh2, NODELAY"
      rows.push(row(`Memory of an idle connection, ${count} of them`, name, "KiB", samples))
    }
  }
  const options = sshOptions({ key: fleet.keyPath, knownHosts: fleet.knownHostsPath })
  const sizes: Array<number> = []
  for (const [i, { address }] of hosts.slice(0, MASTERS).entries()) {
    const socket = `${fleet.knownHostsPath}-master-${i}`
    const through = yield* controlMaster(socket, options, ["-p", String(port), `${user}@${address}`])
    // `Master running (pid=N)` on stderr, for which there is no option that sends it elsewhere.
    const said = execFileSync("sh", ["-c", 'exec 2>&1; exec ssh -O check "$@"', "sh", ...through], { encoding: "utf8" })
    sizes.push(proportional(Number(/pid=(\d+)/.exec(said)?.[1])) / 1024)
  }
  const each = quantile(sizes, 0.5)
  rows.push(
    row(`Memory of an idle connection, ${counts[0]} of them`, `ssh control master (PSS, ${MASTERS})`, "KiB", [each])
  )
  return { rows, skipped: [] } satisfies Findings
})

/** MB above idle while a command sends 1 GiB of which 1 MiB is kept. */
export const outputMemory = Effect.fn("bench.outputMemory")(function* (quick: boolean) {
  const mebibytes = quick ? 256 : 1024
  const sshd = yield* Sshd.start()
  const ground = yield* makeGround({ sshd, commands: ["cat *", "head *", "true"] })
  const { configDir, keysDir, secretsDir } = ground.config
  const directories = { configDir, keysDir, secretsDir }
  const commands = {
    text: textCommand(`${ground.config.root}/text`, mebibytes),
    zeros: `head -c ${mebibytes * 1024 * 1024} /dev/zero`
  }
  const rows: Array<Row> = []
  for (const [what, command] of Object.entries(commands)) {
    const measure = `Memory above idle during ${mebibytes} MiB of ${what}, 1 MiB kept`
    // The engine's settings are the binary's: what another program lets the young generation grow to is its own affair.
    const add = (subject: string, bytes: number, isBinary: boolean): void => {
      const value = bytes / 1e6
      const goal = isBinary ? { goal: atMost(value, 40, "at most 40 MB") } : {}
      rows.push(row(measure, subject, "MB", [value], goal))
    }
    const ofBinary = yield* Effect.scoped(
      Effect.flatMap(startBinary(ground.config.environment), (binary) =>
        Effect.promise(async () => {
          await binary.call("ssh_run", { alias: "web1", command: "true" })
          await pause(1000)
          const before = resident(binary.pid)
          forgetPeak(binary.pid)
          await binary.call("ssh_run", { alias: "web1", command })
          return peak(binary.pid) - before
        })
      )
    )
    add("ours, binary over MCP stdio", ofBinary, true)
    for (const who of ["orchestrator", "raw"] as const) {
      const { after, before } = yield* Effect.promise((signal) =>
        probe({ what: "output", who, host: ground.host, directories, command }, signal)
      )
      add(who === "raw" ? "raw ssh2, output dropped" : "ours, Orchestrator", after - before, false)
    }
  }
  return { rows, skipped: [] } satisfies Findings
})
