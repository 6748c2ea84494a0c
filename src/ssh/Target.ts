import { Equal, Hash } from "effect"
import type { Login } from "../config/Credential.ts"
import type { HostKeyPolicy } from "../config/HostKeyPolicy.ts"

/** What a target is made of. */
export interface TargetFields {
  readonly alias: string
  readonly hostname: string
  readonly address: string
  readonly port: number
  readonly login: Login
  readonly hostKeys: HostKeyPolicy
  readonly via?: Target | undefined
}

/**
 * Where to connect, through which hosts, and as whom: the checked address, never a name that would be resolved again
 * here.
 *
 * Two targets are equal when address, port, name, user, login material, host key policy and the whole chain of jump
 * hosts are: the pool keys its connections by this, so that a reload never reuses a connection whose credential, host
 * key or route it revoked.
 */
export class Target implements Equal.Equal {
  readonly alias: string
  /** The name that known_hosts is searched for, as configured. */
  readonly hostname: string
  /**
   * The address that the network policy allowed. Behind a jump host, and only when no network list is configured, it can
   * be `hostname`: a name that the jump host is to resolve.
   */
  readonly address: string
  readonly port: number
  readonly login: Login
  readonly hostKeys: HostKeyPolicy
  /** The jump host to connect through, which has a `via` of its own in a chain; undefined for a direct connection. */
  readonly via: Target | undefined
  private readonly identity: ReadonlyArray<unknown>
  private readonly key: string

  constructor(fields: TargetFields) {
    this.alias = fields.alias
    this.hostname = fields.hostname
    this.address = fields.address
    this.port = fields.port
    this.login = fields.login
    this.hostKeys = fields.hostKeys
    this.via = fields.via
    this.identity = [
      fields.address,
      fields.port,
      fields.hostname,
      fields.login.username,
      fields.login.digest,
      fields.hostKeys.paths,
      fields.hostKeys.digest,
      fields.via === undefined ? null : fields.via.identity
    ]
    this.key = JSON.stringify(this.identity)
  }

  /** The aliases of the jump hosts, the one that is connected to directly first; for logs. */
  get hops(): ReadonlyArray<string> {
    return this.via === undefined ? [] : [...this.via.hops, this.via.alias]
  }

  [Equal.symbol](that: Equal.Equal): boolean {
    return that instanceof Target && that.key === this.key
  }

  [Hash.symbol](): number {
    return Hash.string(this.key)
  }
}
