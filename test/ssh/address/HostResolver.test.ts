import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer, Ref } from "effect"
import { TestClock } from "effect/testing"
import { compileNetwork } from "../../../src/policy/network/Network.ts"
import { DnsLookup, DnsLookupFailed } from "../../../src/ssh/address/DnsLookup.ts"
import { HostResolver } from "../../../src/ssh/address/HostResolver.ts"
import { withWallClock } from "../../support/WallClock.ts"

const open = compileNetwork({})

/** A resolver over a table of names, with a count of the lookups. */
const withNames = (table: Readonly<Record<string, ReadonlyArray<string> | "never">>) =>
  Effect.map(Ref.make(0), (count) => ({
    count: Ref.get(count),
    layer: HostResolver.layer.pipe(
      Layer.provide(
        Layer.succeed(
          DnsLookup,
          DnsLookup.of({
            lookup: (name) =>
              Effect.andThen(
                Ref.update(count, (n) => n + 1),
                Effect.suspend(() => {
                  const answer = table[name]
                  if (answer === "never") return Effect.never
                  return answer === undefined
                    ? Effect.fail(new DnsLookupFailed({ name, detail: "ENOTFOUND" }))
                    : Effect.succeed(answer)
                })
              )
          })
        )
      )
    )
  }))

describe("HostResolver", () => {
  it.effect("takes literals without a lookup and checks them", () =>
    Effect.gen(function* () {
      const names = yield* withNames({})
      yield* Effect.gen(function* () {
        const resolver = yield* HostResolver
        const resolve = (host: string, network = open) =>
          Effect.map(resolver.resolve(host, network), (r) => r.addresses)
        assert.deepStrictEqual(yield* resolve("10.0.0.1"), ["10.0.0.1"])
        assert.deepStrictEqual(yield* resolve("::FFFF:10.0.0.1"), ["10.0.0.1"])
        assert.deepStrictEqual(yield* resolve("2001:DB8:0::1"), ["2001:db8::1"])
        const denied = yield* Effect.flip(resolve("10.0.0.1", compileNetwork({ block_cidrs: ["10.0.0.0/8"] })))
        assert.strictEqual(denied.detail, "No resolved IPs allowed by policy.network")
        assert.deepStrictEqual(denied.addresses, ["10.0.0.1"])
        for (const host of ["0.0.0.0", "::", "::ffff:0.0.0.0"]) {
          assert.strictEqual(
            (yield* Effect.flip(resolve(host))).detail,
            "No resolved IPs allowed by policy.network",
            host
          )
        }
      }).pipe(Effect.provide(names.layer))
      assert.strictEqual(yield* names.count, 0)
    })
  )

  it.effect("skips blocked addresses of a name, in the resolver's order, and denies when none is left", () =>
    Effect.gen(function* () {
      const names = yield* withNames({
        web: ["10.0.0.1", "192.0.2.1", "2001:db8::1", "192.0.2.1", "::ffff:192.0.2.7"],
        inner: ["10.0.0.1", "::ffff:10.0.0.2"],
        "0x7f.1": ["127.0.0.1"],
        many: Array.from({ length: 40 }, (_, index) => `192.0.2.${index + 1}`),
        odd: ["fe80::1%eth0", "not an address"]
      })
      const network = compileNetwork({ block_cidrs: ["10.0.0.0/8", "127.0.0.0/8"] })
      yield* Effect.gen(function* () {
        const resolver = yield* HostResolver
        assert.deepStrictEqual((yield* resolver.resolve("web", network)).addresses, [
          "192.0.2.1",
          "2001:db8::1",
          "192.0.2.7"
        ])
        for (const host of ["inner", "0x7f.1"]) {
          const denied = yield* Effect.flip(resolver.resolve(host, network))
          assert.strictEqual(denied.detail, "No resolved IPs allowed by policy.network")
        }
        assert.lengthOf((yield* resolver.resolve("many", network)).addresses, 16)
        assert.strictEqual((yield* Effect.flip(resolver.resolve("odd", open))).detail, "DNS resolution failed")
        assert.strictEqual((yield* Effect.flip(resolver.resolve("absent", open))).detail, "DNS resolution failed")
      }).pipe(Effect.provide(names.layer))
    })
  )

  it.effect("leaves a name behind a jump host to it when it does not resolve here and no list is configured", () =>
    Effect.gen(function* () {
      const names = yield* withNames({ inner: ["10.0.0.1"], here: ["0.0.0.0"], slow: "never" })
      const lists = [
        { allow_ips: ["10.0.0.1"] },
        { allow_cidrs: ["::/0", "0.0.0.0/0"] },
        { block_ips: ["192.0.2.1"] },
        { block_cidrs: ["192.0.2.0/24"] }
      ].map(compileNetwork)
      yield* Effect.gen(function* () {
        const resolver = yield* HostResolver
        assert.deepStrictEqual(yield* resolver.resolve("Absent", open, "jump"), {
          addresses: ["Absent"],
          resolvedBy: "jump host"
        })
        assert.deepStrictEqual(yield* resolver.resolve("inner", open, "jump"), {
          addresses: ["10.0.0.1"],
          resolvedBy: "here"
        })
        assert.strictEqual((yield* Effect.flip(resolver.resolve("Absent", open))).detail, "DNS resolution failed")
        for (const network of lists) {
          const denied = yield* Effect.flip(resolver.resolve("Absent", network, "jump"))
          assert.strictEqual(denied.detail, "DNS resolution failed")
        }
        // An address is an address: what is not allowed here is not allowed there.
        for (const host of ["0.0.0.0", "::", "here"]) {
          const denied = yield* Effect.flip(resolver.resolve(host, open, "jump"))
          assert.strictEqual(denied.detail, "No resolved IPs allowed by policy.network", host)
        }
        const blocked = yield* Effect.flip(
          resolver.resolve("10.0.0.1", compileNetwork({ block_ips: ["10.0.0.1"] }), "jump")
        )
        assert.deepStrictEqual(blocked.addresses, ["10.0.0.1"])
        const fiber = yield* Effect.forkChild(resolver.resolve("slow", open, "jump"), { startImmediately: true })
        yield* TestClock.adjust("10 seconds")
        assert.deepStrictEqual((yield* Fiber.join(fiber)).addresses, ["slow"])
      }).pipe(Effect.provide(names.layer))
    })
  )

  it.effect("remembers an answer for 60 s and a failure for 5 s, and asks the policy every time", () =>
    Effect.gen(function* () {
      const names = yield* withNames({ web: ["192.0.2.1"] })
      yield* Effect.gen(function* () {
        const resolver = yield* HostResolver
        yield* resolver.resolve("web", open)
        yield* resolver.resolve("WEB", open)
        yield* Effect.flip(resolver.resolve("web", compileNetwork({ block_ips: ["192.0.2.1"] })))
        assert.strictEqual(yield* names.count, 1)
        yield* TestClock.adjust("60 seconds")
        yield* resolver.resolve("web", open)
        assert.strictEqual(yield* names.count, 2)
        yield* Effect.flip(resolver.resolve("absent", open))
        yield* Effect.flip(resolver.resolve("absent", open))
        assert.strictEqual(yield* names.count, 3)
        yield* TestClock.adjust("5 seconds")
        yield* Effect.flip(resolver.resolve("absent", open))
        assert.strictEqual(yield* names.count, 4)
      }).pipe(Effect.provide(names.layer))
    })
  )

  it.effect("remembers an answer for 60 s when the wall clock is set back meanwhile", () =>
    withWallClock((set) =>
      Effect.gen(function* () {
        const names = yield* withNames({ web: ["192.0.2.1"] })
        yield* Effect.gen(function* () {
          const resolver = yield* HostResolver
          yield* resolver.resolve("web", open)
          yield* set(-3_600_000)
          yield* TestClock.adjust("59 seconds")
          yield* resolver.resolve("web", open)
          assert.strictEqual(yield* names.count, 1)
          yield* TestClock.adjust("1 second")
          yield* resolver.resolve("web", open)
          assert.strictEqual(yield* names.count, 2)
        }).pipe(Effect.provide(names.layer))
      })
    )
  )

  it.effect("gives up on a resolver that does not answer", () =>
    Effect.gen(function* () {
      const names = yield* withNames({ web: "never" })
      yield* Effect.gen(function* () {
        const resolver = yield* HostResolver
        const fiber = yield* Effect.forkChild(Effect.flip(resolver.resolve("web", open)), { startImmediately: true })
        yield* TestClock.adjust("10 seconds")
        assert.strictEqual((yield* Fiber.join(fiber)).detail, "DNS resolution failed")
      }).pipe(Effect.provide(names.layer))
    })
  )
})
