import type { ServerHostKeyAlgorithm } from "ssh2"
import { type SshError, sshError, type SshFailure } from "./errors.ts"
import { knownKeyTypes, verifyHostKey } from "./KnownHosts.ts"
import type { KnownHost } from "./KnownHosts.ts"
import type { Target } from "./Target.ts"

/** Signature algorithms of host keys, without SHA-1 (RFC 9142). */
const HOST_KEY_ALGORITHMS: ReadonlyArray<ServerHostKeyAlgorithm> = [
  "ssh-ed25519",
  "ecdsa-sha2-nistp256",
  "ecdsa-sha2-nistp384",
  "ecdsa-sha2-nistp521",
  "rsa-sha2-512",
  "rsa-sha2-256"
]

/** The signature algorithms to offer for a host: those of its stored key types, or all when nothing usable is stored. */
const algorithmsFor = (types: ReadonlyArray<string>): Array<ServerHostKeyAlgorithm> => {
  const wanted = types.flatMap((type) => (type === "ssh-rsa" ? ["rsa-sha2-512", "rsa-sha2-256"] : [type]))
  const offered = wanted.flatMap((type) => HOST_KEY_ALGORITHMS.filter((algorithm) => algorithm === type))
  return offered.length > 0 ? offered : [...HOST_KEY_ALGORITHMS]
}

/** The check of one connection's host key, also at each rekey. */
export interface HostKeyCheck {
  /** What to offer in the key exchange. */
  readonly algorithms: Array<ServerHostKeyAlgorithm>
  /** For ssh2's `hostVerifier`. */
  readonly verify: (key: Buffer, answer: (accepted: boolean) => void) => void
  /** Why the key was refused, once it was. */
  readonly refusal: () => SshError | undefined
  /** What a failed key exchange says about the host key, or nothing. */
  readonly explain: (message: string) => SshError | undefined
}

/** Makes the check of a connection to `target` against the lines of known_hosts. */
export const makeHostKeyCheck = (target: Target, known: ReadonlyArray<KnownHost>): HostKeyCheck => {
  let acceptedKey: Buffer | undefined
  let refusal: SshError | undefined
  const storedTypes = knownKeyTypes(known, target)

  const refuse = (kind: SshFailure, detail: string): boolean => {
    refusal = sshError(target.alias, kind, detail)
    return false
  }
  const accepts = (key: Buffer): boolean => {
    // ssh2 asks again at every rekey, where only the same key may pass.
    if (acceptedKey !== undefined) return key.equals(acceptedKey)
    const verdict = verifyHostKey(known, target, key)
    switch (verdict._tag) {
      case "Trusted":
        acceptedKey = Buffer.from(key)
        return true
      case "Revoked":
        return refuse("HostKeyRevoked", `known_hosts line ${verdict.line}`)
      case "Mismatch":
        return refuse("HostKeyMismatch", `known_hosts line ${verdict.line}`)
      case "Unknown":
        return refuse("HostKeyUnknown", `no entry for ${target.hostname} or ${target.address}`)
    }
  }
  return {
    algorithms: algorithmsFor(storedTypes),
    // Must answer at once (an answer during a rekey that comes later breaks the connection), by a boolean (ssh2 rejects
    // on the literal false only) and through the callback (a value that is returned is another answer).
    verify: (key, answer) => {
      answer(accepts(key))
    },
    refusal: () => refusal,
    explain: (message) =>
      message.includes("no matching host key format") && storedTypes.length > 0
        ? sshError(target.alias, "HostKeyMismatch", `the host has no key of the stored types ${storedTypes.join(", ")}`)
        : undefined
  }
}
