import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Exit, Fiber, Layer, Ref, Scope } from "effect"
import { TestClock } from "effect/testing"
import { ConnectionPool } from "../../../src/ssh/pool/ConnectionPool.ts"
import type { StartOptions } from "../../../src/ssh/pool/ConnectionPool.ts"
import type { StopReport } from "../../../src/ssh/process/RemoteProcess.ts"
import { Target } from "../../../src/ssh/Target.ts"
import { makeHosts } from "./SimulatedHosts.ts"
import type { HostScript } from "./SimulatedHosts.ts"

const at = (address: string, digest = "one", via?: Target) =>
  new Target({
    via,
    alias: "web",
    hostname: "web",
    address,
    port: 22,
    login: { username: "root", digest },
    hostKeys: { paths: [], digest: "" }
  })
const A = at("192.0.2.1")
const B = at("192.0.2.2")

/** Lets everything that is due within a few milliseconds happen. */
const settle = Effect.repeat(TestClock.adjust("1 millis"), { times: 20 })

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
const setup = Effect.fnUntraced(function* (scripts: Readonly<Record<string, HostScript>> = {}) {
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

describe("ConnectionPool", () => {
  it.effect("shares a connection, keeps it for 60 s without use, and then closes it", () =>
    Effect.gen(function* () {
      const { begin, hosts } = yield* setup()
      for (let round = 0; round < 3; round++) {
        const one = yield* begin("uptime")
        yield* settle
        assert.strictEqual((yield* Fiber.join(one.fiber))._tag, "Success")
        yield* one.close
        yield* TestClock.adjust("50 seconds")
      }
      assert.deepStrictEqual(yield* hosts.connects, [A.address])
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(yield* hosts.open, 0)
    })
  )

  it.effect("does not share between different logins", () =>
    Effect.gen(function* () {
      const { begin, hosts } = yield* setup()
      yield* begin("run one")
      yield* begin("run two", {}, [at(A.address, "two")])
      yield* settle
      assert.lengthOf(yield* hosts.connects, 2)
    })
  )

  it.effect("puts five commands on a connection, opens another for the sixth, and fills places that become free", () =>
    Effect.gen(function* () {
      const { begin, hosts } = yield* setup()
      for (let index = 1; index <= 11; index++) {
        yield* begin(`run c${index}`)
        yield* settle
      }
      assert.deepStrictEqual(yield* hosts.sessions, [5, 5, 1])
      assert.lengthOf(yield* hosts.running, 11)
    })
  )

  it.effect("makes the forty-first wait, starts it when a place frees, and gives up after 60 s", () =>
    Effect.gen(function* () {
      const { begin, hosts } = yield* setup()
      const started = []
      for (let index = 1; index <= 40; index++) started.push(yield* begin(`run c${index}`))
      yield* settle
      assert.lengthOf(yield* hosts.running, 40)
      const waiting = yield* begin("run late")
      const hopeless = yield* begin("run never")
      yield* settle
      assert.notInclude(yield* hosts.running, "late")
      yield* hosts.end("c7")
      yield* settle
      yield* started[6]?.close ?? Effect.void
      yield* settle
      assert.include(yield* hosts.running, "late")
      assert.strictEqual((yield* Fiber.join(waiting.fiber))._tag, "Success")
      yield* TestClock.adjust("60 seconds")
      const failed = yield* Fiber.join(hopeless.fiber)
      assert.isTrue(failed._tag === "Failure" && failed.failure.failure === "ChannelsBusy")
    })
  )

  it.effect("never hands out a connection that was lost, and forgets a failed attempt", () =>
    Effect.gen(function* () {
      const { begin, hosts } = yield* setup()
      const one = yield* begin("uptime")
      yield* settle
      yield* one.close
      yield* hosts.drop(0)
      yield* settle
      assert.strictEqual(yield* hosts.open, 0)
      const two = yield* begin("uptime")
      yield* settle
      assert.strictEqual((yield* Fiber.join(two.fiber))._tag, "Success")
      assert.lengthOf(yield* hosts.connects, 2)

      const refusing = yield* setup({ [A.address]: { connect: "AuthenticationFailed" } })
      for (let round = 1; round <= 2; round++) {
        const { fiber } = yield* refusing.begin("uptime")
        yield* settle
        const failed = yield* Fiber.join(fiber)
        assert.isTrue(failed._tag === "Failure" && failed.failure.failure === "AuthenticationFailed")
        assert.lengthOf(yield* refusing.hosts.connects, round)
      }
    })
  )

  it.effect("bounds every caller by its own budget, also one that joined another's attempt", () =>
    Effect.gen(function* () {
      const { begin, hosts } = yield* setup({ [A.address]: { delay: "8 seconds" } })
      const short = yield* begin("uptime", { budget: Duration.seconds(3) })
      const long = yield* begin("uptime", { budget: Duration.seconds(20) })
      yield* TestClock.adjust("3 seconds")
      const failed = yield* Fiber.join(short.fiber)
      assert.isTrue(failed._tag === "Failure" && failed.failure.failure === "ConnectTimeout")
      yield* settle
      yield* TestClock.adjust("8 seconds")
      yield* settle
      assert.strictEqual((yield* Fiber.join(long.fiber))._tag, "Success")
      assert.lengthOf(yield* hosts.connects, 2)
    })
  )

  it.effect("lets one waiting borrower go without hurting the others", () =>
    Effect.gen(function* () {
      const { begin, hosts } = yield* setup({ [A.address]: { delay: "2 seconds" } })
      const one = yield* begin("uptime")
      const two = yield* begin("uptime")
      yield* Fiber.interrupt(one.fiber)
      yield* one.close
      yield* TestClock.adjust("2 seconds")
      yield* settle
      assert.strictEqual((yield* Fiber.join(two.fiber))._tag, "Success")
      assert.lengthOf(yield* hosts.connects, 1)
    })
  )

  it.effect("tries the next address when one refuses or does not answer, and prefers one that is connected", () =>
    Effect.gen(function* () {
      for (const script of [
        { connect: "ConnectionRefused" },
        { connect: "NetworkUnreachable" },
        { delay: "1 hour" }
      ] satisfies ReadonlyArray<HostScript>) {
        const { begin, hosts } = yield* setup({ [A.address]: script })
        const one = yield* begin("uptime", {}, [A, B])
        yield* TestClock.adjust("6 seconds")
        yield* settle
        const process = yield* Effect.fromResult(yield* Fiber.join(one.fiber))
        assert.strictEqual(process.targetIp, B.address)
        yield* begin("uptime", {}, [A, B])
        yield* settle
        assert.deepStrictEqual(yield* hosts.connects, [A.address, B.address])
      }
      const { begin, hosts } = yield* setup({ [A.address]: { connect: "HostKeyMismatch" } })
      const { fiber } = yield* begin("uptime", {}, [A, B])
      yield* settle
      const failed = yield* Fiber.join(fiber)
      assert.isTrue(failed._tag === "Failure" && failed.failure.failure === "HostKeyMismatch")
      assert.deepStrictEqual(yield* hosts.connects, [A.address])
    })
  )

  it.effect("learns that a server allows fewer sessions, and still runs and stops everything", () =>
    Effect.gen(function* () {
      const { begin, hosts } = yield* setup({ [A.address]: { maxSessions: 2 } })
      const started = []
      for (let index = 1; index <= 6; index++) started.push(yield* begin(`run c${index}`))
      yield* Effect.repeat(settle, { times: 20 })
      assert.lengthOf(yield* hosts.running, 6)
      yield* Effect.forEach(started, ({ close }) => Effect.forkChild(close, { startImmediately: true }), {
        discard: true
      })
      yield* Effect.repeat(settle, { times: 40 })
      assert.lengthOf(yield* hosts.running, 0)
    })
  )

  it.effect("stops a running command when its Scope closes, tells what came of it, and holds nothing after", () =>
    Effect.gen(function* () {
      const { begin, hosts } = yield* setup()
      const stops = yield* Ref.make<ReadonlyArray<StopReport>>([])
      const stopped = (report: StopReport) => Ref.update(stops, (all) => [...all, report])
      const one = yield* begin("run one", { stopped })
      yield* settle
      assert.deepStrictEqual(yield* hosts.running, ["one"])
      yield* one.close
      assert.deepStrictEqual(yield* Ref.get(stops), [{ remote: "confirmed", survivors: [] }])
      assert.deepStrictEqual(yield* hosts.running, [])
      assert.deepStrictEqual(yield* hosts.sessions, [0])
      yield* TestClock.adjust("61 seconds")
      assert.strictEqual(yield* hosts.open, 0)
    })
  )

  it.effect("fails with ConnectionLost, never with success, when the connection breaks under a command", () =>
    Effect.gen(function* () {
      const { begin, hosts } = yield* setup()
      const one = yield* begin("run one")
      yield* settle
      const process = yield* Effect.fromResult(yield* Fiber.join(one.fiber))
      yield* hosts.drop(0)
      assert.strictEqual((yield* Effect.flip(process.wait)).failure, "ConnectionLost")
    })
  )

  it.effect("checks a host on a fresh connection, which it closes", () =>
    Effect.gen(function* () {
      const { hosts, pool } = yield* setup({ [A.address]: { delay: "40 millis" } })
      const fiber = yield* Effect.forkChild(pool.check([A], Duration.seconds(5)), { startImmediately: true })
      yield* TestClock.adjust("40 millis")
      const found = yield* Fiber.join(fiber)
      assert.strictEqual(found.targetIp, A.address)
      assert.strictEqual(Duration.toMillis(found.latency), 40)
      assert.strictEqual(yield* hosts.open, 0)
    })
  )

  it.effect(
    "sends the first command of a connection in the form that probes, later ones as the login shell reads them",
    () =>
      Effect.gen(function* () {
        for (const [shell, start] of [
          ["posix", /^printf "MCPRUN/],
          ["other", /^exec sh -c 'printf "MCPRUN/],
          ["foreign", /^exec sh -c .*printf %b/]
        ] as const) {
          const { begin, hosts } = yield* setup({ [A.address]: { shell } })
          for (let round = 0; round < 2; round++) {
            const one = yield* begin("uptime")
            yield* settle
            yield* one.close
          }
          const [first = "", second = ""] = yield* hosts.execs
          assert.match(first, /^exec sh -c .*printf %b/)
          assert.match(second, start)
        }
      })
  )

  it.effect("connects again after a connect that was dropped at the start, five times at most", () =>
    Effect.gen(function* () {
      const detail = "Connection lost before handshake"
      const lucky = yield* setup({ [A.address]: { connect: "ProtocolError", detail, failures: 4 } })
      const one = yield* lucky.begin("uptime")
      yield* TestClock.adjust("5 seconds")
      yield* settle
      assert.strictEqual((yield* Fiber.join(one.fiber))._tag, "Success")
      assert.lengthOf(yield* lucky.hosts.connects, 5)

      const never = yield* setup({ [A.address]: { connect: "ProtocolError", detail } })
      const two = yield* never.begin("uptime")
      yield* TestClock.adjust("9 seconds")
      yield* settle
      const failed = yield* Fiber.join(two.fiber)
      assert.isTrue(failed._tag === "Failure" && failed.failure.failure === "ProtocolError")
      assert.lengthOf(yield* never.hosts.connects, 5)

      const brief = yield* setup({ [A.address]: { connect: "ProtocolError", detail } })
      const three = yield* brief.begin("uptime", { budget: Duration.millis(120) })
      yield* TestClock.adjust("120 millis")
      assert.strictEqual((yield* Fiber.join(three.fiber))._tag, "Failure")
      assert.isAtMost((yield* brief.hosts.connects).length, 2)
    })
  )

  it.effect("never repeats a connect that failed for a cause that stays", () =>
    Effect.gen(function* () {
      for (const connect of [
        "AuthenticationFailed",
        "HostKeyMismatch",
        "HostKeyUnknown",
        "HostKeyRevoked",
        "ConnectionRefused",
        "ProtocolError"
      ] as const) {
        const { begin, hosts } = yield* setup({ [A.address]: { connect, detail: "read" } })
        const one = yield* begin("uptime")
        yield* TestClock.adjust("9 seconds")
        yield* settle
        assert.strictEqual((yield* Fiber.join(one.fiber))._tag, "Failure")
        assert.lengthOf(yield* hosts.connects, 1, connect)
      }
    })
  )

  it.effect("makes at most eight handshakes at a time through one jump host, and fifty in all", () =>
    Effect.gen(function* () {
      const jump = at("192.0.2.100")
      const slow = (address: string) => ({ [address]: { delay: "1 second" } })
      const addresses = Array.from({ length: 60 }, (_, n) => `198.51.100.${n}`)
      const scripts = Object.assign({}, ...addresses.map(slow)) as Record<string, HostScript>

      const behind = yield* setup(scripts)
      for (const address of addresses.slice(0, 20)) yield* behind.begin("uptime", {}, [at(address, "one", jump)])
      yield* Effect.repeat(TestClock.adjust("500 millis"), { times: 10 })
      assert.strictEqual(yield* behind.hosts.peakConnects, 8)
      assert.lengthOf(yield* behind.hosts.connects, 21)

      const direct = yield* setup(scripts)
      for (const address of addresses) yield* direct.begin("uptime", {}, [at(address)])
      yield* Effect.repeat(TestClock.adjust("500 millis"), { times: 10 })
      assert.strictEqual(yield* direct.hosts.peakConnects, 50)
      assert.lengthOf(yield* direct.hosts.connects, 60)
    })
  )

  it.effect("shares one connection to a jump host, keeps it as long as what goes through it, and closes both", () =>
    Effect.gen(function* () {
      const jump = at("192.0.2.100")
      const { begin, hosts } = yield* setup()
      const long = yield* begin("run long", {}, [at("198.51.100.1", "one", jump)])
      const short = yield* begin("uptime", {}, [at("198.51.100.2", "one", jump)])
      yield* settle
      yield* short.close
      assert.deepStrictEqual([...(yield* hosts.connects)].sort(), ["192.0.2.100", "198.51.100.1", "198.51.100.2"])
      yield* TestClock.adjust("90 seconds")
      assert.strictEqual(yield* hosts.open, 2)
      yield* long.close
      yield* TestClock.adjust("121 seconds")
      assert.strictEqual(yield* hosts.open, 0)
    })
  )

  it.effect("fails what depends on a jump host that cannot be reached, and what was on one that died", () =>
    Effect.gen(function* () {
      const jump = at("192.0.2.100")
      const target = at("198.51.100.1", "one", jump)
      const refused = yield* setup({ [jump.address]: { connect: "AuthenticationFailed" } })
      const one = yield* refused.begin("uptime", {}, [target])
      yield* settle
      const failed = yield* Fiber.join(one.fiber)
      assert.isTrue(failed._tag === "Failure" && failed.failure.failure === "JumpHostFailed")
      assert.deepStrictEqual(yield* refused.hosts.connects, [jump.address])

      const { begin, hosts } = yield* setup()
      const two = yield* begin("run two", {}, [target])
      yield* settle
      const process = yield* Effect.fromResult(yield* Fiber.join(two.fiber))
      yield* hosts.drop(0)
      assert.strictEqual((yield* Effect.flip(process.wait)).failure, "ConnectionLost")
      yield* settle
      const three = yield* begin("uptime", {}, [target])
      yield* settle
      assert.strictEqual((yield* Fiber.join(three.fiber))._tag, "Success")
      // The killer of the lost command connects on its own.
      assert.isAtLeast((yield* hosts.connects).filter((address) => address === jump.address).length, 2)
    })
  )

  it.effect("gives up on an exec that is not answered for 15 s, and does not use that connection again", () =>
    Effect.gen(function* () {
      const { begin, hosts } = yield* setup({ [A.address]: { mute: true } })
      const one = yield* begin("uptime", { grace: Effect.succeed(Duration.zero) })
      yield* settle
      yield* Effect.repeat(TestClock.adjust("1 second"), { times: 25 })

      const failed = yield* Fiber.join(one.fiber)
      assert.isTrue(failed._tag === "Failure" && failed.failure.failure === "ConnectionLost")
      yield* one.close
      const before = (yield* hosts.connects).length
      const two = yield* begin("uptime", { grace: Effect.succeed(Duration.zero) })
      yield* settle
      assert.lengthOf(yield* hosts.connects, before + 1)
      yield* Effect.repeat(TestClock.adjust("1 second"), { times: 25 })
      yield* Fiber.join(two.fiber)
    })
  )
})
