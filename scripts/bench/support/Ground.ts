import { Effect, Layer } from "effect"
import { poolLayer } from "../../../test/support/SshFixtures.ts"
import * as Sshd from "../../../test/support/Sshd.ts"
import { sshOptions } from "./OpenSsh.ts"
import { type BenchHost, configFor, orchestratorLayer, targetOf } from "./Ours.ts"

/** Milliseconds that `work` takes. */
export const timed = async (work: () => Promise<unknown>): Promise<number> => {
  const start = performance.now()
  await work()
  return performance.now() - start
}

/**
 * One sshd, and what each tool needs to run commands on it. `port` is where they connect to instead of its own, as that
 * of a proxy before it.
 */
export const makeGround = Effect.fn("bench.ground")(function* (options: {
  readonly sshd: Sshd.Sshd
  readonly port?: number
  readonly commands: ReadonlyArray<string>
}) {
  const { sshd } = options
  const port = options.port ?? sshd.port
  const host: BenchHost = { alias: "web1", address: sshd.address, port, user: sshd.user, pem: sshd.key.pem }
  const key = (yield* sshd.knownHosts).split(" ").slice(1).join(" ")
  const config = yield* configFor([host], `[${host.address}]:${port} ${key}\n`, options.commands)
  const knownHosts = `${config.keysDir}/known_hosts`
  return {
    host,
    config,
    target: targetOf(host, knownHosts),
    ssh: sshOptions({ key: `${config.keysDir}/id_ed25519`, knownHosts }),
    destination: ["-p", String(port), `${host.user}@${host.address}`],
    /** How many connections the server accepted so far. */
    accepted: Effect.map(sshd.log, (log) => log.split("Accepted publickey").length - 1)
  }
})

/** What `makeGround` makes. */
export type Ground = Effect.Success<ReturnType<typeof makeGround>>

/** Builds the pool for the Scope, and gives a function that runs effects on it as promises. */
export const poolRunner = Effect.map(Layer.build(Layer.fresh(poolLayer)), (services) => Effect.runPromiseWith(services))

/** Builds the whole server for the Scope, and gives a function that runs effects on it as promises. */
export const orchestratorRunner = (ground: Pick<Ground, "config">) =>
  Effect.map(Layer.build(orchestratorLayer(ground.config)), (services) => Effect.runPromiseWith(services))
