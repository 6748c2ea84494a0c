import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { withWallClock } from "../../support/WallClock.ts"
import type { HostScript } from "./SimulatedHosts.ts"
import { A, at, B, settle, setup } from "./PoolHarness.ts"

describe("connecting", () => {
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

  it.effect("gives up in time when the wall clock is set back meanwhile, over all addresses together", () =>
    withWallClock((set) =>
      Effect.gen(function* () {
        const never: HostScript = { delay: "5 hours" }
        const { begin, hosts } = yield* setup({ [A.address]: never, [B.address]: never })
        const one = yield* begin("uptime")
        const two = yield* begin("uptime", {}, [B, A])
        yield* TestClock.adjust("4 seconds")
        yield* set(-3_600_000)
        yield* TestClock.adjust("6 seconds")
        yield* settle
        for (const { fiber } of [one, two]) {
          const failed = yield* Effect.fromNullishOr(fiber.pollUnsafe())
          const answer = yield* failed
          assert.isTrue(answer._tag === "Failure" && answer.failure.failure === "ConnectTimeout")
        }
        assert.strictEqual(yield* hosts.connecting, 0)
      })
    )
  )

  it.effect("never makes more handshakes with a host than it has turns, whoever gives up first", () =>
    Effect.gen(function* () {
      const { begin, hosts } = yield* setup({ [A.address]: { delay: "1 hour" } })
      const started = []
      for (let n = 0; n < 40; n++) {
        started.push(yield* begin("uptime", { budget: Duration.millis(1_000 + ((n * 7_919) % 9_000)) }))
      }
      yield* Effect.repeat(TestClock.adjust("100 millis"), { times: 300 })
      assert.strictEqual(yield* hosts.peakConnects, 8)
      for (const { fiber } of started) assert.strictEqual((yield* Fiber.join(fiber))._tag, "Failure")
      assert.strictEqual(yield* hosts.connecting, 0)
    })
  )

  it.effect("keeps the turn of a handshake that others wait for when the one who began it goes", () =>
    Effect.gen(function* () {
      const addresses = Array.from({ length: 24 }, (_, n) => `198.51.100.${n}`)
      const { begin, hosts } = yield* setup(
        Object.fromEntries(addresses.map((address) => [address, { delay: "2 seconds" }] as const))
      )
      const jump = at("192.0.2.100")
      const targets = addresses.map((address) => at(address, "one", jump))
      const first = []
      const second = []
      for (const target of targets) first.push(yield* begin("uptime", {}, [target]))
      yield* settle
      for (const target of targets) second.push(yield* begin("uptime", {}, [target]))
      yield* TestClock.adjust("1 seconds")
      for (const { close, fiber } of first) {
        yield* Fiber.interrupt(fiber)
        yield* close
      }
      yield* Effect.repeat(TestClock.adjust("500 millis"), { times: 20 })
      assert.strictEqual(yield* hosts.peakConnects, 8)
      for (const { fiber } of second) assert.strictEqual((yield* Fiber.join(fiber))._tag, "Success")
      assert.lengthOf(yield* hosts.connects, 25)
    })
  )

  it.effect("takes an attempt that nobody waits for any more out, and the next caller makes another", () =>
    Effect.gen(function* () {
      const { begin, hosts } = yield* setup({ [A.address]: { delay: "2 seconds" } })
      for (const { close, fiber } of [yield* begin("uptime"), yield* begin("uptime")]) {
        yield* TestClock.adjust("500 millis")
        yield* Fiber.interrupt(fiber)
        yield* close
      }
      assert.strictEqual(yield* hosts.connecting, 0)
      const three = yield* begin("uptime")
      yield* TestClock.adjust("2 seconds")
      yield* settle
      assert.strictEqual((yield* Fiber.join(three.fiber))._tag, "Success")
      assert.lengthOf(yield* hosts.connects, 2)
    })
  )
})
