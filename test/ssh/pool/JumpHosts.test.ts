import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import type { HostScript } from "./SimulatedHosts.ts"
import { at, settle, setup } from "./PoolHarness.ts"

describe("jump hosts", () => {
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
})
