import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Result, Schema, Scope, Stream } from "effect"
import { createPrivateKey, createPublicKey, generateKeyPairSync, sign, verify } from "node:crypto"
import { createRequire } from "node:module"
import ssh2 from "ssh2"
import type { AnyAuthMethod, AuthContext, ClientChannel, ParsedKey, Session } from "ssh2"
import { makeSessions } from "../../src/ssh/Ssh2Channel.ts"
import {
  certifiedKey,
  ecdsaSignature,
  largeWindow,
  openSession,
  type PreopenedSession,
  signalAfterEnd,
  signFirst
} from "../../src/ssh/Ssh2Patches.ts"
import { Target } from "../../src/ssh/Target.ts"

const MIB = 1024 * 1024

const parse = (pem: string): ParsedKey => {
  const key = ssh2.utils.parseKey(pem)
  if (key instanceof Error) throw key
  return Array.isArray(key) ? key[0]! : key
}
const keys = {
  ed25519: parse(ssh2.utils.generateKeyPairSync("ed25519").private),
  rsa: parse(ssh2.utils.generateKeyPairSync("rsa", { bits: 2048 }).private),
  ecdsa: parse(ssh2.utils.generateKeyPairSync("ecdsa", { bits: 384 }).private)
}
const hostKey = ssh2.utils.generateKeyPairSync("ed25519").private

/** What has no type or no public way in the library's server: closing a session that runs nothing. */
interface ServerInternals {
  readonly setNoDelay: (noDelay: boolean) => void
  readonly _protocol: { readonly channelClose: (id: number) => void }
}

/** What a server of a test does; without anything, it accepts every login and every session. */
interface ServerScript {
  readonly authenticate?: (context: AuthContext) => void
  readonly session?: (session: Session, connection: ServerInternals) => void
  readonly debug?: (line: string) => void
  /** Sessions that it opens before it refuses. */
  readonly maxSessions?: number
}

/** The library's own server on loopback. */
const startServer = (script: ServerScript) =>
  Effect.acquireRelease(
    Effect.callback<ssh2.Server>((resume) => {
      const config = { hostKeys: [hostKey], ...(script.debug === undefined ? {} : { debug: script.debug }) }
      const server = new ssh2.Server(config, (connection) => {
        const internals = connection as unknown as ServerInternals
        let open = 0
        connection.on("error", () => {})
        internals.setNoDelay(true)
        connection.on("authentication", (context) => {
          if (script.authenticate === undefined) context.accept()
          else script.authenticate(context)
        })
        connection.on("session", (accept, reject) => {
          if (open >= (script.maxSessions ?? Infinity)) return reject()
          open++
          const session = accept()
          session.on("close", () => open--)
          script.session?.(session, internals)
        })
      })
      server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
    }),
    (server) => Effect.sync(() => server.close())
  )

/** A client of that server, authenticated with `methods`; `prepare` sees it right after `connect`. */
const startClient = (
  server: ssh2.Server,
  options: { readonly methods?: ReadonlyArray<AnyAuthMethod>; readonly prepare?: (client: ssh2.Client) => void } = {}
) =>
  Effect.acquireRelease(
    Effect.callback<ssh2.Client, Error>((resume) => {
      const client = new ssh2.Client()
      const methods = [...(options.methods ?? [{ type: "none", username: "u" } as const])]
      client.on("error", (error) => resume(Effect.fail(error)))
      client.on("connect", () => client.setNoDelay(true))
      client.on("ready", () => resume(Effect.succeed(client)))
      client.connect({
        host: "127.0.0.1",
        port: (server.address() as { readonly port: number }).port,
        username: "u",
        hostVerifier: () => true,
        authHandler: (_left, _partial, next) => {
          ;(next as (method: AnyAuthMethod | false) => void)(methods.shift() ?? false)
        }
      })
      options.prepare?.(client)
    }),
    (client) => Effect.sync(() => client.destroy())
  )

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

/** Asks every 5 ms, for facts that no event tells. */
const until = (check: () => boolean): Effect.Effect<void> =>
  Effect.suspend(() => (check() ? Effect.void : Effect.andThen(Effect.sleep("5 millis"), until(check))))

const wire = (value: string): Buffer => {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(value.length)
  return Buffer.concat([length, Buffer.from(value)])
}

const target = new Target({
  alias: "test",
  hostname: "h",
  address: "127.0.0.1",
  port: 1,
  login: { username: "u", digest: "" },
  hostKeys: { paths: [], digest: "" }
})

it("the patches are for the version of ssh2 that is installed", () => {
  const require = createRequire(import.meta.url)
  assert.strictEqual((require("ssh2/package.json") as { readonly version: string }).version, "1.17.0")
})

describe("sign-first", () => {
  for (const [type, key] of Object.entries(keys)) {
    it.live(`sends a valid signature of a key of type ${type} with the first request`, () =>
      Effect.gen(function* () {
        const seen: Array<string> = []
        const server = yield* startServer({
          authenticate: (context) => {
            if (context.method !== "publickey") return context.reject()
            seen.push(context.signature === undefined ? "asked" : "signed")
            const { blob, hashAlgo, signature } = context
            if (signature === undefined || blob === undefined) return context.accept()
            return key.verify(blob, signature, hashAlgo) ? context.accept() : context.reject()
          }
        })
        const methods = [{ type: "publickey", username: "u", key } as const]
        yield* startClient(server, { methods })
        assert.deepStrictEqual(seen.splice(0), ["asked", "signed"])
        yield* startClient(server, { methods, prepare: (client) => assert.isTrue(signFirst(client)) })
        assert.deepStrictEqual(seen, ["signed"])
      })
    )
  }

  it.live("goes on to the next method when the key is refused", () =>
    Effect.gen(function* () {
      const seen: Array<string> = []
      const server = yield* startServer({
        authenticate: (context) => {
          seen.push(context.method)
          if (context.method === "password") context.accept()
          else context.reject(["publickey", "password"])
        }
      })
      yield* startClient(server, {
        methods: [
          { type: "publickey", username: "u", key: keys.rsa },
          { type: "publickey", username: "u", key: keys.ed25519 },
          { type: "password", username: "u", password: "p" }
        ],
        prepare: signFirst
      })
      assert.deepStrictEqual(seen, ["publickey", "publickey", "password"])
    })
  )

  it.live("leaves the report of a key that cannot sign to the library", () =>
    Effect.gen(function* () {
      const server = yield* startServer({
        authenticate: (context) => (context.method === "publickey" ? context.accept() : context.reject())
      })
      const broken = Object.create(keys.ed25519, { sign: { value: () => new Error("smart card gone") } }) as ParsedKey
      const methods = [{ type: "publickey", username: "u", key: broken } as const]
      const error = yield* Effect.flip(startClient(server, { methods, prepare: signFirst }))
      assert.include(error.message, "smart card gone")
    })
  )

  it("says no to a client that has no connection, and to internals that look otherwise", () => {
    assert.isFalse(signFirst(new ssh2.Client()))
    const other = Object.assign(new ssh2.Client(), { _protocol: { authPK: () => {}, _authsQueue: {} } })
    assert.isFalse(signFirst(other))
  })
})

describe("a certified key", () => {
  it.live("is sent as the certificate, signed with the plain algorithm of its key", () =>
    Effect.gen(function* () {
      const expected = [
        ["ssh-ed25519-cert-v01@openssh.com", "ssh-ed25519"],
        ["rsa-sha2-512-cert-v01@openssh.com", "rsa-sha2-512"],
        ["ecdsa-sha2-nistp384-cert-v01@openssh.com", "ecdsa-sha2-nistp384"]
      ]
      for (const [at, key] of [keys.ed25519, keys.rsa, keys.ecdsa].entries()) {
        const type = `${key.type}-cert-v01@openssh.com`
        const certificate = Buffer.concat([wire(type), Buffer.from("the rest")])
        const seen: Array<unknown> = []
        const server = yield* startServer({
          authenticate: (context) => {
            if (context.method !== "publickey") return context.reject()
            const { blob, signature } = context
            const name = signature?.subarray(4, 4 + (signature.readUInt32BE(0) ?? 0)).toString() ?? ""
            const raw = signature?.subarray(4 + name.length + 4)
            // The DER that `verify` wants of ECDSA is the test of the conversion below.
            const hash = key.type === "ssh-rsa" ? "sha512" : undefined
            const valid = key.type.startsWith("ecdsa-") || (blob && raw && key.verify(blob, raw, hash))
            seen.push([context.key.algo, name, valid], context.key.data.equals(certificate))
            return context.accept()
          }
        })
        const certified = Result.getOrThrow(certifiedKey(key, certificate))
        const methods = [{ type: "publickey", username: "u", key: certified } as const]
        yield* startClient(server, { methods, prepare: signFirst })
        assert.deepStrictEqual(seen, [[...expected[at]!, true], true])
      }
    })
  )

  it("is refused for what is no certificate of that type of key, and for a public key", () => {
    const type = "ssh-ed25519-cert-v01@openssh.com"
    const failure = (key: ParsedKey, certificate: Uint8Array) =>
      Result.match(certifiedKey(key, certificate), { onFailure: (text) => text, onSuccess: () => "usable" })
    assert.strictEqual(failure(keys.ed25519, wire(type)), "usable")
    assert.include(failure(keys.rsa, wire(type)), "not a certificate for a key of type ssh-rsa")
    for (const bytes of [Buffer.alloc(0), Buffer.alloc(3), Buffer.from([255, 255, 255, 255]), wire("ssh-ed25519")]) {
      assert.include(failure(keys.ed25519, bytes), "not a certificate")
    }
    const line = `ssh-ed25519 ${keys.ed25519.getPublicSSH().toString("base64")}`
    assert.strictEqual(failure(parse(line), wire(type)), "not a private key")
  })

  it.prop(
    "signs with ECDSA in the form of RFC 5656, which holds the numbers of the DER",
    { data: Schema.String, curve: Schema.Literals(["P-256", "P-384", "P-521"]) },
    ({ curve, data }) => {
      const { privateKey } = generateKeyPairSync("ec", { namedCurve: curve })
      const key = createPrivateKey(privateKey.export({ type: "pkcs8", format: "pem" }))
      const signature = ecdsaSignature(sign("sha256", Buffer.from(data), key))
      assert.isDefined(signature)
      const rLength = signature.readUInt32BE(0)
      const numbers = [signature.subarray(4, 4 + rLength), signature.subarray(8 + rLength)]
      assert.strictEqual(signature.readUInt32BE(4 + rLength), numbers[1]?.length)
      const size = { "P-256": 32, "P-384": 48, "P-521": 66 }[curve]
      const fixed = numbers.map((number) =>
        Buffer.from(
          number
            .toString("hex")
            .padStart(2 * size, "0")
            .slice(-2 * size),
          "hex"
        )
      )
      const publicKey = { key: createPublicKey(key), dsaEncoding: "ieee-p1363" as const }
      assert.isTrue(verify("sha256", Buffer.from(data), publicKey, Buffer.concat(fixed)))
    },
    { arbitrary: { runs: 30 } }
  )

  it("has no ECDSA signature from what is no DER", () => {
    for (const hex of ["", "30", "3006", "30060201", "300602010102", "3106020101020101", "30820006020101020101"]) {
      assert.isUndefined(ecdsaSignature(Buffer.from(hex, "hex")), hex)
    }
    assert.strictEqual(ecdsaSignature(Buffer.from("3006020101020102", "hex"))?.toString("hex"), "00000001010000000102")
  })
})

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

describe("the window of a channel", () => {
  /** Sends up to `total`, and tells how much left. */
  const flood = (total: number, sent: { bytes: number }) => (session: Session) => {
    session.on("exec", (accept) => {
      const stream = accept()
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
      }
      more()
    })
  }
  /** The count after it has not changed for 100 ms. */
  const settled = (sent: { readonly bytes: number }) =>
    Effect.gen(function* () {
      let before = -1
      while (before !== sent.bytes) {
        before = sent.bytes
        yield* Effect.sleep("100 millis")
      }
      return before
    })

  it.live("lets 2 MiB through when nothing is read, and never more than 8 MiB beyond what was", () =>
    Effect.gen(function* () {
      const sent = { bytes: 0 }
      const client = yield* startClient(yield* startServer({ session: flood(64 * MIB, sent) }))
      const sessions = makeSessions(client, target, () => false)
      const scope = yield* Scope.make()
      const channel = yield* Scope.provide(sessions.exec("flood"), scope)
      assert.strictEqual(yield* settled(sent), 2 * MIB)
      const read = { bytes: 0 }
      yield* Stream.runForEach(channel.output, ({ bytes }) => {
        read.bytes += bytes.length
        // Twice the reader stops; what the host sent by then was bounded.
        const stops = [1, 20].some((at) => read.bytes >= at * MIB && read.bytes - bytes.length < at * MIB)
        return stops
          ? Effect.map(settled(sent), (now) => {
              assert.isAtMost(now, read.bytes + 256 * 1024 + 8 * MIB)
              assert.isAtLeast(now, read.bytes + 6 * MIB)
            })
          : Effect.void
      })
      assert.strictEqual(read.bytes, 64 * MIB)
      assert.deepStrictEqual(yield* channel.exit, { _tag: "Exited", code: 0 })
      yield* Scope.close(scope, Exit.void)
    })
  )

  it.live("stays the library's own, with the same bytes, where the internals are otherwise", () =>
    Effect.gen(function* () {
      const sent = { bytes: 0 }
      const client = yield* startClient(yield* startServer({ session: flood(16 * MIB, sent) }))
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
      assert.isAtMost(yield* settled(sent), 3 * MIB)
      const read = yield* Stream.runFold(
        channel.output,
        () => 0,
        (bytes, chunk) => bytes + chunk.bytes.length
      )
      assert.strictEqual(read, 16 * MIB)
      assert.deepStrictEqual(yield* channel.exit, { _tag: "Exited", code: 0 })
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
