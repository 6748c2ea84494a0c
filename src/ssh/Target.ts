import { Equal, Hash } from "effect"
import type { Login } from "../config/Credential.ts"
import type { HostKeyPolicy } from "../config/HostKeyPolicy.ts"

/**
 * Where to connect and as whom: the checked address, never a name that would be resolved again.
 *
 * Two targets are equal when address, port, name, user, login material and host key policy are: the pool keys its
 * connections by this, so that a reload never reuses a connection whose credential or host key it revoked.
 */
export class Target implements Equal.Equal {
  readonly alias: string
  /** The name that known_hosts is searched for, as configured. */
  readonly hostname: string
  /** The address that the network policy allowed. */
  readonly address: string
  readonly port: number
  readonly login: Login
  readonly hostKeys: HostKeyPolicy
  private readonly key: string

  constructor(fields: {
    readonly alias: string
    readonly hostname: string
    readonly address: string
    readonly port: number
    readonly login: Login
    readonly hostKeys: HostKeyPolicy
  }) {
    this.alias = fields.alias
    this.hostname = fields.hostname
    this.address = fields.address
    this.port = fields.port
    this.login = fields.login
    this.hostKeys = fields.hostKeys
    this.key = JSON.stringify([
      fields.address,
      fields.port,
      fields.hostname,
      fields.login.username,
      fields.login.digest,
      fields.hostKeys.paths,
      fields.hostKeys.digest
    ])
  }

  [Equal.symbol](that: Equal.Equal): boolean {
    return that instanceof Target && that.key === this.key
  }

  [Hash.symbol](): number {
    return Hash.string(this.key)
  }
}
