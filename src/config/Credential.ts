import type { Redacted } from "effect"

/** Bytes of a secret below which it is not masked in output: it would be found inside ordinary words everywhere. */
export const MIN_MASKED_SECRET = 4

/**
 * How to log in to a host, with every file read and every secret resolved. Made once per reload by `ConfigDirectory`;
 * nothing in it is printed, logged or shown (secrets are `Redacted`, and `digest` never leaves the process).
 */
export interface Login {
  readonly username: string
  /** The private key's text and, when it is encrypted, its passphrase. */
  readonly key?: { readonly pem: Redacted.Redacted<string>; readonly passphrase?: Redacted.Redacted<string> }
  /** The wire form of the user certificate, known to be one that `decodeCertificate` reads. */
  readonly certificate?: Uint8Array
  readonly agent?: {
    /** Where ssh-agent(1) listens; undefined when our environment has no SSH_AUTH_SOCK. */
    readonly socket: string | undefined
    /** The wire form of the public key beside `key_path` (`.pub`), which the agent is asked for first. */
    readonly preferred?: Uint8Array
  }
  readonly password?: Redacted.Redacted<string>
  /** Changes whenever the user, the key, the passphrase, the certificate, the agent or the password does. */
  readonly digest: string
}

/** Whether anything is configured to authenticate with. A certificate alone is nothing: its key must be somewhere. */
export const canAuthenticate = ({ agent, key, password }: Login): boolean =>
  key !== undefined || agent !== undefined || password !== undefined
