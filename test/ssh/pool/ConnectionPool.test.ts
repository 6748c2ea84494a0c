import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Fiber, Ref } from "effect"
import { TestClock } from "effect/testing"
import { withWallClock } from "../../support/WallClock.ts"
import type { StopReport } from "../../../src/ssh/process/RemoteProcess.ts"
import { A, at, settle, setup } from "./PoolHarness.ts"

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

  it.effect("closes an unused connection after 60 s, also when the wall clock is set back meanwhile", () =>
    withWallClock((set) =>
      Effect.gen(function* () {
        const { begin, hosts } = yield* setup()
        const one = yield* begin("uptime")
        yield* settle
        yield* one.close
        yield* TestClock.adjust("30 seconds")
        yield* set(-3_600_000)
        yield* TestClock.adjust("29 seconds")
        assert.strictEqual(yield* hosts.open, 1)
        yield* TestClock.adjust("1 second")
        assert.strictEqual(yield* hosts.open, 0)
      })
    )
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

  it.effect("makes a new connection for a stop at once when its own is known to be lost", () =>
    Effect.gen(function* () {
      const { begin, hosts } = yield* setup()
      const one = yield* begin("run one")
      yield* settle
      yield* hosts.drop(0)
      const closing = yield* Effect.forkChild(one.close)
      yield* settle
      yield* Fiber.join(closing)
      assert.strictEqual(yield* hosts.lateExecs, 0)
      assert.lengthOf(yield* hosts.connects, 2)
      assert.deepStrictEqual(yield* hosts.running, [])
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
