import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Stream } from "effect"
import { Transport, type Connection } from "../../src/ssh/Transport.ts"
import { openDelayProxy } from "../support/DelayProxy.ts"
import { targetOf, transportLayer } from "../support/SshFixtures.ts"
import * as Sshd from "../support/Sshd.ts"

/** Long enough that a busy machine answers within it: what the server says in time is then counted to its cause. */
const RTT_MILLIS = 200

/** An sshd behind a slow link, and a way to count what an effect takes on it. */
const far = Effect.gen(function* () {
  const sshd = yield* Sshd.start()
  const proxy = yield* openDelayProxy({ port: sshd.port, rttMillis: RTT_MILLIS })
  const known = (yield* sshd.knownHosts).replace(`:${sshd.port} `, `:${proxy.port} `)
  const target = yield* targetOf({ ...sshd, port: proxy.port }, { knownHosts: known })
  const transport = yield* Transport
  return {
    sshd,
    roundTrips: proxy.roundTrips,
    connect: transport.connect(target, Duration.seconds(20)),
    counted: <A, E, R>(effect: Effect.Effect<A, E, R>) =>
      Effect.gen(function* () {
        const before = proxy.roundTrips()
        yield* effect
        return proxy.roundTrips() - before
      })
  }
})

/** Runs a command to its end and gives its stdout. */
const output = (connection: Connection, command: string) =>
  Effect.scoped(
    Effect.gen(function* () {
      const channel = yield* connection.exec(command)
      const bytes = yield* Stream.runCollect(channel.output)
      const exit = yield* channel.exit
      assert.deepStrictEqual(exit, { _tag: "Exited", code: 0 })
      return Buffer.concat([...bytes].map((chunk) => chunk.bytes)).toString()
    })
  )

const keepReady = (connection: Connection, wanted: boolean) =>
  connection.keepReady?.(wanted) ?? Effect.die(new Error("the transport keeps no session ready"))

describe("on a link with a delay", () => {
  it.live("a connect takes 5 round trips: TCP, versions, keys, service, signature", () =>
    Effect.gen(function* () {
      const { connect, roundTrips } = yield* far
      yield* connect
      assert.strictEqual(roundTrips(), 5)
    }).pipe(Effect.provide(transportLayer))
  )

  it.live("a command takes 2 round trips, and 7 together with the connect", () =>
    Effect.gen(function* () {
      const { connect, counted, roundTrips } = yield* far
      const connection = yield* connect
      assert.strictEqual(yield* output(connection, "echo cold"), "cold\n")
      assert.strictEqual(roundTrips(), 7)
      assert.strictEqual(yield* counted(output(connection, "echo warm")), 2)
      assert.strictEqual(yield* counted(output(connection, "echo warm")), 2)
    }).pipe(Effect.provide(transportLayer))
  )

  it.live(
    "a command takes 1 round trip while a session is kept ready, one after the other, and 2 when no more is",
    () =>
      Effect.gen(function* () {
        const { connect, counted } = yield* far
        const connection = yield* connect
        yield* keepReady(connection, true)
        assert.strictEqual(yield* output(connection, "echo first"), "first\n")
        for (const word of ["a", "b", "c"]) {
          assert.strictEqual(yield* counted(output(connection, `echo ${word}`)), 1)
        }
        // What reads its stdin to the end does not wait for it either.
        assert.strictEqual(yield* counted(output(connection, "cat")), 1)
        yield* keepReady(connection, false)
        assert.strictEqual(yield* counted(output(connection, "echo d")), 2)
      }).pipe(Effect.provide(transportLayer))
  )

  it.live(
    "of commands at the same time, one takes the session that is ready and none waits longer than without it",
    () =>
      Effect.gen(function* () {
        const { connect, counted } = yield* far
        const connection = yield* connect
        yield* keepReady(connection, true)
        yield* output(connection, "true")
        const trips = counted(
          Effect.all(
            ["a", "b", "c", "d"].map((word) => output(connection, `echo ${word}`)),
            { concurrency: "unbounded" }
          )
        )
        assert.isAtMost(yield* trips, 2)
      }).pipe(Effect.provide(transportLayer))
  )
})
