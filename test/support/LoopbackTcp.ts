import { Effect, type Scope } from "effect"
import type { Server, Socket } from "node:net"

/** Listens on a free port of 127.0.0.1 until the Scope closes, and then destroys `sockets`, which the caller keeps up to date. */
export const listenOnLoopback = (
  server: Server,
  sockets: ReadonlySet<Socket>
): Effect.Effect<number, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.callback<number>((resume) => {
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        resume(Effect.succeed(typeof address === "object" && address !== null ? address.port : 0))
      })
    }),
    () =>
      Effect.callback<void>((resume) => {
        for (const socket of sockets) socket.destroy()
        server.close(() => resume(Effect.void))
      })
  )
