import { assert } from "@effect/vitest"
import { Duration, Effect, Exit, Layer, type Scope } from "effect"
import { ConnectionPool, type StartOptions } from "../../../src/ssh/pool/ConnectionPool.ts"
import type { SshError } from "../../../src/ssh/errors.ts"
import { RunTag } from "../../../src/ssh/process/RemoteCommand.ts"
import type { RemoteProcess, StopReport } from "../../../src/ssh/process/RemoteProcess.ts"
import { Target } from "../../../src/ssh/Target.ts"
import type { RemoteExit } from "../../../src/ssh/Transport.ts"
import type { PlannedFault } from "../../../src/simulation/hosts/Faults.ts"
import type { HostEvent } from "../../../src/simulation/hosts/HostEvent.ts"
import { type HostPlan, ipv4Of, plainHost } from "../../../src/simulation/hosts/HostPlan.ts"
import { seededRandom } from "../../../src/simulation/world/SeededRandom.ts"
import {
  type FleetCounts,
  fleetLayer,
  makeSimulatedFleet,
  type SimulatedFleet
} from "../../../src/simulation/hosts/SimulatedFleet.ts"
import { makeWorld } from "../../../src/simulation/world/SimulatedWorld.ts"

/** A fault that strikes at the first chance, and never again unless said. */
export const fault = (
  kind: PlannedFault["kind"],
  stage: PlannedFault["stage"],
  more: Partial<PlannedFault> = {}
): PlannedFault => ({ kind, stage, after: 0, times: 1, millis: 1_000, ...more })

/** The first host of a fleet, changed by `more`. */
export const host = (more: Partial<HostPlan> = {}): HostPlan => ({ ...plainHost("web", 0), ...more })

/** The target of a plan by its first address, or by its name when it has none. */
export const targetOf = (plan: HostPlan, via?: Target): Target =>
  new Target({
    alias: plan.alias,
    hostname: plan.hostname,
    address: plan.addresses[0] ?? plan.hostname,
    port: plan.port,
    login: { username: "root", digest: "one" },
    hostKeys: { paths: [], digest: "" },
    via
  })

/** What a command came to. */
export interface Ran {
  readonly exit: RemoteExit
  readonly stdout: string
  readonly stderr: string
}

/** A pool over a simulated fleet. */
export interface Bench {
  readonly fleet: SimulatedFleet
  readonly pool: ConnectionPool["Service"]
  readonly events: ReadonlyArray<HostEvent>
  /** Virtual milliseconds since the beginning. */
  readonly now: () => number
  readonly start: (
    target: Target,
    command: string,
    more?: Partial<StartOptions>
  ) => Effect.Effect<RemoteProcess, SshError, Scope.Scope>
  /** Runs a command to its end. */
  readonly run: (target: Target, command: string) => Effect.Effect<Ran, SshError>
  /** Runs a command for a while, then lets go of it, and gives what its stop came to. */
  readonly stopAfter: (
    target: Target,
    command: string,
    duration: Duration.Input
  ) => Effect.Effect<StopReport | undefined, SshError>
}

/** Runs an effect over simulated hosts, in a world of the seed, to its end. */
export const onFleet = <A, E>(
  hosts: ReadonlyArray<HostPlan>,
  use: (bench: Bench) => Effect.Effect<A, E, Scope.Scope>,
  seed = 1
): { readonly value: A; readonly events: ReadonlyArray<HostEvent>; readonly millis: number } => {
  const random = seededRandom(seed)
  const world = makeWorld(random.fork("world"))
  const events: Array<HostEvent> = []
  const program = Effect.gen(function* () {
    const fleet = yield* makeSimulatedFleet({
      hosts,
      random: random.fork("hosts"),
      observe: (event) => void events.push(event)
    })
    const context = yield* Layer.build(ConnectionPool.layer.pipe(Layer.provide(fleetLayer(fleet))))
    const pool = yield* Effect.provideContext(ConnectionPool, context)
    const start: Bench["start"] = (target, command, more = {}) =>
      pool.start({
        targets: [target],
        command,
        budget: Duration.seconds(15),
        output: () => Effect.void,
        grace: Effect.succeed(Duration.seconds(2)),
        stopped: () => Effect.void,
        ...more
      })
    return yield* use({
      fleet,
      pool,
      events,
      now: world.now,
      start,
      run: (target, command) => {
        const text = { stdout: "", stderr: "" }
        const output: StartOptions["output"] = ({ bytes, stream }) =>
          Effect.sync(() => {
            text[stream] += Buffer.from(bytes).toString("latin1")
          })
        return Effect.scoped(
          Effect.map(
            Effect.flatMap(start(target, command, { output }), ({ wait }) => wait),
            (exit) => ({ exit, ...text })
          )
        )
      },
      stopAfter: (target, command, duration) => {
        let report: StopReport | undefined
        const stopped: StartOptions["stopped"] = (told) =>
          Effect.sync(() => {
            report = told
          })
        return Effect.map(
          Effect.scoped(Effect.andThen(start(target, command, { stopped }), Effect.sleep(duration))),
          () => report
        )
      }
    })
  })
  const tags = random.fork("tags")
  const tag = Effect.sync(() => Array.from({ length: 4 }, () => tags.next().toString(16).padStart(8, "0")).join(""))
  const end = world.run(Effect.provideService(Effect.scoped(program), RunTag, tag))
  if (end._tag !== "Ended") return assert.fail(`the run did not end: ${end._tag}`)
  if (Exit.isFailure(end.exit)) return assert.fail(String(end.exit.cause))
  return { value: end.exit.value, events, millis: world.now() }
}

/** What `SimulatedFleet.counts` says when all is over. */
export const NOTHING_HELD: FleetCounts = { connections: 0, channels: 0, connecting: 0, processes: 0 }

/** The events of one tag. */
export const only = <T extends HostEvent["_tag"]>(
  events: ReadonlyArray<HostEvent>,
  tag: T
): ReadonlyArray<Extract<HostEvent, { readonly _tag: T }>> =>
  events.filter((event): event is Extract<HostEvent, { readonly _tag: T }> => event._tag === tag)

/** The second host of a fleet, behind which another can be. */
export const bastion = (more: Partial<HostPlan> = {}): HostPlan => ({
  ...plainHost("bastion", 1),
  addresses: [ipv4Of(1)],
  ...more
})
