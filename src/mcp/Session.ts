import type { Effect } from "effect"
import type { JsonObject } from "./WireSchema.ts"

/** One client connection, as handlers see it. */
export interface Session {
  /** Who asks, for the audit record: `mcp:` and the client's name, cleaned and cut. */
  readonly client: Effect.Effect<string>
  /**
   * Sends a notification; dropped when the connection is closed. Returns once the connection took it, so that who
   * waits for it never has more than one on its way to a slow client. Never fails.
   */
  readonly notify: (method: string, params?: JsonObject) => Effect.Effect<void>
}
