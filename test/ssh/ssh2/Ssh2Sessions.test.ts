import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Stream } from "effect"
import ssh2 from "ssh2"
import type { ClientChannel, Session } from "ssh2"
import { makeSessions } from "../../../src/ssh/ssh2/Ssh2Channel.ts"
import { openSession, type PreopenedSession, signalAfterEnd } from "../../../src/ssh/ssh2/Ssh2Patches.ts"
import { loopbackTarget as target, type ServerScript, startClient, startServer } from "../../support/LoopbackSsh.ts"
import { eventually } from "../../support/SshFixtures.ts"

const session = (client: ssh2.Client) =>
  Effect.callback<PreopenedSession, Error>((resume) => {
    const asked = openSession(client, (answer) => resume(Effect.fromResult(answer)))
    if (!asked) resume(Effect.die(new Error("not asked")))
  })

const run = (opened: PreopenedSession, command: string, input?: Uint8Array) =>
  Effect.callback<ClientChannel, Error>((resume) =>
    opened.exec(command, input, (error, channel) =>
      resume(
        channel !== undefined
          ? Effect.succeed(channel)
          : error === undefined
            ? Effect.die(new Error("none"))
            : Effect.fail(error)
      )
    )
  )

/** Ends at the next event of that name. */
const next = (emitter: NodeJS.EventEmitter, name: string) =>
  Effect.callback<unknown>((resume) => {
    emitter.once(name, (value) => resume(Effect.succeed(value)))
  })

const until = (check: () => boolean): Effect.Effect<void> => eventually(Effect.sync(check))

/** Answers each command with its text and its stdin, and exits with 0. */
const echo = (session: Session) => {
  session.on("exec", (accept, _reject, { command }) => {
    const stream = accept()
    const input: Array<Buffer> = []
    stream.on("data", (bytes: Buffer) => input.push(bytes))
    stream.on("end", () => {
      stream.write(`${command}:${Buffer.concat(input).toString()}`)
      stream.exit(0)
      stream.end()
    })
  })
}

describe("a session that was opened before its command", () => {
  it.live("runs one command with its stdin, as one of exec does", () =>
    Effect.gen(function* () {
      const client = yield* startClient(yield* startServer({ session: echo }))
      for (const input of [undefined, Buffer.from("stdin")]) {
        const opened = yield* session(client)
        assert.isTrue(opened.isOpen())
        const channel = yield* run(opened, "command", input)
        const text: Array<Buffer> = []
        channel.on("data", (bytes: Buffer) => text.push(bytes))
        channel.stderr.resume()
        assert.strictEqual(yield* next(channel, "close"), 0)
        assert.strictEqual(Buffer.concat(text).toString(), `command:${input?.toString() ?? ""}`)
        assert.isFalse(opened.isOpen())
      }
    })
  )

  it.live("is refused with the library's error when the server has no more, and one that is closed makes room", () =>
    Effect.gen(function* () {
      const client = yield* startClient(yield* startServer({ session: echo, maxSessions: 1 }))
      const first = yield* session(client)
      const refused = yield* Effect.flip(session(client))
      assert.include(refused.message, "Channel open failure")
      assert.isDefined(Reflect.get(refused, "reason"))
      first.close()
      assert.isFalse(first.isOpen())
      yield* Effect.retry(session(client), { times: 50 })
    })
  )

  it.live("is not open any more, and runs nothing, when the server closed it or the connection ended", () =>
    Effect.gen(function* () {
      let closeIt = () => {}
      const server = yield* startServer({
        session: (session, connection) => {
          const info = Reflect.get(session, "_chanInfo") as { readonly outgoing: { readonly id: number } }
          closeIt = () => connection._protocol.channelClose(info.outgoing.id)
        }
      })
      const client = yield* startClient(server)
      const closed = yield* session(client)
      closeIt()
      yield* until(() => !closed.isOpen())
      assert.strictEqual((yield* Effect.flip(run(closed, "command"))).message, "Unable to exec")
      const lost = yield* session(client)
      client.destroy()
      yield* until(() => !lost.isOpen())
      assert.isFalse(openSession(client, () => assert.fail("called")))
    })
  )

  it("is not asked for without a connection", () => {
    assert.isFalse(openSession(new ssh2.Client(), () => assert.fail("called")))
  })
})

describe("the ready session of a connection", () => {
  /** Counts what the server sees. */
  const counting = (maxSessions?: number) => {
    const seen = { opened: 0, execs: 0, live: 0 }
    const script: ServerScript = {
      ...(maxSessions === undefined ? {} : { maxSessions }),
      session: (session) => {
        seen.opened++
        seen.live++
        session.on("close", () => seen.live--)
        session.on("exec", () => seen.execs++)
        echo(session)
      }
    }
    return { seen, script }
  }
  const output = (sessions: ReturnType<typeof makeSessions>, command: string, input?: Uint8Array) =>
    Effect.scoped(
      Effect.gen(function* () {
        const channel = yield* sessions.exec(command, input)
        const chunks = yield* Stream.runCollect(channel.output)
        yield* channel.exit
        return Buffer.concat([...chunks].map(({ bytes }) => bytes)).toString()
      })
    )

  it.live("is opened once, taken by the next command, replaced, and closed when it is not wanted any more", () =>
    Effect.gen(function* () {
      const { script, seen } = counting()
      const client = yield* startClient(yield* startServer(script))
      const sessions = makeSessions(client, target, () => false)
      yield* output(sessions, "none is kept before somebody wants it")
      yield* until(() => seen.live === 0)
      assert.deepStrictEqual(seen, { opened: 1, execs: 1, live: 0 })
      yield* sessions.keepReady(true)
      yield* sessions.keepReady(true)
      yield* until(() => seen.opened === 2)
      assert.strictEqual(yield* output(sessions, "a", Buffer.from("b")), "a:b")
      yield* until(() => seen.opened === 3)
      yield* output(sessions, "c")
      yield* until(() => seen.opened === 4)
      assert.strictEqual(seen.execs, 3)
      yield* until(() => seen.live === 1)
      yield* sessions.keepReady(false)
      yield* until(() => seen.live === 0)
      yield* output(sessions, "d")
      assert.deepStrictEqual([seen.opened, seen.execs], [5, 4])
    })
  )

  it.live("of a server that is out of sessions is not asked for again, and commands do without it", () =>
    Effect.gen(function* () {
      const { script, seen } = counting(1)
      const client = yield* startClient(yield* startServer(script))
      const sessions = makeSessions(client, target, () => false)
      yield* sessions.keepReady(true)
      // The command takes the only session; the next one is refused.
      assert.strictEqual(yield* output(sessions, "a"), "a:")
      yield* until(() => seen.live === 0)
      assert.strictEqual(yield* output(sessions, "b"), "b:")
      yield* until(() => seen.live === 0)
      assert.deepStrictEqual([seen.opened, seen.execs], [2, 2])
    })
  )

  it.live("goes back when whoever waited for it is interrupted, and the command is not run", () =>
    Effect.gen(function* () {
      const { script, seen } = counting()
      const client = yield* startClient(yield* startServer(script))
      const sessions = makeSessions(client, target, () => false)
      yield* sessions.keepReady(true)
      // Still being opened: nothing was read from the server since.
      const waiting = yield* Effect.forkChild(output(sessions, "never"), { startImmediately: true })
      yield* Fiber.interrupt(waiting)
      yield* until(() => seen.opened === 1)
      assert.strictEqual(yield* output(sessions, "a"), "a:")
      assert.strictEqual(seen.execs, 1)
    })
  )
})

describe("a signal after the end of stdin", () => {
  it.live("reaches the server, where the library's own does nothing", () =>
    Effect.gen(function* () {
      const received: Array<string> = []
      let finish = () => {}
      const server = yield* startServer({
        // The library's server ignores requests after the end of stdin, as its client does not send them.
        debug: (line) => {
          const signal = /Inbound: .*CHANNEL_REQUEST \(r:0, signal: (\w+)/.exec(line)?.[1]
          if (signal !== undefined) received.push(signal)
          if (signal === "TERM") finish()
        },
        session: (session) => {
          session.on("exec", (accept) => {
            const stream = accept()
            stream.resume()
            finish = () => {
              stream.exit(0)
              stream.end()
            }
          })
        }
      })
      const client = yield* startClient(server)
      const channel = yield* run(yield* session(client), "command")
      channel.resume()
      channel.stderr.resume()
      yield* until(() => Reflect.get(Reflect.get(channel, "outgoing") as object, "state") === "eof")
      channel.signal("HUP")
      assert.isTrue(signalAfterEnd(channel, "TERM"))
      assert.isFalse(signalAfterEnd(channel, "TERM; reboot"))
      yield* next(channel, "close")
      assert.deepStrictEqual(received, ["TERM"])
      assert.isFalse(signalAfterEnd(channel, "TERM"))
    })
  )
})
