import { assert, describe, it } from "@effect/vitest"
import { Console, Context, Deferred, Duration, Effect, Exit, Fiber, Layer, Metric, Scope } from "effect"
import { TestClock } from "effect/testing"
import type { EventEmitter } from "node:events"
import type ssh2 from "ssh2"
import { ConnectionPool } from "../../../src/ssh/pool/ConnectionPool.ts"
import { CONNECTIONS_PER_TARGET, COMMANDS_PER_CONNECTION } from "../../../src/ssh/pool/ConnectionSlots.ts"
import { MAX_HANDSHAKES } from "../../../src/ssh/pool/Connections.ts"
import { Target } from "../../../src/ssh/Target.ts"
import { TaskSupervisor } from "../../../src/task/TaskSupervisor.ts"
import { knownTarget, poolLayer } from "../../support/SshFixtures.ts"
import { command, supervisorLayer } from "../../task/TaskHarness.ts"
import { hostKey, startServer, untilTrue } from "../ssh2/ScriptedServer.ts"
import { socketOf, watchClients } from "../ssh2/WatchedClients.ts"
import { makeHosts } from "./SimulatedHosts.ts"

/** What keeps this process busy: its timers and sockets. */
const resources = (): { readonly timers: number; readonly sockets: number } => {
  const names = process.getActiveResourcesInfo()
  const count = (of: (name: string) => boolean) => names.filter(of).length
  return {
    timers: count((name) => name === "Timeout" || name === "Immediate"),
    sockets: count((name) => name.startsWith("TCP") || name.endsWith("ConnectWrap"))
  }
}

/** The listeners of an emitter, by event. */
const listenersOf = (emitter: EventEmitter): Readonly<Record<string, number>> =>
  Object.fromEntries(emitter.eventNames().map((name) => [String(name), emitter.listenerCount(name)]))

/** For the audit records. */
const silent: Console.Console = Object.assign(Object.create(console) as Console.Console, {
  error: () => {},
  log: () => {}
})

/** Counts the fibers that began and did not end, of all that run with it, and waits for the last of them. */
const makeFiberCount = () => {
  const count = { alive: 0, started: 0 }
  let ended = () => {}
  const service: Metric.FiberRuntimeMetricsService = {
    recordFiberStart: () => {
      count.alive++
      count.started++
    },
    recordFiberEnd: () => {
      count.alive--
      if (count.alive === 0) ended()
    }
  }
  const noneLeft = Effect.callback<void>((resume) => {
    ended = () => resume(Effect.void)
    if (count.alive === 0) ended()
  })
  return { count, noneLeft, service }
}

/** Ends when what is held is what was held before, of which no event tells; a test that never gets there times out. */
const backTo = (before: ReturnType<typeof resources>) =>
  untilTrue(() => {
    const { sockets, timers } = resources()
    return timers <= before.timers && sockets <= before.sockets
  })

/** Runs something while the clock of the test goes on by a millisecond at a time: no load makes a limit pass. */
const whileTimePasses = Effect.fnUntraced(function* <A, E, R>(effect: Effect.Effect<A, E, R>) {
  const fiber = yield* Effect.forkChild(effect)
  while (fiber.pollUnsafe() === undefined) yield* TestClock.adjust("1 millis")
  return yield* Fiber.join(fiber)
})

const simulated = (alias: string, address: string) =>
  new Target({
    alias,
    hostname: alias,
    address,
    port: 22,
    login: { username: "u", digest: "" },
    hostKeys: { paths: [], digest: "" }
  })

describe("under load", () => {
  it.effect(
    "10,000 tasks on 100 simulated hosts, a tenth of them cancelled, leave no fiber, channel, permit or timer behind",
    () => {
      const fibers = makeFiberCount()
      const load = Effect.gen(function* () {
        const slow = Array.from({ length: 60 }, (_, n) => `198.51.100.${n}`)
        const hosts = yield* makeHosts(
          Object.fromEntries(slow.map((address) => [address, { delay: "1 hour" }] as const))
        )
        const scope = yield* Scope.make()
        const layer = Layer.merge(ConnectionPool.layer.pipe(Layer.provide(hosts.layer)), supervisorLayer)
        const context = yield* Scope.provide(Layer.build(layer), scope)
        const pool = Context.get(context, ConnectionPool)
        const supervisor = Context.get(context, TaskSupervisor)
        const options = (target: Target, text: string) => ({
          targets: [target] as const,
          command: text,
          budget: Duration.seconds(60),
          output: () => Effect.void,
          grace: Effect.succeed(Duration.zero),
          stopped: () => Effect.void
        })

        const stops = { confirmed: 0 }
        const one = (n: number) =>
          Effect.gen(function* () {
            const alias = `h${n % 100}`
            const started = yield* Deferred.make<void>()
            const isCancelled = n % 10 === 0
            const spec = command(
              { alias },
              { max_concurrent_tasks: 500, max_tasks_per_host: 500, max_queued_tasks: 10_000, task_result_ttl: 1 }
            )
            const id = yield* supervisor.submit(spec, (io) =>
              Effect.tap(
                pool.start({
                  ...options(simulated(alias, `192.0.2.${n % 100}`), isCancelled ? `run c${n}` : "uptime"),
                  ...io,
                  grace: Effect.succeed(Duration.zero),
                  stopped: (report) => {
                    if (report.remote === "confirmed") stops.confirmed++
                    return io.stopped(report)
                  }
                }),
                () => Deferred.succeed(started, undefined)
              )
            )
            if (!isCancelled) return yield* supervisor.await(id)
            yield* Deferred.await(started)
            yield* supervisor.cancel(id)
          })
        yield* whileTimePasses(
          Effect.forEach(
            Array.from({ length: 10_000 }, (_, n) => n),
            one,
            { concurrency: 500, discard: true }
          )
        )
        assert.strictEqual(stops.confirmed, 1000)
        const { closed, opened } = yield* hosts.channels
        assert.deepStrictEqual({ closed, opened }, { closed: 11_000, opened: 11_000 })
        assert.isTrue((yield* hosts.sessions).every((count) => count === 0))
        assert.deepStrictEqual(yield* hosts.running, [])
        assert.isAtMost(yield* hosts.peakConnects, MAX_HANDSHAKES)
        // Ended tasks go with their TTL of a second.
        const { records: _, ...held } = yield* supervisor.held
        assert.deepStrictEqual(held, { fibers: 0, slots: 0, queued: 0 })
        yield* TestClock.adjust("2 seconds")
        assert.strictEqual((yield* supervisor.held).records, 0)

        // Every place of a host is free again, and every turn of a handshake.
        const places = CONNECTIONS_PER_TARGET * COMMANDS_PER_CONNECTION
        const again = yield* Scope.make()
        yield* whileTimePasses(
          Effect.forEach(
            Array.from({ length: places }, (_, n) => n),
            (n) => Scope.provide(pool.start(options(simulated("h0", "192.0.2.0"), `run again${n}`)), again),
            { concurrency: places }
          )
        )
        assert.lengthOf(yield* hosts.running, places)
        yield* whileTimePasses(Scope.close(again, Exit.void))
        const connecting = yield* Effect.forkChild(
          Effect.forEach(slow, (address) => Effect.scoped(pool.start(options(simulated(address, address), "uptime"))), {
            concurrency: "unbounded",
            discard: true
          })
        )
        yield* hosts.untilConnecting(MAX_HANDSHAKES)
        yield* Fiber.interrupt(connecting)
        assert.strictEqual(yield* hosts.connecting, 0)

        yield* Scope.close(scope, Exit.void)
        assert.strictEqual(yield* hosts.open, 0)
      })
      return Effect.gen(function* () {
        const before = resources()
        const listeners = listenersOf(process)
        yield* load.pipe(
          Effect.provideService(Console.Console, silent),
          Effect.provideService(Metric.FiberRuntimeMetrics, fibers.service)
        )
        assert.isAbove(fibers.count.started, 10_000)
        yield* fibers.noneLeft
        yield* backTo(before)
        assert.deepStrictEqual(listenersOf(process), listeners)
      })
    },
    120_000
  )

  it.live(
    "300 commands on a real server, a tenth of them stopped, leave the listeners of clients and sockets as they were",
    () => {
      const fibers = makeFiberCount()
      const load = Effect.gen(function* () {
        const clients = yield* watchClients
        const server = yield* startServer("stream: as the command says")
        const target = yield* knownTarget(server.port, hostKey.public)
        const scope = yield* Scope.make()
        const context = yield* Scope.provide(Layer.build(poolLayer), scope)
        const pool = Context.get(context, ConnectionPool)
        const stops = { confirmed: 0 }
        const one = (n: number) =>
          Effect.scoped(
            Effect.gen(function* () {
              const isStopped = n % 10 === 0
              const process = yield* pool.start({
                targets: [target],
                command: isStopped ? "follow" : "uptime",
                budget: Duration.seconds(30),
                output: () => Effect.void,
                grace: Effect.succeed(Duration.zero),
                stopped: ({ remote }) => Effect.sync(() => void (remote === "confirmed" && stops.confirmed++))
              })
              if (!isStopped) yield* process.wait
            })
          )
        const places = CONNECTIONS_PER_TARGET * COMMANDS_PER_CONNECTION
        const numbers = (length: number) => Array.from({ length }, (_, n) => n)
        const options = { concurrency: places, discard: true } as const
        /** Between commands a client has only the session that it keeps ready. */
        const calm = untilTrue(() => server.channels().open === 0)

        yield* Effect.forEach(numbers(places), one, options)
        yield* calm
        const before = clients.map(listenersOfClient)
        assert.lengthOf(before, CONNECTIONS_PER_TARGET)
        yield* Effect.forEach(numbers(300), one, options)
        yield* calm
        assert.deepStrictEqual(clients.map(listenersOfClient), before)
        assert.strictEqual(stops.confirmed, (300 + places) / 10)
        assert.strictEqual(server.channels().opened, ((300 + places) * 11) / 10)
        assert.strictEqual(server.connections().opened, CONNECTIONS_PER_TARGET)
        assert.strictEqual(server.running(), 0)

        yield* Scope.close(scope, Exit.void)
        yield* untilTrue(() => server.connections().open === 0)
      })
      return Effect.gen(function* () {
        const before = resources()
        yield* load.pipe(Effect.scoped, Effect.provideService(Metric.FiberRuntimeMetrics, fibers.service))
        yield* fibers.noneLeft
        yield* backTo(before)
      })
    },
    120_000
  )
})

/** The listeners of a client and of its socket. */
const listenersOfClient = (client: ssh2.Client) => ({
  client: listenersOf(client),
  socket: listenersOf(socketOf(client))
})
