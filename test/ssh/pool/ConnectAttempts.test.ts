import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import type { HostScript } from "./SimulatedHosts.ts"
import { A, B, settle, setup } from "./PoolHarness.ts"

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
})
