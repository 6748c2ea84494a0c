import { Duration, Effect, Exit, Layer, Scope } from "effect"
import { TestClock } from "effect/testing"
import { ConnectionPool, type StartOptions } from "../../../src/ssh/pool/ConnectionPool.ts"
import { Target } from "../../../src/ssh/Target.ts"
import { type HostScript, makeHosts } from "./SimulatedHosts.ts"

/** The target of an address; targets of different `digest` have different logins. */
export const at = (address: string, digest = "one", via?: Target) =>
  new Target({
    via,
    alias: "web",
    hostname: "web",
    address,
    port: 22,
    login: { username: "root", digest },
    hostKeys: { paths: [], digest: "" }
  })

/** An address of a host. */
export const A = at("192.0.2.1")

/** Another address of the same host. */
export const B = at("192.0.2.2")

/** Lets everything that is due within a few milliseconds happen. */
export const settle = Effect.repeat(TestClock.adjust("1 millis"), { times: 20 })

const options = (
  targets: StartOptions["targets"],
  command: string,
  more: Partial<StartOptions> = {}
): StartOptions => ({
  targets,
  command,
  budget: Duration.seconds(10),
  output: () => Effect.void,
  grace: Effect.succeed(Duration.seconds(2)),
  stopped: () => Effect.void,
  ...more
})

/** A pool over simulated hosts, and a way to start a command in a Scope of its own. */
export const setup = Effect.fnUntraced(function* (scripts: Readonly<Record<string, HostScript>> = {}) {
  const hosts = yield* makeHosts(scripts)
  const context = yield* Layer.build(ConnectionPool.layer.pipe(Layer.provide(hosts.layer)))
  const pool = yield* Effect.provideContext(ConnectionPool, context)
  const begin = Effect.fnUntraced(function* (
    command: string,
    more: Partial<StartOptions> = {},
    targets: StartOptions["targets"] = [A]
  ) {
    const scope = yield* Scope.make()
    const fiber = yield* Effect.forkChild(
      Effect.result(Scope.provide(pool.start(options(targets, command, more)), scope)),
      { startImmediately: true }
    )
    return { scope, fiber, close: Scope.close(scope, Exit.void) }
  })
  return { hosts, pool, begin }
})
