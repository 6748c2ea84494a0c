import { NodeServices } from "@effect/platform-node"
import { Duration, Effect, Layer, Redacted } from "effect"
import { createHash } from "node:crypto"
import { readFileSync } from "node:fs"
import { AuditLog } from "../../../src/audit/AuditLog.ts"
import { Directories } from "../../../src/config/Directories.ts"
import { Orchestrator } from "../../../src/Orchestrator.ts"
import { ConnectionPool } from "../../../src/ssh/pool/ConnectionPool.ts"
import { Target } from "../../../src/ssh/Target.ts"
import { type ConfigFixture, makeConfigFixture } from "../../../test/support/ConfigFixture.ts"
import type { RawTarget } from "./RawSsh2.ts"

/** A host of the bench as every tool is told of it. */
export interface BenchHost extends RawTarget {
  readonly alias: string
}

/** Policy limits at which none of ours is in the way of a measurement. */
const LIMITS = {
  max_seconds: 600,
  sync_wait_seconds: 600,
  max_tasks_per_host: 1000,
  max_concurrent_tasks: 1000,
  max_queued_tasks: 10_000
}

/** A configuration with the hosts under one credential and the tag `all`; it allows `commands`. */
export const configFor = (
  hosts: ReadonlyArray<BenchHost>,
  knownHosts: string,
  commands: ReadonlyArray<string>,
  limits: Readonly<Record<string, unknown>> = {}
) =>
  makeConfigFixture({
    hosts: hosts.map(({ address, alias, port }) => ({ alias, host: address, port, credentials: "key", tags: ["all"] })),
    credentials: [{ name: "key", username: hosts[0]?.user ?? "nobody", key_path: "id_ed25519" }],
    policy: { version: 3, limits: { ...LIMITS, ...limits }, rules: [{ action: "allow", commands }] },
    knownHosts,
    keys: { id_ed25519: hosts[0]?.pem ?? "" }
  })

/** The whole server as a library over a configuration; its audit records go nowhere, as the other tools have none. */
export const orchestratorLayer = (config: Pick<ConfigFixture, "configDir" | "keysDir" | "secretsDir">) =>
  Orchestrator.layerWithoutAudit.pipe(
    Layer.provide(AuditLog.layerSilent),
    Layer.provide(
      Directories.layer({ configDir: config.configDir, keysDir: config.keysDir, secretsDir: config.secretsDir })
    ),
    Layer.provide(NodeServices.layer)
  )

/** Runs a command to its end and fails unless it exits with 0. */
export const runToEnd = (alias: string, command: string) =>
  Effect.gen(function* () {
    const orchestrator = yield* Orchestrator
    const result = yield* orchestrator.runToEnd({ alias, command })
    if (result.exit_code !== 0) return yield* Effect.die(new Error(`${result.status}: ${result.status_message ?? ""}`))
    return result
  })

/** The target of a host, for the pool. */
export const targetOf = (host: BenchHost, knownHostsPath: string): Target =>
  new Target({
    alias: host.alias,
    hostname: host.address,
    address: host.address,
    port: host.port,
    login: {
      username: host.user,
      key: { pem: Redacted.make(host.pem) },
      digest: createHash("sha256").update(host.pem).digest("hex")
    },
    hostKeys: {
      paths: [knownHostsPath],
      digest: createHash("sha256").update(readFileSync(knownHostsPath)).digest("hex")
    }
  })

/** Runs a command on the pool to its end, drops its output and yields the number of its bytes. */
export const runOnPool = (target: Target, command: string) =>
  Effect.scoped(
    Effect.gen(function* () {
      const pool = yield* ConnectionPool
      let bytes = 0
      const process = yield* pool.start({
        targets: [target],
        command,
        budget: Duration.seconds(60),
        output: (chunk) =>
          Effect.sync(() => {
            bytes += chunk.bytes.length
          }),
        grace: Effect.succeed(Duration.seconds(1)),
        stopped: () => Effect.void
      })
      const exit = yield* process.wait
      if (exit._tag !== "Exited" || exit.code !== 0) return yield* Effect.die(new Error(JSON.stringify(exit)))
      return bytes
    })
  )
