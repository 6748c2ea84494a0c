import type { Duration, Effect } from "effect"
import { Context } from "effect"
import type { SshError } from "../errors.ts"
import type { Connection } from "../Transport.ts"

/** A server whose host keys are asked for. */
export interface ScannedServer {
  /** For errors. */
  readonly alias: string
  /** The checked address, or behind a jump host what that is to connect to. */
  readonly address: string
  readonly port: number
  /** The connection to the jump host that the server is behind; it must outlive the scan. */
  readonly through?: Connection
}

/**
 * Asks servers for their host keys, as ssh-keyscan(1): for a person who is about to decide on them. It authenticates
 * nobody and accepts nothing on anybody's behalf.
 */
export class HostKeyScan extends Context.Service<
  HostKeyScan,
  {
    /**
     * The keys of a server in wire format, one of each type that we could use, in the order in which we would prefer
     * them; none when it has only others. The server proved that it holds each. One connection a type, at the same
     * time, all within `budget` and closed at the end. The first connection that fails fails the scan.
     */
    readonly scan: (
      server: ScannedServer,
      budget: Duration.Duration
    ) => Effect.Effect<ReadonlyArray<Uint8Array>, SshError>
  }
>()("mcp-ssh-orchestrator/ssh/HostKeyScan") {}
