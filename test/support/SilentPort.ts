import { Effect, type Scope } from "effect"
import { createServer, type Socket } from "node:net"
import { listenOnLoopback } from "./LoopbackTcp.ts"

/** A port on 127.0.0.1 that accepts TCP and never says a word. */
export interface SilentPort {
  readonly port: number
  /** How many connections came so far. */
  readonly accepted: () => number
}

/** Listens until the scope closes. */
export const openSilentPort: Effect.Effect<SilentPort, never, Scope.Scope> = Effect.gen(function* () {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on("error", () => undefined)
  })
  const port = yield* listenOnLoopback(server, sockets)
  return { port, accepted: () => sockets.size }
})
