import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { mkdtempSync, rmSync } from "node:fs"
import { createServer, type Server, type Socket } from "node:net"
import { tmpdir } from "node:os"
import ssh2 from "ssh2"
import { wireString } from "../../../src/config/SshWire.ts"
import { agentAttempts, chooseKeys } from "../../../src/ssh/auth/AgentAuth.ts"
import { certificateBytes, newEd25519 } from "../../support/Certificate.ts"

/** A letter is a key; a capital letter is the certificate of that key. */
const key = (name: string) => ({ name, publicKey: wire(name.toLowerCase()), certificate: name !== name.toLowerCase() })
const wire = (name: string) => new Uint8Array(Buffer.from(name))

describe("the keys of an agent that are offered", () => {
  const rows: ReadonlyArray<
    readonly [
      name: string,
      listed: string,
      preferred: string | undefined,
      tried: ReadonlyArray<string>,
      limit: number,
      chosen: string
    ]
  > = [
    ["are the first five, in its order", "abcdefg", undefined, [], 5, "abcde"],
    ["begin with the preferred one", "abcdefg", "g", [], 5, "gabcd"],
    ["are not changed by a preferred one that it does not have", "abcdefg", "x", [], 5, "abcde"],
    ["are without those that are tried anyway", "abcdefg", "a", ["a", "c"], 5, "bdefg"],
    ["leave room for the other keys", "abcdefg", undefined, [], 3, "abc"],
    ["are certificates first", "abBcC", undefined, [], 5, "BCabc"],
    ["begin with the preferred one's certificate", "aAbBcC", "b", [], 5, "BbACa"],
    ["include the certificate of a key that is tried anyway", "aAb", undefined, ["a"], 5, "Ab"]
  ]
  for (const [name, listed, preferred, tried, limit, chosen] of rows) {
    it(name, () => {
      const found = chooseKeys(listed.split("").map(key), {
        limit,
        preferred: preferred === undefined ? undefined : wire(preferred),
        tried: tried.map(wire)
      })
      assert.strictEqual(found.map((each) => each.name).join(""), chosen)
    })
  }
})

/** Something that listens on a socket as an agent does; `open` counts the connections to it. */
const listener = (onSocket: (socket: Socket) => void) =>
  Effect.acquireRelease(
    Effect.callback<{ readonly path: string; readonly server: Server; readonly open: Set<Socket> }>((resume) => {
      const directory = mkdtempSync(`${tmpdir()}/agent-`)
      const open = new Set<Socket>()
      const server = createServer((socket) => {
        open.add(socket)
        socket.on("error", () => {}).on("close", () => open.delete(socket))
        onSocket(socket)
      })
      server.listen(`${directory}/socket`, () => resume(Effect.succeed({ path: `${directory}/socket`, server, open })))
    }),
    ({ open, path, server }) =>
      Effect.sync(() => {
        for (const socket of open) socket.destroy()
        server.close()
        rmSync(path.replace(/\/socket$/, ""), { recursive: true, force: true })
      })
  )

const attempt = (socket: string | undefined) =>
  agentAttempts(ssh2, { alias: "web1", socket, username: "u" }, { limit: 5, preferred: undefined, tried: [] })

const failure = (socket: string | undefined) => Effect.flip(Effect.scoped(attempt(socket)))

/** SSH_AGENT_IDENTITIES_ANSWER with these keys. */
const listing = (blobs: ReadonlyArray<Uint8Array>): Buffer => {
  const count = Buffer.alloc(4)
  count.writeUInt32BE(blobs.length)
  return Buffer.from(
    wireString(
      Buffer.concat([Buffer.from([12]), count, ...blobs.flatMap((blob) => [wireString(blob), wireString("comment")])])
    )
  )
}

/** SSH_AGENT_IDENTITIES_ANSWER with no key (draft-ietf-sshm-ssh-agent §4.4). */
const NO_KEYS = Buffer.from([0, 0, 0, 5, 12, 0, 0, 0, 0])

describe("an agent", () => {
  it.effect("that our environment does not name is unavailable, and the text says how to name it", () =>
    Effect.gen(function* () {
      const error = yield* failure(undefined)
      assert.strictEqual(error.failure, "AgentUnavailable")
      assert.match(error.message, /SSH_AUTH_SOCK.*`env`/)
      assert.include(error.detail, "not set")
    })
  )
  it.effect("whose socket is missing is unavailable, and the text does not show the path", () =>
    Effect.gen(function* () {
      const error = yield* failure("/nonexistent/agent.sock")
      assert.strictEqual(error.failure, "AgentUnavailable")
      assert.notInclude(error.message, "nonexistent")
    })
  )
  it.effect("that hangs up, or talks nonsense, is unavailable", () =>
    Effect.gen(function* () {
      for (const answer of ["", "HTTP/1.1 400 Bad Request\r\n\r\n", "\0\0\0\u0001\u0005"]) {
        const { path } = yield* listener((socket) => socket.end(answer))
        assert.strictEqual((yield* failure(path)).failure, "AgentUnavailable", answer)
      }
    })
  )
  it.effect("without a key says so", () =>
    Effect.gen(function* () {
      const { path } = yield* listener((socket) => socket.once("data", () => socket.write(NO_KEYS)))
      const error = yield* failure(path)
      assert.strictEqual(error.failure, "AgentEmpty")
      assert.include(error.message, "ssh-add")
    })
  )
  it.effect("that holds only what cannot be offered says why", () =>
    Effect.gen(function* () {
      const fido = Buffer.concat([wireString("sk-ssh-ed25519@openssh.com"), wireString("point"), wireString("ssh:")])
      const rows: ReadonlyArray<readonly [failure: string, blobs: ReadonlyArray<Uint8Array>]> = [
        ["AgentEmpty", [fido]],
        ["CertificateExpired", [fido, certificateBytes({ validBefore: 1n })]],
        ["CertificateInvalid", [certificateBytes({ kind: 2 })]],
        ["CertificateInvalid", [certificateBytes({ criticalOptions: [["force-command", "true"]] })]]
      ]
      yield* TestClock.setTime(1_700_000_000_000)
      for (const [expected, blobs] of rows) {
        const { path } = yield* listener((socket) => socket.once("data", () => socket.write(listing(blobs))))
        assert.strictEqual((yield* failure(path)).failure, expected)
      }
    })
  )
  it.effect("offers its certificates and keys, and says what it left out", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(1_700_000_000_000)
      const { point, wire } = newEd25519()
      const blobs = [wire, certificateBytes({ key: [point] }), certificateBytes({ validBefore: 1n })]
      const { path } = yield* listener((socket) => socket.once("data", () => socket.write(listing(blobs))))
      const { attempts, leftOut, unusable } = yield* Effect.scoped(attempt(path))
      assert.deepStrictEqual(
        attempts.map(({ label }) => label),
        ["agent's certificate", "agent's key"]
      )
      assert.strictEqual(leftOut, 0)
      assert.deepStrictEqual(
        unusable.map(({ failure }) => failure),
        ["CertificateExpired"]
      )
    })
  )
  it.effect("that does not answer is given up after three seconds, and its connection is closed", () =>
    Effect.gen(function* () {
      const asked = Promise.withResolvers<void>()
      const closed = Promise.withResolvers<void>()
      const { path } = yield* listener((socket) =>
        socket.once("data", () => asked.resolve()).once("close", () => closed.resolve())
      )
      const waiting = yield* Effect.forkChild(failure(path), { startImmediately: true })
      yield* Effect.promise(() => asked.promise)
      yield* TestClock.adjust("2999 millis")
      assert.isUndefined(waiting.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      const error = yield* Fiber.join(waiting)
      assert.strictEqual(error.failure, "AgentUnavailable")
      assert.include(error.detail, "in time")
      yield* Effect.promise(() => closed.promise)
    })
  )
})
