import { Effect } from "effect"
import { binaryPath } from "../../../test/support/Binary.ts"
import { Orchestrator } from "../../../src/Orchestrator.ts"
import { orchestratorRunner, timed } from "./Ground.ts"
import { startFleet } from "./LoopbackFleet.ts"
import { installed, run, SAME_KEX, sshOptions } from "./OpenSsh.ts"
import { configFor } from "./Ours.ts"
import { coldRaw } from "./RawSsh2.ts"
import { atMost, type Findings, quantile, type Row, row, type Skipped } from "./Row.ts"

/** Hosts at a time, for every tool. */
const CONCURRENCY = 50

const runOnAll = (hosts: number) =>
  Effect.gen(function* () {
    const orchestrator = yield* Orchestrator
    const result = yield* orchestrator.runOnTagToEnd({ tag: "all", command: "true", concurrency: CONCURRENCY })
    if (result.summary?.successful !== hosts) {
      return yield* Effect.die(new Error(`${result.summary?.successful} of ${hosts} succeeded`))
    }
  })

const eachRaw = async (addresses: ReadonlyArray<string>, once: (address: string) => Promise<void>): Promise<void> => {
  let next = 0
  await Promise.all(
    Array.from({ length: CONCURRENCY }, async () => {
      for (let address = addresses[next++]; address !== undefined; address = addresses[next++]) await once(address)
    })
  )
}

const fanOutTo = Effect.fn("bench.fanOutTo")(function* (size: number, rounds: number) {
  const fleet = yield* startFleet(size)
  const { addresses, pem, port, user } = fleet
  const hosts = addresses.map((address, i) => ({ alias: `h${i}`, address, port, user, pem }))
  const config = yield* configFor(hosts, fleet.knownHosts, ["true"])
  const clush = installed("clush")
  const pssh = installed("parallel-ssh") ?? installed("pssh")
  const options = [...sshOptions({ key: fleet.keyPath, knownHosts: fleet.knownHostsPath }), ...SAME_KEX]
  const environment = { SSH_AUTH_SOCK: "", HOME: config.environment["HOME"] ?? "/nonexistent" }
  const warm: Array<number> = []
  const tools: Record<string, () => Promise<unknown>> = {
    // Its layer is new in each round, and so are all of its connections; the warm round runs on those.
    "ours, Orchestrator": () =>
      Effect.runPromise(
        Effect.scoped(
          Effect.gen(function* () {
            const onOrchestrator = yield* orchestratorRunner({ config })
            const cold = yield* Effect.promise(() => timed(() => onOrchestrator(runOnAll(size))))
            warm.push(yield* Effect.promise(() => timed(() => onOrchestrator(runOnAll(size)))))
            return cold
          })
        )
      ),
    "ours, `run --tag` of the binary": () =>
      run(
        process.execPath,
        [binaryPath(), "run", "--tag", "all", "--concurrency", String(CONCURRENCY), "--", "true"],
        config.environment
      ),
    "raw ssh2, NODELAY": () => eachRaw(addresses, (address) => coldRaw({ address, port, user, pem }, "true")),
    ...(clush === undefined
      ? {}
      : {
          "clush, curve25519": () =>
            run(
              clush,
              [
                ["-q", "-S", "-f", String(CONCURRENCY), "-l", user],
                ["-o", [...options, "-p", String(port)].join(" "), "-w", addresses.join(","), "true"]
              ].flat(),
              environment
            )
        }),
    ...(pssh === undefined
      ? {}
      : {
          "pssh, curve25519": () =>
            run(
              pssh,
              [
                ["-p", String(CONCURRENCY), "-t", "0", "-l", user],
                ["-x", [...options, "-p", String(port)].join(" ")],
                addresses.flatMap((address) => ["-H", address]),
                "true"
              ].flat(),
              environment
            )
        })
  }
  const names = Object.keys(tools)
  const taken = new Map<string, Array<number>>(names.map((name) => [name, []]))
  yield* Effect.promise(async () => {
    for (let round = 0; round < rounds; round++) {
      for (let turn = 0; turn < names.length; turn++) {
        const name = names[(round + turn) % names.length] ?? ""
        let inner: unknown
        const took = await timed(async () => {
          inner = await tools[name]?.()
        })
        taken.get(name)?.push(typeof inner === "number" ? inner : took)
      }
    }
  })
  const seconds = (name: string): number => quantile(taken.get(name) ?? [], 0.5) / 1000
  const peers = names.filter((name) => /^(clush|pssh)/.test(name)).map(seconds)
  const measure = `Fan-out of \`true\` to ${size} hosts, cold, ${CONCURRENCY} at a time`
  const rows: ReadonlyArray<Row> = [
    ...names.map((name) =>
      row(
        measure,
        name,
        "s",
        (taken.get(name) ?? []).map((ms) => ms / 1000),
        {
          note: `${Math.round(size / seconds(name))} hosts/s`,
          ...(name.startsWith("ours") && peers.length > 0 && size === 1000
            ? { goal: atMost(seconds(name), Math.min(...peers), "no slower than clush and pssh") }
            : {})
        }
      )
    ),
    row(
      measure.replace("cold", "warm"),
      "ours, Orchestrator",
      "s",
      warm.map((ms) => ms / 1000)
    )
  ]
  const skipped: ReadonlyArray<Skipped> = [
    ...(clush === undefined ? [{ what: "clush", why: "not installed (Debian: clustershell)" }] : []),
    ...(pssh === undefined ? [{ what: "pssh", why: "not installed (Debian: pssh)" }] : [])
  ]
  return { rows, skipped } satisfies Findings
})

/** One command on 100 hosts. */
export const fanOut100 = (quick: boolean) => fanOutTo(100, quick ? 1 : 3)

/** One command on 1,000 hosts. */
export const fanOut1000 = (quick: boolean) => fanOutTo(1000, quick ? 1 : 2)
