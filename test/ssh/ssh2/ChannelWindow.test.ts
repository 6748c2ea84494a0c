import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Scope, Stream } from "effect"
import ssh2 from "ssh2"
import type { ClientChannel, ServerChannel, Session } from "ssh2"
import { makeSessions } from "../../../src/ssh/ssh2/Ssh2Channel.ts"
import { largeWindow } from "../../../src/ssh/ssh2/Ssh2Patches.ts"
import { loopbackTarget as target, startClient, startServer } from "../../support/LoopbackSsh.ts"

const MIB = 1024 * 1024

describe("the window of a channel", () => {
  /** A host whose commands send `total` bytes, but `mark`, which sends none. It tells how much left, and when it may send no more. */
  const makeFlood = (total: number) => {
    const sent = { bytes: 0 }
    let flooding: ServerChannel | undefined
    let stalled = () => {}
    const mayNotSend = () => flooding !== undefined && Reflect.get(flooding, "_waitWindow") === true
    const send = (stream: ServerChannel) => {
      const block = Buffer.alloc(64 * 1024)
      const more = () => {
        if (sent.bytes >= total) {
          stream.exit(0)
          stream.end()
          return
        }
        stream.write(block, () => {
          sent.bytes += block.length
          setImmediate(more)
        })
        if (mayNotSend()) stalled()
      }
      more()
    }
    const session = (session: Session) => {
      session.on("exec", (accept, _reject, { command }) => {
        const stream = accept()
        if (command === "mark") {
          stream.exit(0)
          stream.end()
          return
        }
        flooding = stream
        send(stream)
      })
    }
    /** The bytes that left when the host may send no more: it has seen by then what the client had sent before. */
    const settled = (client: ssh2.Client) =>
      Effect.gen(function* () {
        yield* Effect.callback<void>((resume) => {
          ssh2.Client.prototype.exec.call(client, "mark", () => resume(Effect.void))
        })
        yield* Effect.callback<void>((resume) => {
          stalled = () => resume(Effect.void)
          if (mayNotSend()) stalled()
        })
        return sent.bytes
      })
    return { session, settled }
  }

  it.live(
    "lets 2 MiB through when nothing is read, and never more than 8 MiB beyond what was",
    () =>
      Effect.gen(function* () {
        const { session, settled } = makeFlood(40 * MIB)
        const client = yield* startClient(yield* startServer({ session }))
        const sessions = makeSessions(client, target, () => false)
        const scope = yield* Scope.make()
        const channel = yield* Scope.provide(sessions.exec("flood"), scope)
        assert.strictEqual(yield* settled(client), 2 * MIB)
        const read = { bytes: 0 }
        yield* Stream.runForEach(channel.output, ({ bytes }) => {
          read.bytes += bytes.length
          // Twice the reader stops; what the host sent by then was bounded.
          const stops = [1, 20].some((at) => read.bytes >= at * MIB && read.bytes - bytes.length < at * MIB)
          return stops
            ? Effect.map(settled(client), (now) => {
                assert.isAtMost(now, read.bytes + 256 * 1024 + 8 * MIB)
                assert.isAtLeast(now, read.bytes + 6 * MIB)
              })
            : Effect.void
        })
        assert.strictEqual(read.bytes, 40 * MIB)
        assert.deepStrictEqual(yield* channel.exit, { _tag: "Exited", code: 0 })
        yield* Scope.close(scope, Exit.void)
      }),
    30_000
  )

  it.live(
    "stays the library's own, with the same bytes, where the internals are otherwise",
    () =>
      Effect.gen(function* () {
        const { session, settled } = makeFlood(16 * MIB)
        const client = yield* startClient(yield* startServer({ session }))
        // A channel whose internals cannot be recognised, as those of another version might be.
        const exec = client.exec.bind(client)
        Object.assign(client, {
          exec: (command: string, done: (error: Error | undefined, channel: ClientChannel) => void) =>
            exec(command, (error, channel) => {
              const callbacks: unknown = Reflect.get(channel, "_callbacks")
              Object.defineProperty(channel, "_callbacks", {
                get: () => Object.assign(Object.create(null), { forEach: undefined, length: 0 }),
                set: () => {}
              })
              assert.isTrue(Array.isArray(callbacks))
              assert.isUndefined(largeWindow(channel, 8 * MIB))
              done(error, channel)
            })
        })
        const sessions = makeSessions(client, target, () => false)
        const channel = yield* sessions.exec("flood")
        assert.isAtMost(yield* settled(client), 3 * MIB)
        const read = yield* Stream.runFold(
          channel.output,
          () => 0,
          (bytes, chunk) => bytes + chunk.bytes.length
        )
        assert.strictEqual(read, 16 * MIB)
        assert.deepStrictEqual(yield* channel.exit, { _tag: "Exited", code: 0 })
      }),
    30_000
  )
})
