import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Latch, Stream } from "effect"
import { createHash, KeyObject, randomBytes } from "node:crypto"
import type { Socket } from "node:net"
import { PassThrough } from "node:stream"
import ssh2 from "ssh2"
import type { CipherAlgorithm, ClientChannel, MacAlgorithm, Session } from "ssh2"
import { corkWrites, keyObjects } from "../../../src/ssh/ssh2/Ssh2Packets.ts"
import { Transport } from "../../../src/ssh/Transport.ts"
import { loopbackHostKey, type ServerConnection, startClient, startServer } from "../../support/LoopbackSsh.ts"
import { knownTarget, transportLayer } from "../../support/SshFixtures.ts"
import { socketOf, watchClients } from "./WatchedClients.ts"

const MIB = 1024 * 1024
interface Algorithms {
  readonly cipher: CipherAlgorithm
  readonly mac?: MacAlgorithm
}

const exec = (client: ssh2.Client) =>
  Effect.callback<ClientChannel, Error>((resume) => {
    client.exec("command", (error, channel) =>
      resume(error instanceof Error ? Effect.fail(error) : Effect.succeed(channel))
    )
  })

const turn = Effect.callback<void>((resume) => {
  setImmediate(() => resume(Effect.void))
})

/** Counts what a socket hands to the system. */
const systemWrites = (socket: Socket) => {
  const seen = { count: 0 }
  for (const name of ["_write", "_writev"] as const) {
    const original = Reflect.get(socket, name) as (...args: ReadonlyArray<unknown>) => void
    Object.assign(socket, {
      [name]: (...args: ReadonlyArray<unknown>) => {
        seen.count++
        original.apply(socket, [...args])
      }
    })
  }
  return seen
}

/** Counts the packets that a client encrypts to send. */
const encryptedPackets = (client: ssh2.Client) => {
  const seen = { count: 0 }
  const { _cipher } = Reflect.get(client, "_protocol") as {
    readonly _cipher: { encrypt: (packet: Uint8Array) => void }
  }
  const encrypt = _cipher.encrypt.bind(_cipher)
  _cipher.encrypt = (packet) => {
    seen.count++
    encrypt(packet)
  }
  return seen
}

/** The keys that the two ciphers of a connection hold, as "KeyObject" or as what else they are. */
const heldKeys = (client: ssh2.Client): ReadonlyArray<string> => {
  const protocol = Reflect.get(client, "_protocol") as Record<"_cipher" | "_decipher", Record<string, unknown>>
  return [protocol._cipher, protocol._decipher].flatMap((cipher) =>
    Object.entries(cipher)
      .filter(([name]) => /Key/.test(name))
      .map(([name, key]) => `${name}: ${key instanceof KeyObject ? "KeyObject" : typeof key}`)
  )
}

/** Sends its stdin back, and exchanges keys with every megabyte of it. */
const echoWithRekeys = (rekeys: { count: number }) => (session: Session, connection: ServerConnection) => {
  connection.on("rekey", () => rekeys.count++)
  session.on("exec", (accept) => {
    const stream = accept()
    let next = MIB
    let bytes = 0
    stream.on("data", (data: Buffer) => {
      bytes += data.length
      if (bytes >= next) {
        next += MIB
        connection.rekey()
      }
      stream.write(data)
    })
    stream.on("end", () => {
      stream.exit(0)
      stream.end()
    })
  })
}

/** Sends 8 MiB through such an echo in writes of uneven size, and compares. */
const echoes = (client: ssh2.Client) =>
  Effect.gen(function* () {
    const channel = yield* exec(client)
    const sent = randomBytes(8 * MIB)
    const hash = createHash("sha256")
    const back = { bytes: 0 }
    channel.on("data", (data: Buffer) => {
      back.bytes += data.length
      hash.update(data)
    })
    channel.stderr.resume()
    const closed = Effect.callback<unknown>((resume) => {
      channel.once("close", (code: unknown) => resume(Effect.succeed(code)))
    })
    const sizes = [1, 100, 4096, 32_768, 70_001]
    let at = 0
    for (let turns = 0; at < sent.length; turns++) {
      const size = sizes[turns % sizes.length] ?? 1
      channel.write(sent.subarray(at, at + size))
      at += size
    }
    channel.end()
    assert.strictEqual(yield* closed, 0)
    assert.strictEqual(back.bytes, sent.length)
    assert.strictEqual(hash.digest("hex"), createHash("sha256").update(sent).digest("hex"))
  })

const CIPHERS: ReadonlyArray<readonly [algorithms: Algorithms, keys: ReadonlyArray<string>]> = [
  [{ cipher: "aes128-gcm@openssh.com" }, ["_encKey", "_decipherKey"]],
  [{ cipher: "aes256-gcm@openssh.com" }, ["_encKey", "_decipherKey"]],
  [{ cipher: "chacha20-poly1305@openssh.com" }, ["_encKeyMain", "_encKeyPktLen", "_decKeyMain", "_decKeyPktLen"]],
  [{ cipher: "aes256-ctr", mac: "hmac-sha2-256-etm@openssh.com" }, ["_macKey", "_macKey"]],
  [{ cipher: "aes128-ctr", mac: "hmac-sha2-512" }, ["_macKey", "_macKey"]]
]

describe("keys as objects", () => {
  for (const [algorithms, names] of CIPHERS) {
    const name = [algorithms.cipher, algorithms.mac].filter((part) => part !== undefined).join(" ")
    it.live(`of ${name} are made after every key exchange, and the bytes of both directions stay the same`, () =>
      Effect.gen(function* () {
        const rekeys = { count: 0 }
        const server = yield* startServer({ session: echoWithRekeys(rekeys) })
        const held: Array<ReadonlyArray<string>> = []
        const prepare = (client: ssh2.Client) => {
          assert.isTrue(keyObjects(client))
          assert.isTrue(corkWrites(client))
          client.on("handshake", () => held.push(heldKeys(client)))
        }
        yield* echoes(yield* startClient(server, { prepare, ...algorithms }))
        assert.isAtLeast(rekeys.count, 4)
        assert.strictEqual(held.length, rekeys.count + 1)
        for (const keys of held) {
          assert.deepStrictEqual(
            keys,
            names.map((name) => `${name}: KeyObject`)
          )
        }
      })
    )
  }

  it("are not made without a connection, nor where the internals look otherwise", () => {
    assert.isFalse(keyObjects(new ssh2.Client()))
    assert.isFalse(keyObjects(Object.assign(new ssh2.Client(), { _protocol: { _cipher: {} } })))
    const later = Object.assign(new ssh2.Client(), { _protocol: { _cipher: { encrypt: () => {}, _encKey: "text" } } })
    assert.isTrue(keyObjects(later))
    later.emit("handshake", {})
    assert.strictEqual(later._protocol._cipher._encKey, "text")
  })
})

describe("corked writes", () => {
  it.live("hand the packets of one tick to the system together, and hold none beyond it", () =>
    Effect.gen(function* () {
      const server = yield* startServer()
      const taken = Effect.fnUntraced(function* (prepare: (client: ssh2.Client) => void) {
        const client = yield* startClient(server, { prepare })
        const socket = socketOf(client)
        yield* turn
        const writes = systemWrites(socket)
        for (let at = 0; at < 3; at++) client.exec("command", () => {})
        const held = [socket.writableCorked, writes.count]
        // What comes with the answers is not counted: reading needs another turn of the event loop.
        yield* Effect.promise(() => new Promise<void>((done) => process.nextTick(done)))
        return [...held, socket.writableCorked, writes.count]
      })
      assert.deepStrictEqual(yield* taken(corkWrites), [1, 0, 0, 1])
      assert.deepStrictEqual(yield* taken(() => {}), [0, 9, 0, 9])
    })
  )

  it.live("go out at once from 64 KiB on", () =>
    Effect.gen(function* () {
      const server = yield* startServer({
        session: (session) => {
          session.on("exec", (accept) => accept().resume())
        }
      })
      const client = yield* startClient(server, { prepare: corkWrites })
      const channel = yield* exec(client)
      yield* turn
      const writes = systemWrites(socketOf(client))
      channel.write(Buffer.alloc(60 * 1024))
      assert.strictEqual(writes.count, 0)
      channel.write(Buffer.alloc(60 * 1024))
      assert.strictEqual(writes.count, 1)
    })
  )

  for (const how of ["end", "destroy"] as const) {
    it.live(`of a socket that is left by ${how} in the same tick arrive before`, () =>
      Effect.gen(function* () {
        const expected = how === "end" ? ["CHANNEL_OPEN", "DISCONNECT"] : ["CHANNEL_OPEN"]
        const seen: Array<string> = []
        const arrived = yield* Latch.make()
        const server = yield* startServer({
          debug: (line) => {
            const packet = /Inbound: .*(CHANNEL_OPEN|DISCONNECT)/.exec(line)?.[1]
            if (packet === undefined) return
            seen.push(packet)
            if (seen.length === expected.length) arrived.openUnsafe()
          }
        })
        const client = yield* startClient(server, { prepare: corkWrites })
        yield* turn
        const errors: Array<unknown> = []
        socketOf(client).on("error", (error) => errors.push(error))
        const closed = Effect.callback<void>((resume) => {
          client.once("close", () => resume(Effect.void))
        })
        client.exec("command", () => {})
        client[how]()
        yield* closed
        yield* arrived.await
        assert.deepStrictEqual(seen, expected)
        yield* turn
        assert.deepStrictEqual(errors, [])
      })
    )
  }

  it("are for sockets: not for a client without one, nor for a stream in its place", () => {
    assert.isFalse(corkWrites(new ssh2.Client()))
    const stream = new PassThrough()
    const client = new ssh2.Client()
    client.on("error", () => {})
    client.connect({ sock: stream, username: "u", readyTimeout: 0 })
    assert.isFalse(corkWrites(client))
    assert.isFalse(Object.hasOwn(stream, "write"))
    client.destroy()
  })
})

describe("a connection of the transport", () => {
  it.live("has its keys as objects, and needs no more writes than it sends packets", () =>
    Effect.gen(function* () {
      const clients = yield* watchClients
      const server = yield* startServer({
        session: (session) => {
          session.on("exec", (accept) => {
            const stream = accept()
            stream.exit(0)
            stream.end()
          })
        }
      })
      const { port } = server.address() as { readonly port: number }
      const transport = yield* Transport
      const connection = yield* transport.connect(yield* knownTarget(port, loopbackHostKey), Duration.seconds(10))
      const [client] = clients
      if (client === undefined) return assert.fail("no client of the library connected")
      const keys = heldKeys(client)
      assert.isAbove(keys.length, 1)
      for (const key of keys) assert.match(key, /: KeyObject$/)

      const writes = systemWrites(socketOf(client))
      const packets = encryptedPackets(client)
      for (let command = 1; command <= 5; command++) {
        yield* Effect.scoped(
          Effect.gen(function* () {
            const channel = yield* connection.exec("command")
            yield* Stream.runDrain(channel.output)
            assert.deepStrictEqual(yield* channel.exit, { _tag: "Exited", code: 0 })
            yield* channel.closed
          })
        )
        assert.isAtLeast(packets.count, 2 * command)
        assert.isAtMost(writes.count, packets.count)
      }
    }).pipe(Effect.provide(transportLayer))
  )
})
