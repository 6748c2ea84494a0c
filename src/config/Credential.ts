import type { Redacted } from "effect"

/**
 * How to log in to a host, with every file read and every secret resolved. Made once per reload by `ConfigDirectory`;
 * nothing in it is printed, logged or shown (secrets are `Redacted`, and `digest` never leaves the process).
 */
export interface Login {
  readonly username: string
  /** The private key's text and, when it is encrypted, its passphrase. */
  readonly key?: { readonly pem: Redacted.Redacted<string>; readonly passphrase?: Redacted.Redacted<string> }
  readonly password?: Redacted.Redacted<string>
  /** Changes whenever the user, the key, the passphrase or the password does. */
  readonly digest: string
}
