import { Duration, Effect, Layer, Option } from "effect"
import type { Client, ServerHostKeyAlgorithm } from "ssh2"
import { type SshError, sshError } from "../errors.ts"
import { HOST_KEY_ALGORITHMS } from "../trust/HostKeyCheck.ts"
import { HostKeyScan, type ScannedServer } from "../trust/HostKeyScan.ts"
import { callLibrary } from "./Ssh2Call.ts"
import { closeClient } from "./Ssh2Patches.ts"
import { connectFailure } from "../SshFailures.ts"
import { Ssh2Tunnel } from "./Ssh2Tunnel.ts"

const loadClient = Effect.map(
  Effect.promise(() => import("ssh2")),
  ({ default: { Client } }) => Client
)

/**
 * The key that a server proves to hold for one of these algorithms, or none when it has no such key. The library calls
 * the verifier before it checks the server's signature, so the key counts only once the handshake is over.
 */
const askFor = (
  client: Client,
  server: ScannedServer,
  tunnel: Ssh2Tunnel | undefined,
  algorithms: ReadonlyArray<ServerHostKeyAlgorithm>
): Effect.Effect<Option.Option<Uint8Array>, SshError> =>
  Effect.callback((resume) => {
    let presented: Buffer | undefined
    client.on("handshake", () => {
      resume(Effect.succeed(Option.fromUndefinedOr(presented)))
    })
    // Errors can follow the end of a connection; without a listener they would end the process.
    client.on("error", (error: Error & { readonly level?: unknown; readonly code?: unknown }) => {
      resume(
        error.message.includes("no matching host key format")
          ? Effect.succeed(Option.none())
          : Effect.fail(sshError(server.alias, connectFailure("connecting", error), error.message))
      )
    })
    client.on("close", () => {
      resume(Effect.fail(sshError(server.alias, "ProtocolError", "the server closed the connection")))
    })
    callLibrary(
      () =>
        client.connect({
          host: server.address,
          port: server.port,
          ...(tunnel === undefined ? {} : { sock: tunnel.stream }),
          // Never sent: the handler below offers nothing.
          username: "nobody",
          authHandler: () => false,
          readyTimeout: 0,
          hostVerifier: (key: Buffer, answer: (accepted: boolean) => void): void => {
            presented ??= Buffer.from(key)
            answer(true)
          },
          algorithms: { serverHostKey: [...algorithms], compress: ["none"] }
        }),
      (message) => resume(Effect.fail(sshError(server.alias, "ProtocolError", message)))
    )
  })

/** The way to a server behind a jump host. */
const tunnelTo = Effect.fnUntraced(function* ({ address, alias, port, through }: ScannedServer) {
  if (through === undefined) return undefined
  const tunnel = yield* through.forward(address, port)
  return tunnel instanceof Ssh2Tunnel
    ? tunnel
    : yield* sshError(alias, "JumpHostFailed", "the connection is not one of the ssh2 transport")
})

/** The live `HostKeyScan`: the ssh2 library, loaded with the first scan. */
export const Ssh2HostKeyScan = {
  layer: Layer.effect(
    HostKeyScan,
    Effect.gen(function* () {
      const library = yield* Effect.cached(loadClient)

      const scanType = Effect.fnUntraced(function* (
        server: ScannedServer,
        algorithms: ReadonlyArray<ServerHostKeyAlgorithm>
      ) {
        const Client = yield* library
        const tunnel = yield* tunnelTo(server)
        const client = yield* Effect.acquireRelease(
          Effect.sync(() => new Client()),
          (client) => Effect.sync(() => closeClient(client))
        )
        return yield* askFor(client, server, tunnel, algorithms)
      }, Effect.scoped)

      const scan = Effect.fn("HostKeyScan.scan")(function* (server: ScannedServer, budget: Duration.Duration) {
        const types = Object.values(HOST_KEY_ALGORITHMS)
        const keys = yield* Effect.forEach(types, (algorithms) => scanType(server, algorithms), {
          concurrency: types.length
        }).pipe(
          Effect.timeoutOrElse({
            duration: budget,
            orElse: () =>
              Effect.fail(sshError(server.alias, "ConnectTimeout", `no host keys from ${server.address} in time`))
          })
        )
        return keys.flatMap(Option.toArray)
      })
      return HostKeyScan.of({ scan })
    })
  ) satisfies Layer.Layer<HostKeyScan>
}
