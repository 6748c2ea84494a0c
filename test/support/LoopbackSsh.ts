import { Effect, type Scope } from "effect"
import ssh2 from "ssh2"
import type { AnyAuthMethod, AuthContext, CipherAlgorithm, MacAlgorithm, Session } from "ssh2"
import { Target } from "../../src/ssh/Target.ts"

/** A new ed25519 key. The library makes one in 300 that it cannot read back; such a one is made again. */
export const generateKey = (): { readonly private: string; readonly public: string } => {
  for (;;) {
    const pair = ssh2.utils.generateKeyPairSync("ed25519")
    if (!(ssh2.utils.parseKey(pair.private) instanceof Error)) return pair
  }
}

const hostKey = generateKey()

/** The host key of every `startServer`, as it stands in a known_hosts file. */
export const loopbackHostKey = hostKey.public.split(" ").slice(0, 2).join(" ")

/** What has no type or no public way in the library's server: closing a session that runs nothing, exchanging keys. */
export interface ServerConnection {
  readonly setNoDelay: (noDelay: boolean) => void
  readonly rekey: () => void
  readonly on: (event: "rekey", listener: () => void) => unknown
  readonly _protocol: { readonly channelClose: (id: number) => void }
}

/** What a server of a test does; without anything, it accepts every login and every session. */
export interface ServerScript {
  readonly authenticate?: (context: AuthContext) => void
  readonly session?: (session: Session, connection: ServerConnection) => void
  /** Told about each packet. */
  readonly debug?: (line: string) => void
  /** Sessions that it opens before it refuses. */
  readonly maxSessions?: number
}

/** The library's own server on a free port of 127.0.0.1, until the Scope closes. Its side of a connection is not patched. */
export const startServer = (script: ServerScript = {}): Effect.Effect<ssh2.Server, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.callback<ssh2.Server>((resume) => {
      const config = { hostKeys: [hostKey.private], ...(script.debug === undefined ? {} : { debug: script.debug }) }
      const server = new ssh2.Server(config, (connection) => {
        const internals = connection as unknown as ServerConnection
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

/** How a client of a test connects. */
export interface ClientScript {
  /** One attempt each, in order; without any it logs in with `none`. */
  readonly methods?: ReadonlyArray<AnyAuthMethod>
  /** Sees the client right after `connect`. */
  readonly prepare?: (client: ssh2.Client) => void
  readonly cipher?: CipherAlgorithm
  readonly mac?: MacAlgorithm
}

/** A client of that server that is logged in, until the Scope closes. */
export const startClient = (
  server: ssh2.Server,
  script: ClientScript = {}
): Effect.Effect<ssh2.Client, Error, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.callback<ssh2.Client, Error>((resume) => {
      const client = new ssh2.Client()
      const methods = [...(script.methods ?? [{ type: "none", username: "u" } as const])]
      client.on("error", (error) => resume(Effect.fail(error)))
      client.on("connect", () => client.setNoDelay(true))
      client.on("ready", () => resume(Effect.succeed(client)))
      client.connect({
        host: "127.0.0.1",
        port: (server.address() as { readonly port: number }).port,
        username: "u",
        hostVerifier: () => true,
        algorithms: {
          ...(script.cipher === undefined ? {} : { cipher: [script.cipher] }),
          ...(script.mac === undefined ? {} : { hmac: [script.mac] })
        },
        authHandler: (_left, _partial, next) => {
          ;(next as (method: AnyAuthMethod | false) => void)(methods.shift() ?? false)
        }
      })
      script.prepare?.(client)
    }),
    (client) => Effect.sync(() => client.destroy())
  )

/** A target for what only names it in errors: such a client is connected already. */
export const loopbackTarget = new Target({
  alias: "test",
  hostname: "h",
  address: "127.0.0.1",
  port: 1,
  login: { username: "u", digest: "" },
  hostKeys: { paths: [], digest: "" }
})
