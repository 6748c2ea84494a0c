import { Effect, type Scope } from "effect"
import { connect, createServer, type Socket } from "node:net"
import { listenOnLoopback } from "./LoopbackTcp.ts"

/** A TCP proxy on 127.0.0.1 that makes a server look far away. */
export interface DelayProxy {
  readonly port: number
  /**
   * Round trips that the newest connection took so far: 1 for the connect, and one more for each answer that the server
   * sent after it had seen something that the client sent after it had seen the answer before. This is a count of who
   * waited for whom (as of a Lamport clock), not of time.
   */
  readonly roundTrips: () => number
}

/** Delivers in order, each after its time. */
const makeLine = (): ((at: number, deliver: () => void) => void) => {
  const waiting: Array<{ readonly at: number; readonly deliver: () => void }> = []
  const run = () => {
    const next = waiting[0]
    if (next === undefined) return
    const left = next.at - performance.now()
    if (left > 0.3) {
      setTimeout(run, left)
      return
    }
    waiting.shift()
    next.deliver()
    run()
  }
  return (at, deliver) => {
    waiting.push({ at: Math.max(at, waiting.at(-1)?.at ?? 0), deliver })
    if (waiting.length === 1) run()
  }
}

/**
 * Listens until the Scope closes and passes connections on to `port`, each direction late by half of `rttMillis`. The
 * connect takes a round trip of its own: what the client sends first arrives after one and a half.
 */
export const openDelayProxy = (options: {
  readonly port: number
  readonly rttMillis: number
}): Effect.Effect<DelayProxy, never, Scope.Scope> =>
  Effect.gen(function* () {
    const { port: destination, rttMillis } = options
    const half = rttMillis / 2
    const sockets = new Set<Socket>()
    /** What each side of the newest connection has seen, in round trips. */
    let newest = { client: 0, server: 0 }

    const track = (socket: Socket) => {
      sockets.add(socket)
      socket.setNoDelay(true)
      socket.on("error", () => {})
      socket.on("close", () => sockets.delete(socket))
    }
    const server = createServer((client) => {
      const seen = { client: 1, server: 1 }
      newest = seen
      track(client)
      const up = makeLine()
      const down = makeLine()
      let host: Socket | undefined
      up(performance.now() + 3 * half, () => {
        const made = connect({ port: destination, host: "127.0.0.1" })
        host = made
        track(made)
        made.on("data", (bytes) => {
          const round = seen.server + 1
          down(performance.now() + half, () => {
            seen.client = Math.max(seen.client, round)
            if (!client.destroyed) client.write(bytes)
          })
        })
        made.on("close", () => down(performance.now() + half, () => client.destroy()))
      })
      client.on("data", (bytes) => {
        const round = seen.client
        up(performance.now() + half, () => {
          seen.server = Math.max(seen.server, round)
          if (host?.destroyed === false) host.write(bytes)
        })
      })
      client.on("close", () => up(performance.now() + half, () => host?.destroy()))
    })
    const port = yield* listenOnLoopback(server, sockets)
    return { port, roundTrips: () => newest.client }
  })
