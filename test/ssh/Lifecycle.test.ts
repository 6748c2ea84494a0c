import { assert, describe, it } from "@effect/vitest"
import { Deferred, Duration, Effect, Exit, Fiber, Layer, Ref, Scope } from "effect"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { createServer } from "node:net"
import type { AddressInfo, Socket } from "node:net"
import { tmpdir } from "node:os"
import ssh2 from "ssh2"
import type { ServerChannel } from "ssh2"
import { ConnectionPool } from "../../src/ssh/ConnectionPool.ts"
import type { SshFailure } from "../../src/ssh/errors.ts"
import type { StopReport } from "../../src/ssh/RemoteProcess.ts"
import { Target } from "../../src/ssh/Target.ts"
import { eventually, login, poolLayer } from "../support/SshFixtures.ts"
import { makeHosts } from "./SimulatedHosts.ts"

/** What the scripted server does with whoever connects. */
type Script =
  | "banner: close"
  | "banner: silence"
  | "kex: silence"
  | "kex: close"
  | "auth: refuse"
  | "auth: silence"
  | "auth: close"
  | "channel: refuse"
  | "channel: close"
  | "exec: refuse"
  | "exec: no header"
  | "stream: exit 0"
  | "stream: exit 3"
  | "stream: run"
  | "stream: close"

const hostKey = ssh2.utils.generateKeyPairSync("ed25519")
const otherKey = ssh2.utils.generateKeyPairSync("ed25519")
const userKey = ssh2.utils.generateKeyPairSync("ed25519")

/** A server on loopback that follows a script and counts; it goes with the Scope. */
const startServer = Effect.fnUntraced(function* (script: Script) {
  const counts = { accepted: 0, open: 0, channels: 0, openChannels: 0 }
  const reached = yield* Deferred.make<void>()
  const sockets = new Set<Socket>()
  const hit = () => Deferred.doneUnsafe(reached, Effect.void)

  const running = new Set<ServerChannel>()
  const serve = (command: string, channel: ServerChannel, socket: Socket) => {
    counts.channels++
    counts.openChannels++
    channel.on("close", () => counts.openChannels--)
    channel.on("error", () => {})
    channel.resume()
    const end = (code: number) => {
      channel.exit(code)
      channel.end()
    }
    if (command.includes("mcpstop")) {
      for (const one of running) one.close()
      running.clear()
      channel.write("DEAD\n")
      return end(0)
    }
    if (script === "exec: no header") return end(1)
    channel.stderr.write(`MCPRUN ${/\b[0-9a-f]{32}\b/.exec(command)?.[0] ?? ""} 4711 posix\n`)
    channel.write("out\n")
    if (script === "stream: exit 0") return end(0)
    if (script === "stream: exit 3") return end(3)
    running.add(channel)
    if (script === "stream: close") socket.destroy()
    hit()
  }

  const ssh = new ssh2.Server({ hostKeys: [hostKey.private] })
  const accept = (socket: Socket) => {
    ssh.once("connection", (client) => {
      client.on("error", () => {})
      client.on("authentication", (context) => {
        if (script === "auth: silence") return hit()
        if (script === "auth: close") return void socket.destroy()
        return script === "auth: refuse" ? context.reject() : context.accept()
      })
      client.on("session", (acceptSession, reject) => {
        if (script === "channel: refuse") return reject()
        if (script === "channel: close") return void socket.destroy()
        acceptSession().on("exec", (acceptExec, rejectExec, info) => {
          if (script === "exec: refuse") return rejectExec()
          serve(info.command, acceptExec(), socket)
        })
      })
    })
    ssh.injectSocket(socket)
  }

  const server = createServer((socket) => {
    counts.accepted++
    counts.open++
    sockets.add(socket)
    socket.on("error", () => {})
    socket.on("close", () => {
      counts.open--
      sockets.delete(socket)
    })
    if (script === "banner: close") return void socket.destroy()
    if (script === "banner: silence") {
      socket.resume()
      return hit()
    }
    if (script === "kex: silence" || script === "kex: close") {
      socket.resume()
      socket.write("SSH-2.0-scripted\r\n")
      if (script === "kex: close") socket.once("data", () => socket.end())
      return hit()
    }
    accept(socket)
  })
  const port = yield* Effect.acquireRelease(
    Effect.callback<number>((resume) => {
      server.listen(0, "127.0.0.1", () => resume(Effect.succeed((server.address() as AddressInfo).port)))
    }),
    () =>
      Effect.sync(() => {
        for (const socket of sockets) socket.destroy()
        server.close()
      })
  )
  return { counts, port, reached: Deferred.await(reached), close: Effect.sync(() => void server.close()) }
})

const makeTarget = Effect.fnUntraced(function* (port: number, known = hostKey.public) {
  const directory = yield* Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(`${tmpdir()}/lifecycle-`)),
    (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
  )
  const path = `${directory}/known_hosts`
  writeFileSync(path, `[127.0.0.1]:${port} ${known.split(" ").slice(0, 2).join(" ")}\n`)
  return new Target({
    alias: "test",
    hostname: "127.0.0.1",
    address: "127.0.0.1",
    port,
    login: login({ username: "tester", pem: userKey.private }),
    hostKeys: { paths: [path], digest: "" }
  })
})

/** Runs one command against a script, to its end or until it is interrupted at `reached`, and then closes the pool. */
const attempt = Effect.fnUntraced(function* (
  script: Script,
  options: {
    readonly known?: string
    readonly budget?: Duration.Input
    readonly interrupt?: boolean
    readonly closed?: boolean
  }
) {
  const server = yield* startServer(script)
  if (options.closed === true) yield* server.close
  const target = yield* makeTarget(server.port, options.known)
  const stops = yield* Ref.make<ReadonlyArray<StopReport["remote"]>>([])
  const poolScope = yield* Scope.make()
  const context = yield* Scope.provide(Layer.build(poolLayer), poolScope)
  const pool = yield* Effect.provideContext(ConnectionPool, context)
  const run = Effect.scoped(
    Effect.flatMap(
      pool.start({
        targets: [target],
        command: "uptime",
        budget: Duration.fromInputUnsafe(options.budget ?? "10 seconds"),
        output: () => Effect.void,
        grace: Effect.succeed(Duration.zero),
        stopped: ({ remote }) => Ref.update(stops, (all) => [...all, remote])
      }),
      (process) => process.wait
    )
  )
  const fiber = yield* Effect.forkChild(Effect.result(run), { startImmediately: true })
  if (options.interrupt === true) {
    yield* server.reached
    yield* Fiber.interrupt(fiber)
  }
  const exit = yield* Fiber.await(fiber)
  yield* Scope.close(poolScope, Exit.void)
  yield* eventually(Effect.sync(() => server.counts.open === 0 && server.counts.openChannels === 0))
  const outcome: string = Exit.isFailure(exit)
    ? "interrupted"
    : exit.value._tag === "Failure"
      ? exit.value.failure.failure
      : exit.value.success._tag === "Exited"
        ? `exit ${exit.value.success.code}`
        : "signal"
  const { accepted, channels } = server.counts
  return { outcome, accepted, channels, stops: yield* Ref.get(stops) }
})

type Outcome = SshFailure | "interrupted" | "exit 0" | "exit 3"

describe("a command against a server that fails at a stage opens and closes exactly", () => {
  const rows: ReadonlyArray<
    readonly [
      stage: string,
      script: Script,
      options: Parameters<typeof attempt>[1],
      outcome: Outcome,
      /** Connections, channels, and what the stops came to. */
      connections: number,
      channels: number,
      stops: ReadonlyArray<StopReport["remote"]>
    ]
  > = [
    ["tcp, failure", "banner: silence", { closed: true }, "ConnectionRefused", 0, 0, []],
    ["banner, connection lost: five attempts", "banner: close", {}, "ProtocolError", 5, 0, []],
    ["banner, timeout", "banner: silence", { budget: "200 millis" }, "ConnectTimeout", 1, 0, []],
    ["banner, interrupt", "banner: silence", { interrupt: true }, "interrupted", 1, 0, []],
    ["kex, connection lost", "kex: close", {}, "ProtocolError", 1, 0, []],
    ["kex, timeout", "kex: silence", { budget: "200 millis" }, "ConnectTimeout", 1, 0, []],
    ["kex, interrupt", "kex: silence", { interrupt: true }, "interrupted", 1, 0, []],
    ["host key, failure", "stream: exit 0", { known: otherKey.public }, "HostKeyMismatch", 1, 0, []],
    ["auth, failure", "auth: refuse", {}, "AuthenticationFailed", 1, 0, []],
    ["auth, timeout", "auth: silence", { budget: "300 millis" }, "ConnectTimeout", 1, 0, []],
    ["auth, interrupt", "auth: silence", { interrupt: true }, "interrupted", 1, 0, []],
    ["auth, connection lost", "auth: close", {}, "AuthenticationFailed", 1, 0, []],
    ["channel, failure", "channel: refuse", {}, "ChannelRefused", 1, 0, []],
    ["exec, failure", "exec: refuse", {}, "ChannelRefused", 1, 0, []],
    ["exec, failure of the login shell", "exec: no header", {}, "ChannelRefused", 1, 1, []],
    ["streaming, success", "stream: exit 0", {}, "exit 0", 1, 1, []],
    ["streaming, success with an exit code", "stream: exit 3", {}, "exit 3", 1, 1, []],
    ["streaming, interrupt", "stream: run", { interrupt: true }, "interrupted", 1, 2, ["confirmed"]],
    ["streaming, connection lost: the killer connects", "stream: close", {}, "ConnectionLost", 2, 2, ["confirmed"]]
  ]
  for (const [stage, script, options, outcome, accepted, channels, stops] of rows) {
    it.live(stage, () =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* attempt(script, options), { outcome, accepted, channels, stops })
      })
    )
  }
})

describe("the pool under load", () => {
  it.live(
    "10,000 commands on 100 simulated hosts, a tenth of them stopped, leave nothing behind",
    () =>
      Effect.gen(function* () {
        const hosts = yield* makeHosts()
        const scope = yield* Scope.make()
        const context = yield* Scope.provide(Layer.build(ConnectionPool.layer.pipe(Layer.provide(hosts.layer))), scope)
        const pool = yield* Effect.provideContext(ConnectionPool, context)
        const targets = Array.from(
          { length: 100 },
          (_, n) =>
            new Target({
              alias: `h${n}`,
              hostname: `h${n}`,
              address: `192.0.2.${n}`,
              port: 22,
              login: { username: "u", digest: "" },
              hostKeys: { paths: [], digest: "" }
            })
        )
        const done = { ended: 0, stopped: 0 }
        const one = (n: number) => {
          const [first = targets[0]] = targets.slice(n % 100)
          return first === undefined
            ? Effect.void
            : Effect.scoped(
                Effect.gen(function* () {
                  const process = yield* pool.start({
                    targets: [first],
                    command: n % 10 === 0 ? `run c${n}` : "uptime",
                    budget: Duration.seconds(60),
                    output: () => Effect.void,
                    grace: Effect.succeed(Duration.zero),
                    stopped: () => Effect.sync(() => void done.stopped++)
                  })
                  if (n % 10 !== 0) {
                    yield* process.wait
                    done.ended++
                  }
                })
              )
        }
        yield* Effect.forEach(
          Array.from({ length: 10_000 }, (_, n) => n),
          one,
          { concurrency: 500, discard: true }
        )
        assert.deepStrictEqual(done, { ended: 9000, stopped: 1000 })
        const { closed, opened } = yield* hosts.channels
        assert.strictEqual(opened, 11_000)
        assert.strictEqual(closed, opened)
        assert.isTrue((yield* hosts.sessions).every((count) => count === 0))
        assert.isAtMost(yield* hosts.peakConnects, 50)
        assert.deepStrictEqual(yield* hosts.running, [])
        yield* Scope.close(scope, Exit.void)
        assert.strictEqual(yield* hosts.open, 0)
      }),
    60_000
  )
})
