import { Clock, Deferred, Effect, type Scope } from "effect"
import { connect, createServer, type AddressInfo, type Socket } from "node:net"
import { Worker } from "node:worker_threads"
import ssh2 from "ssh2"
import type { ServerChannel } from "ssh2"
import { eventually } from "../../support/SshFixtures.ts"
import { generateKey, type ServerConnection } from "../../support/LoopbackSsh.ts"

/** How far a server let a client come. The host key is checked by the client: passed when it goes on. */
export const STAGES = ["dns", "tcp", "banner", "kex", "host key", "auth", "channel", "exec", "streaming"] as const
export type Stage = (typeof STAGES)[number]

/** What the scripted server does with whoever connects. `close` is of the connection. */
export type Script =
  | "tcp: refuse"
  | "tcp: silence"
  | "banner: old version"
  | "banner: close"
  | "banner: silence"
  | "kex: nothing in common"
  | "kex: silence"
  | "kex: close"
  | "auth: refuse"
  | "auth: silence"
  | "auth: close"
  | "channel: refuse"
  | "channel: silence"
  | "channel: close"
  | "exec: refuse"
  | "exec: silence"
  | "exec: close"
  | "exec: close the channel"
  | "exec: ends without a header"
  | "exec: no header"
  | "stream: exit 0"
  | "stream: exit 3"
  | "stream: run"
  | "stream: as the command says"
  | "stream: no status"
  | "stream: close"

/** What was opened, and how much of it is open. */
interface Count {
  readonly opened: number
  readonly open: number
}

/** A server on loopback that follows a script and counts. */
export interface ScriptedServer {
  readonly port: number
  /** Connections: those that the server accepted and, of one that accepts none, those that a client waits for. */
  readonly connections: () => Count
  /** Channels in which a command, or a killer, was accepted. */
  readonly channels: () => Count
  /** Commands that run until they are stopped. */
  readonly running: () => number
  /** How often a client came past each stage from `tcp` on. */
  readonly passed: () => Readonly<Partial<Record<Stage, number>>>
  /** Ends once a client came to what the script does. */
  readonly reached: Effect.Effect<void>
}

export const hostKey = generateKey()
export const otherKey = generateKey()

/** Ends when `check` says so, by the system's clock also where the test's clock stands still. */
export const untilTrue = (check: () => boolean): Effect.Effect<void> =>
  Effect.provideService(eventually(Effect.sync(check)), Clock.Clock, Clock.Clock.defaultValue())

/** Connects of this process that wait for an answer. */
const pendingConnects = (): number =>
  process.getActiveResourcesInfo().filter((name) => name.endsWith("ConnectWrap")).length

/** Listens with a short backlog and then never runs again: the kernel answers for it until the backlog is full. */
const FROZEN_LISTENER = `
const { parentPort } = require("node:worker_threads")
const server = require("node:net").createServer()
server.listen({ port: 0, host: "127.0.0.1", backlog: 1 }, () => {
  parentPort.postMessage(server.address().port)
  setImmediate(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0))
})`

/** Connections that fill a backlog of 1 on Linux: one more than it says (listen(2)), and two to be sure. */
const FILLERS = 4

/** A port that drops every attempt to connect, as a firewall does: its backlog is full. */
const startFullBacklog: Effect.Effect<ScriptedServer, never, Scope.Scope> = Effect.gen(function* () {
  const worker = yield* Effect.acquireRelease(
    Effect.sync(() => new Worker(FROZEN_LISTENER, { eval: true })),
    (worker) => Effect.promise(() => worker.terminate())
  )
  const port = yield* Effect.callback<number>((resume) => {
    worker.once("message", (port: number) => resume(Effect.succeed(port)))
  })
  const before = pendingConnects()
  const connected = { count: 0 }
  yield* Effect.forEach(
    Array.from({ length: FILLERS }),
    () =>
      Effect.acquireRelease(
        Effect.sync(() => {
          const socket = connect(port, "127.0.0.1", () => connected.count++)
          socket.on("error", () => {})
          return socket
        }),
        (socket) => Effect.sync(() => socket.destroy())
      ),
    { discard: true }
  )
  yield* untilTrue(() => connected.count > 1 && pendingConnects() === before + FILLERS - connected.count)
  const base = pendingConnects()
  const seen = { opened: 0 }
  const open = () => pendingConnects() - base
  return {
    port,
    connections: () => ({ opened: seen.opened, open: open() }),
    channels: () => ({ opened: 0, open: 0 }),
    running: () => 0,
    passed: () => ({}),
    reached: untilTrue(() => {
      seen.opened = Math.max(seen.opened, open())
      return seen.opened > 0
    })
  }
})

/** Starts a server for a script; it goes with the Scope. */
export const startServer = Effect.fnUntraced(function* (
  script: Script
): Effect.fn.Return<ScriptedServer, never, Scope.Scope> {
  if (script === "tcp: silence") return yield* startFullBacklog
  const connections = { opened: 0, open: 0 }
  const channels = { opened: 0, open: 0 }
  const passed: Partial<Record<Stage, number>> = {}
  const pass = (stage: Stage) => {
    passed[stage] = (passed[stage] ?? 0) + 1
  }
  const reached = yield* Deferred.make<void>()
  const sockets = new Set<Socket>()
  const hit = () => Deferred.doneUnsafe(reached, Effect.void)

  /** The channels of commands that go on, by the tag that a killer names. */
  const running = new Map<string, ServerChannel>()
  const serve = (command: string, channel: ServerChannel, socket: Socket) => {
    channels.opened++
    channels.open++
    channel.on("close", () => channels.open--)
    channel.on("error", () => {})
    channel.resume()
    const tag = /\b[0-9a-f]{32}\b/.exec(command)?.[0] ?? ""
    const end = (code: number) => {
      running.delete(tag)
      channel.exit(code)
      channel.end()
    }
    const killed = /mcpstop ([0-9a-f]+) /.exec(command)?.[1]
    if (killed !== undefined) {
      const ended = running.get(killed)
      ended?.exit("TERM")
      ended?.close()
      running.delete(killed)
      channel.write("DEAD\n")
      return end(0)
    }
    pass("exec")
    running.set(tag, channel)
    if (script === "exec: ends without a header") return end(1)
    if (script === "exec: no header") {
      channel.write("out\n")
      return hit()
    }
    channel.stderr.write(`MCPRUN ${tag} 4711 posix\n`)
    channel.write("out\n")
    const isBrief = script === "stream: as the command says" && !command.includes("follow")
    if (isBrief || script === "stream: exit 0" || script === "stream: exit 3") {
      pass("streaming")
      return end(script === "stream: exit 3" ? 3 : 0)
    }
    if (script === "stream: no status") return channel.close()
    if (script === "stream: close") socket.destroy()
    hit()
  }

  const ssh = new ssh2.Server({
    hostKeys: [hostKey.private],
    ...(script === "kex: nothing in common" ? { algorithms: { cipher: ["3des-cbc"] } } : {})
  })
  const accept = (socket: Socket) => {
    ssh.once("connection", (client) => {
      let seen = false
      pass("banner")
      client.on("error", () => {})
      client.on("handshake", () => pass("kex"))
      client.on("authentication", (context) => {
        if (!seen) pass("host key")
        seen = true
        if (script === "auth: silence") return hit()
        if (script === "auth: close") return void socket.destroy()
        return script === "auth: refuse" ? context.reject() : context.accept()
      })
      client.on("ready", () => pass("auth"))
      client.on("session", (acceptSession, reject) => {
        if (script === "channel: refuse") return reject()
        if (script === "channel: silence") return hit()
        if (script === "channel: close") return void socket.destroy()
        const session = acceptSession()
        session.on("exec", (acceptExec, rejectExec, info) => {
          if (!info.command.includes("mcpstop")) pass("channel")
          if (script === "exec: refuse") return rejectExec()
          if (script === "exec: silence") return hit()
          if (script === "exec: close") return void socket.destroy()
          if (script === "exec: close the channel" && !info.command.includes("mcpstop")) {
            const { outgoing } = Reflect.get(session, "_chanInfo") as { readonly outgoing: { readonly id: number } }
            const { _protocol } = client as unknown as ServerConnection
            return _protocol.channelClose(outgoing.id)
          }
          serve(info.command, acceptExec(), socket)
        })
      })
    })
    ssh.injectSocket(socket)
  }

  const server = createServer((socket) => {
    connections.opened++
    connections.open++
    pass("tcp")
    sockets.add(socket)
    socket.on("error", () => {})
    socket.on("close", () => {
      connections.open--
      sockets.delete(socket)
    })
    switch (script) {
      case "banner: close":
        return void socket.destroy()
      case "banner: old version":
        socket.resume()
        return void socket.write("SSH-1.5-scripted\r\n")
      case "banner: silence":
        socket.resume()
        return hit()
      case "kex: silence":
      case "kex: close":
        socket.write("SSH-2.0-scripted\r\n")
        socket.once("data", () => {
          if (script === "kex: close") socket.end()
          hit()
        })
        return
      default:
        return accept(socket)
    }
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
  if (script === "tcp: refuse") server.close()
  return {
    port,
    connections: () => ({ ...connections }),
    channels: () => ({ ...channels }),
    running: () => running.size,
    passed: () => ({ ...passed }),
    reached: Deferred.await(reached)
  }
})
