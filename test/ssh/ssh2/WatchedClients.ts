import { Effect } from "effect"
import { Socket } from "node:net"
import ssh2 from "ssh2"

/** The library's clients that connect from here on, until the Scope closes. */
export const watchClients = Effect.gen(function* () {
  const clients: Array<ssh2.Client> = []
  const { prototype } = ssh2.Client
  const original = Object.getOwnPropertyDescriptor(prototype, "connect")
  const connect: unknown = original?.value
  if (original === undefined || typeof connect !== "function") return yield* Effect.die("ssh2 has no Client.connect")
  yield* Effect.acquireRelease(
    Effect.sync(() => {
      const watched = function (this: ssh2.Client, config: unknown): unknown {
        clients.push(this)
        return Reflect.apply(connect, this, [config])
      }
      Object.defineProperty(prototype, "connect", { ...original, value: watched })
    }),
    () => Effect.sync(() => Object.defineProperty(prototype, "connect", original))
  )
  return clients
})

/** The socket of a client that is connected over one. */
export const socketOf = (client: ssh2.Client): Socket => {
  const socket: unknown = Reflect.get(client, "_sock")
  if (!(socket instanceof Socket)) throw new Error("no socket")
  return socket
}
