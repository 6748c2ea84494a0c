import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber } from "effect"
import { type EventLog, makeEventLog } from "../../../src/simulation/world/EventLog.ts"
import { plainHost } from "../../../src/simulation/hosts/HostPlan.ts"
import { seededRandom } from "../../../src/simulation/world/SeededRandom.ts"
import { makeSimulatedFleet, type SimulatedFleet } from "../../../src/simulation/hosts/SimulatedFleet.ts"
import { type ConfigTexts, openServer, type SimulatedServer } from "../../../src/simulation/world/SimulatedServer.ts"
import { makeWorld } from "../../../src/simulation/world/SimulatedWorld.ts"

const HOST = plainHost("web-1", 0)

const TEXTS: ConfigTexts = {
  servers: `hosts: [{ alias: web-1, host: ${HOST.hostname}, credentials: admin, tags: [web] }]`,
  credentials: "entries: [{ name: admin, username: deployer, password_secret: admin_password }]",
  policy: `rules: [{ id: look, action: allow, commands: ["echo *", "sleep *"] }]`
}

/** Runs a program against a server in a world of its own, to its value. */
const inWorld = <A>(
  program: (parts: {
    readonly server: SimulatedServer
    readonly fleet: SimulatedFleet
    readonly log: EventLog
    readonly now: () => number
  }) => Effect.Effect<A>,
  texts: ConfigTexts = TEXTS
): A => {
  const random = seededRandom(1)
  const world = makeWorld(random.fork("world"))
  const log = makeEventLog(world.now)
  const end = world.run(
    Effect.scoped(
      Effect.gen(function* () {
        const fleet = yield* makeSimulatedFleet({ hosts: [HOST], random: random.fork("hosts"), observe: log.append })
        const { dns, transport } = fleet
        const server = yield* openServer({ texts, transport, dns, random: random.fork("server"), log })
        return yield* program({ server, fleet, log, now: world.now })
      })
    )
  )
  if (end._tag !== "Ended" || !Exit.isSuccess(end.exit)) throw new Error(`no value: ${JSON.stringify(end)}`)
  return end.exit.value
}

const eventsOf = (log: EventLog, tag: string) => log.events().filter(({ event }) => event._tag === tag)

describe("SimulatedServer", () => {
  it("a tool call goes through the real server to a simulated host and back", () => {
    const { answer, tags } = inWorld(({ log, server }) =>
      Effect.map(server.call("ssh_run", { alias: "web-1", command: "echo   k7" }), (answer) => ({
        answer,
        tags: log.events().map(({ event }) => event._tag)
      }))
    )
    assert.deepStrictEqual([answer.outcome, answer.isError], ["answered", false])
    assert.containsSubset(answer.value, { alias: "web-1", status: "completed", exit_code: 0, target_ip: "10.0.0.1" })
    for (const tag of ["Decision", "Connected", "ExecRequested", "ProcessStarted", "Transition", "Audit"]) {
      assert.include(tags, tag)
    }
  })

  it("a denial, an unknown host and a wrong argument are answers", () => {
    const answers = inWorld(({ server }) =>
      Effect.all([
        server.call("ssh_run", { alias: "web-1", command: "reboot" }),
        server.call("ssh_run", { alias: "nobody", command: "echo k1" }),
        server.call("ssh_run", { alias: "web-1" })
      ])
    )
    assert.deepStrictEqual(
      answers.map(({ isError, outcome }) => [outcome, isError]),
      [
        ["answered", true],
        ["rejected", true],
        ["rejected", true]
      ]
    )
  })

  it("a client that leaves stops its command on the host", () => {
    const { live, tags } = inWorld(({ fleet, log, server }) =>
      Effect.gen(function* () {
        const call = yield* Effect.forkChild(server.call("ssh_run", { alias: "web-1", command: "sleep 60000 k1" }))
        yield* Effect.sleep("1 second")
        assert.strictEqual(fleet.processes().length, 1)
        yield* Fiber.interrupt(call)
        return { live: fleet.processes(), tags: log.events().map(({ event }) => event._tag) }
      })
    )
    assert.deepStrictEqual(live, [])
    assert.include(tags, "StopRequested")
  })

  it("a shutdown stops every task within the grace, and holds nothing afterwards", () => {
    const { counts, held, took } = inWorld(({ fleet, now, server }) =>
      Effect.gen(function* () {
        yield* server.call("ssh_run_async", { alias: "web-1", command: "sleep 60000 k1" })
        yield* server.call("ssh_run_async", { alias: "web-1", command: "sleep 60000 k2" })
        yield* Effect.sleep("1 second")
        const before = now()
        yield* server.shutdown
        return { took: now() - before, held: yield* server.held, counts: fleet.counts() }
      })
    )
    assert.isBelow(took, 1000)
    assert.containsSubset(held, { fibers: 0, slots: 0, queued: 0 })
    assert.containsSubset(counts, { connections: 0, channels: 0, processes: 0 })
  })

  it("files that are written take effect with a reload; files that cannot be used do not", () => {
    const answers = inWorld(({ server }) =>
      Effect.gen(function* () {
        const plan = Effect.map(
          server.call("ssh_plan", { alias: "web-1", command: "uptime" }),
          ({ value }) => (value as { readonly allowed: boolean }).allowed
        )
        const reload = Effect.map(server.call("ssh_reload_config", {}), ({ isError }) => isError)
        const before = yield* plan
        yield* server.writeConfig({ policy: "rules: [{ action: allow, commands: [uptime] }]" })
        const unread = yield* plan
        const good = yield* reload
        const after = yield* plan
        yield* server.writeConfig({ policy: "rules: [{ action: allow, commands: [uptime]" })
        const bad = yield* reload
        return { before, unread, good, after, bad, still: yield* plan }
      })
    )
    assert.deepStrictEqual(answers, { before: false, unread: false, good: false, after: true, bad: true, still: true })
  })

  it("a configuration that names keys, secrets, a certificate's key and an agent is usable as it is", () => {
    const { isError, problems } = inWorld(
      ({ log, server }) =>
        Effect.map(server.call("ssh_run", { alias: "web-1", command: "echo k1" }), ({ isError }) => ({
          isError,
          problems: eventsOf(log, "Config")
        })),
      {
        ...TEXTS,
        credentials: `entries:
  - { name: admin, username: u, key_path: prod/id_ed25519, key_passphrase_secret: passphrase, password_secret: pw, agent: true }`
      }
    )
    assert.isFalse(isError)
    assert.containsSubset(problems, [{ event: { fields: { usable: true, problems: [] } } }])
  })

  it("an unknown tool is a bug of the caller", () => {
    const exit = inWorld(({ server }) => Effect.exit(server.call("ssh_nothing", {})))
    assert.isTrue(Exit.hasDies(exit))
  })
})
