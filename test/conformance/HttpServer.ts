import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js"
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js"
import { Effect, FiberSet, Layer, type Scope } from "effect"
import { randomUUID } from "node:crypto"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import type { Catalogue } from "../../src/mcp/Catalogue.ts"
import { serve } from "../../src/mcp/Server.ts"

const LOOPBACK = new Set(["localhost", "127.0.0.1", "[::1]"])

const hostnameOf = (url: string): string | undefined => (URL.canParse(url) ? new URL(url).hostname : undefined)

/**
 * Whether a request comes from this machine's own programs and pages: a page of another site names that site in Origin,
 * and one whose name was rebound to loopback in Host (MCP 2025-11-25, basic/transports, "Security Warning").
 */
const isLocal = ({ headers: { host, origin } }: IncomingMessage): boolean =>
  LOOPBACK.has(hostnameOf(`http://${host ?? ""}`) ?? "") &&
  (origin === undefined || LOOPBACK.has(hostnameOf(origin) ?? ""))

const refuse = (response: ServerResponse, status: number, message: string): void => {
  response.writeHead(status, { "content-type": "application/json" })
  response.end(JSON.stringify({ jsonrpc: "2.0", id: null, error: { code: -32000, message } }))
}

/**
 * Serves a catalogue over Streamable HTTP on loopback until the scope closes, each session through an adapter of its
 * own; yields the address. For judges that speak HTTP only.
 */
export const serveHttp = (catalogue: Catalogue<never>): Effect.Effect<string, never, Scope.Scope> =>
  Effect.gen(function* () {
    const fork = yield* FiberSet.makeRuntime<never>()
    const sessions = new Map<string, StreamableHTTPServerTransport>()

    const open = (): StreamableHTTPServerTransport => {
      const transport = new StreamableHTTPServerTransport({
        sessionIdGenerator: randomUUID,
        onsessioninitialized: (id) => void sessions.set(id, transport),
        onsessionclosed: (id) => void sessions.delete(id)
      })
      // The SDK's class allows undefined where the interface that it implements has optional members.
      fork(serve(transport as Transport, Layer.empty, catalogue))
      return transport
    }

    const handle = (request: IncomingMessage, response: ServerResponse): void => {
      if (!isLocal(request)) return refuse(response, 403, "Forbidden: not a local host or origin")
      const id = request.headers["mcp-session-id"]
      const transport = id === undefined ? open() : sessions.get(String(id))
      if (transport === undefined) return refuse(response, 404, "Session not found")
      void transport.handleRequest(request, response)
    }

    const server = yield* Effect.acquireRelease(
      Effect.callback<ReturnType<typeof createServer>>((resume) => {
        const created = createServer(handle)
        created.listen(0, "127.0.0.1", () => resume(Effect.succeed(created)))
      }),
      (created) =>
        Effect.callback<void>((resume) => {
          created.close(() => resume(Effect.void))
          created.closeAllConnections()
        })
    )
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`
  })
