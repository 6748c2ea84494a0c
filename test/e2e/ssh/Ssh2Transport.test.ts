import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Exit, Fiber, Scope, Stream } from "effect"
import { execFileSync } from "node:child_process"
import { readFileSync, rmSync, writeFileSync } from "node:fs"
import { createServer } from "node:net"
import type { Server as TcpServer, Socket } from "node:net"
import ssh2 from "ssh2"
import { ConnectionPool } from "../../../src/ssh/pool/ConnectionPool.ts"
import type { SshFailure } from "../../../src/ssh/errors.ts"
import { Target } from "../../../src/ssh/Target.ts"
import { Transport } from "../../../src/ssh/Transport.ts"
import { eventually, login, poolLayer, runCommand, targetOf, transportLayer } from "../../support/SshFixtures.ts"
import * as Sshd from "../../support/Sshd.ts"

/** Connects, and gives the failure's name or "connected". */
const attempt = (target: Target, budget: Duration.Input = "10 seconds") =>
  Effect.gen(function* () {
    const transport = yield* Transport
    return yield* Effect.scoped(transport.connect(target, Duration.fromInputUnsafe(budget))).pipe(
      Effect.as("connected" as const),
      Effect.catch((error): Effect.Effect<SshFailure> => Effect.succeed(error.failure))
    )
  }).pipe(Effect.provide(transportLayer))

/** A TCP server on loopback that does with each socket what it is told. */
const tcpServer = (onSocket: (socket: Socket) => void) =>
  Effect.acquireRelease(
    Effect.callback<TcpServer>((resume) => {
      const sockets = new Set<Socket>()
      const server = createServer((socket) => {
        sockets.add(socket)
        socket.on("error", () => {})
        onSocket(socket)
      })
      server.on("close", () => sockets.forEach((socket) => socket.destroy()))
      server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
    }),
    (server) => Effect.sync(() => server.close())
  )

const portOf = (server: { readonly address: () => unknown }): number =>
  (server.address() as { readonly port: number }).port

describe("authentication", () => {
  for (const type of ["ed25519", "ecdsa", "rsa"] as const) {
    it.live(`succeeds with a key of type ${type}, plain and encrypted`, () =>
      Effect.gen(function* () {
        const sshd = yield* Sshd.start()
        const plain = yield* sshd.makeKey("plain", { type })
        const locked = yield* sshd.makeKey("locked", { type, passphrase: "open sesame" })
        yield* sshd.authorize(plain.publicKey)
        yield* sshd.authorize(locked.publicKey)
        const connect = (pem: string, passphrase?: string) =>
          Effect.flatMap(
            targetOf(sshd, {
              login: login({ username: sshd.user, pem, ...(passphrase === undefined ? {} : { passphrase }) })
            }),
            attempt
          )
        assert.strictEqual(yield* connect(plain.pem), "connected")
        assert.strictEqual(yield* connect(locked.pem, "open sesame"), "connected")
        assert.strictEqual(yield* connect(locked.pem, "wrong"), "KeyPassphraseRequired")
        assert.strictEqual(yield* connect(locked.pem), "KeyPassphraseRequired")
      })
    )
  }

  it.live("reads PEM keys, and names the failure of one that cannot be used", () =>
    Effect.gen(function* () {
      const sshd = yield* Sshd.start()
      const pem = yield* sshd.makeKey("pem", { type: "rsa", pem: true })
      const lockedPem = yield* sshd.makeKey("locked-pem", { type: "rsa", pem: true, passphrase: "open sesame" })
      yield* sshd.authorize(pem.publicKey)
      yield* sshd.authorize(lockedPem.publicKey)
      const stranger = yield* sshd.makeKey("stranger")
      const connect = (parts: Omit<Parameters<typeof login>[0], "username">) =>
        Effect.flatMap(targetOf(sshd, { login: login({ username: sshd.user, ...parts }) }), attempt)
      assert.strictEqual(yield* connect({ pem: pem.pem }), "connected")
      assert.strictEqual(yield* connect({ pem: lockedPem.pem, passphrase: "open sesame" }), "connected")
      assert.strictEqual(yield* connect({ pem: lockedPem.pem, passphrase: "wrong" }), "KeyPassphraseRequired")
      assert.strictEqual(yield* connect({ pem: lockedPem.pem }), "KeyPassphraseRequired")
      assert.strictEqual(yield* connect({ pem: stranger.pem }), "AuthenticationFailed")
      assert.strictEqual(yield* connect({ pem: "not a key" }), "KeyFormatInvalid")
      assert.strictEqual(yield* connect({ pem: pem.publicKey }), "KeyFormatInvalid")
      assert.strictEqual(yield* connect({}), "NoAuthenticationMethod")
    })
  )

  it.live("falls back from the key to the password, and to keyboard-interactive answered by it", () =>
    Effect.gen(function* () {
      const sshd = yield* Sshd.start()
      const hostKey = readFileSync(`${sshd.directory}/host_ed25519`)
      for (const accepted of ["password", "keyboard-interactive", "both required", "none"]) {
        const seen: Array<string> = []
        let passedPassword = false
        const server = yield* Effect.acquireRelease(
          Effect.callback<ssh2.Server>((resume) => {
            const created = new ssh2.Server({ hostKeys: [hostKey] }, (client) => {
              client.on("error", () => {})
              client.on("authentication", (context) => {
                seen.push(context.method)
                const left: Array<ssh2.AuthenticationType> = ["publickey", "password", "keyboard-interactive"]
                if (context.method === "password" && context.password === "hunter2" && accepted !== "none") {
                  if (accepted === "password") return context.accept()
                  if (accepted === "both required") {
                    passedPassword = true
                    return context.reject(["keyboard-interactive"], true)
                  }
                }
                if (context.method === "keyboard-interactive") {
                  return context.prompt(
                    [
                      { prompt: "Name: ", echo: true },
                      { prompt: "Password: ", echo: false }
                    ],
                    (answers) => {
                      const right = answers[0] === "" && answers[1] === "hunter2"
                      if (right && (accepted === "keyboard-interactive" || passedPassword)) context.accept()
                      else context.reject(left)
                    }
                  )
                }
                return context.reject(left)
              })
            })
            created.listen(0, "127.0.0.1", () => resume(Effect.succeed(created)))
          }),
          (server) => Effect.sync(() => server.close())
        )
        const port = portOf(server)
        const known = readFileSync(`${sshd.directory}/host_ed25519.pub`, "utf8")
        const target = yield* targetOf(
          { ...sshd, port },
          {
            login: login({ username: "someone", pem: sshd.key.pem, password: "hunter2" }),
            knownHosts: `[127.0.0.1]:${port} ${known}`
          }
        )
        assert.strictEqual(yield* attempt(target), accepted === "none" ? "AuthenticationFailed" : "connected", accepted)
        const expected = ["publickey", "password", "keyboard-interactive"]
        assert.deepStrictEqual(seen, accepted === "password" ? expected.slice(0, 2) : expected)
      }
    })
  )
})

describe("host keys", () => {
  it.live("are required, compared, and looked up by name and by address", () =>
    Effect.gen(function* () {
      const sshd = yield* Sshd.start({ hostKeys: ["ed25519", "rsa", "ecdsa"] })
      const lines = (yield* sshd.knownHosts).split("\n")
      const [edLine = "", rsaLine = "", ecdsaLine = ""] = lines
      const keyOf = (line: string) => line.slice(line.indexOf(" ") + 1)
      const other = yield* sshd.makeKey("other")
      const otherKey = other.publicKey.split(" ").slice(0, 2).join(" ")
      const where = `[${sshd.address}]:${sshd.port}`
      const hashedFile = `${sshd.directory}/hashed`
      writeFileSync(hashedFile, `${rsaLine}\n`)
      execFileSync("ssh-keygen", ["-q", "-H", "-f", hashedFile], { stdio: "ignore" })
      const rows: ReadonlyArray<readonly [string, string, string]> = [
        ["ed25519 only", edLine, "connected"],
        ["rsa only: the server is asked for that type", rsaLine, "connected"],
        ["ecdsa only", ecdsaLine, "connected"],
        ["hashed", readFileSync(hashedFile, "utf8"), "connected"],
        ["nothing stored", "", "HostKeyUnknown"],
        ["another host", `[192.0.2.1]:${sshd.port} ${keyOf(edLine)}`, "HostKeyUnknown"],
        ["another key", `${where} ${otherKey}`, "HostKeyMismatch"],
        ["another key beside the right one", `${where} ${otherKey}\n${edLine}`, "connected"],
        ["revoked", `${edLine}\n@revoked * ${keyOf(edLine)}`, "HostKeyRevoked"],
        ["an authority is no host key", `@cert-authority * ${keyOf(edLine)}`, "HostCertificateOnly"],
        ["a wildcard", `* ${keyOf(edLine)}`, "connected"],
        ["stored without the port", `${sshd.address} ${keyOf(edLine)}`, "connected"],
        ["an unusable type only", `${where} ssh-dss AAAAB3NzaC1kc3MAAAABAQ==`, "HostKeyMismatch"],
        ["a broken line", edLine.slice(0, -4), "HostKeyUnknown"]
      ]
      for (const [name, knownHosts, expected] of rows) {
        assert.strictEqual(yield* Effect.flatMap(targetOf(sshd, { knownHosts }), attempt), expected, name)
      }
      assert.strictEqual(
        yield* Effect.flatMap(targetOf(sshd, { hostname: "some.name" }), attempt),
        "connected",
        "the name is not stored, the address is"
      )
      const named = (key: string) =>
        Effect.flatMap(
          targetOf(sshd, { hostname: "some.name", knownHosts: `[some.name]:${sshd.port} ${key}\n${edLine}` }),
          attempt
        )
      assert.strictEqual(yield* named(otherKey), "HostKeyMismatch", "the name wins over the address")
    })
  )

  it.live("of a type that the server does not have are a mismatch", () =>
    Effect.gen(function* () {
      const sshd = yield* Sshd.start({ hostKeys: ["ed25519"] })
      const rsa = yield* sshd.makeKey("other", { type: "rsa" })
      const knownHosts = `[${sshd.address}]:${sshd.port} ${rsa.publicKey}`
      assert.strictEqual(yield* Effect.flatMap(targetOf(sshd, { knownHosts }), attempt), "HostKeyMismatch")
    })
  )

  it.live("are read afresh at each connect; a missing file knows nobody, an unreadable one is an error", () =>
    Effect.gen(function* () {
      const sshd = yield* Sshd.start()
      const target = yield* targetOf(sshd)
      const [path = ""] = target.hostKeys.paths
      assert.strictEqual(yield* attempt(target), "connected")
      yield* sshd.restart({ newHostKeys: true })
      assert.strictEqual(yield* attempt(target), "HostKeyMismatch")
      writeFileSync(path, yield* sshd.knownHosts)
      assert.strictEqual(yield* attempt(target), "connected")
      rmSync(path)
      assert.strictEqual(yield* attempt(target), "HostKeyUnknown")
      const directory = new Target({
        alias: target.alias,
        hostname: target.hostname,
        address: target.address,
        port: target.port,
        login: target.login,
        hostKeys: { paths: [`${path}-missing`, sshd.directory], digest: "" }
      })
      assert.strictEqual(yield* attempt(directory), "KnownHostsUnreadable")
    })
  )

  it.live("survive a rekey under load", () =>
    Effect.gen(function* () {
      const sshd = yield* Sshd.start({ config: ["RekeyLimit 4M"] })
      const target = yield* targetOf(sshd)
      const result = yield* runCommand(target, "head -c 50331648 /dev/zero").pipe(Effect.provide(poolLayer))
      assert.lengthOf(result.stdout, 50331648)
    })
  )
})

describe("hosts that do not answer as they should", () => {
  it.live("are each named", () =>
    Effect.gen(function* () {
      const sshd = yield* Sshd.start()
      const silent = yield* tcpServer(() => {})
      const closing = yield* tcpServer((socket) => socket.end())
      const babbling = yield* tcpServer((socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"))
      const closed = yield* Sshd.freePort()
      const target = (port: number) => targetOf({ ...sshd, port })
      assert.strictEqual(yield* Effect.flatMap(target(closed), attempt), "ConnectionRefused")
      const [took, timeout] = yield* Effect.timed(
        Effect.flatMap(target(portOf(silent)), (each) => attempt(each, "400 millis"))
      )
      assert.strictEqual(timeout, "ConnectTimeout")
      assert.isBelow(Duration.toMillis(took), 3_000)
      assert.strictEqual(yield* Effect.flatMap(target(portOf(closing)), attempt), "ProtocolError")
      assert.strictEqual(yield* Effect.flatMap(target(portOf(babbling)), attempt), "ProtocolError")
      // The discard prefix of RFC 6666: no route leads there.
      assert.include(
        ["NetworkUnreachable", "ConnectTimeout"],
        yield* Effect.flatMap(targetOf(sshd, { address: "100::1" }), (each) => attempt(each, "1 second"))
      )
    })
  )

  it.live("leave no socket behind when the attempt is interrupted", () =>
    Effect.gen(function* () {
      const sshd = yield* Sshd.start()
      let sockets = 0
      let opened = 0
      const silent = yield* tcpServer((socket) => {
        sockets++
        opened++
        socket.on("close", () => sockets--)
        socket.resume()
      })
      const target = yield* targetOf({ ...sshd, port: portOf(silent) })
      const fiber = yield* Effect.forkChild(attempt(target))
      yield* eventually(Effect.sync(() => opened === 1))
      yield* Fiber.interrupt(fiber)
      yield* eventually(Effect.sync(() => sockets === 0))
    })
  )
})

describe("a connection", () => {
  it.live("tells when it is lost, and refuses to run anything from then on", () =>
    Effect.gen(function* () {
      const sshd = yield* Sshd.start()
      const transport = yield* Transport
      const connection = yield* transport.connect(yield* targetOf(sshd), Duration.seconds(10))
      const channel = yield* connection.exec("sleep 1000")
      yield* sshd.killSessions
      assert.strictEqual((yield* connection.lost).failure, "ConnectionLost")
      assert.strictEqual(
        (yield* Effect.flip(Effect.andThen(Stream.runDrain(channel.output), channel.exit))).failure,
        "ConnectionLost"
      )
      yield* channel.closed
      assert.strictEqual((yield* Effect.flip(Effect.scoped(connection.exec("true")))).failure, "ChannelRefused")
    }).pipe(Effect.scoped, Effect.provide(transportLayer))
  )

  it.live("closes with its Scope", () =>
    Effect.gen(function* () {
      const sshd = yield* Sshd.start()
      const transport = yield* Transport
      const scope = yield* Scope.make()
      const connection = yield* Scope.provide(transport.connect(yield* targetOf(sshd), Duration.seconds(10)), scope)
      yield* Scope.close(scope, Exit.void)
      yield* connection.lost
      yield* eventually(Effect.map(sshd.log, (log) => /Disconnected from user|Connection closed by/.test(log)))
    }).pipe(Effect.provide(transportLayer))
  )

  it.live("is checked without running anything", () =>
    Effect.gen(function* () {
      const sshd = yield* Sshd.start()
      const pool = yield* ConnectionPool
      const found = yield* pool.check([yield* targetOf(sshd)], Duration.seconds(10))
      assert.strictEqual(found.targetIp, sshd.address)
      assert.isAbove(Duration.toMillis(found.latency), 0)
      assert.notInclude(yield* sshd.log, "Starting session")
    }).pipe(Effect.provide(poolLayer))
  )
})
