import type { ServerHostKeyAlgorithm } from "ssh2"
import { type SshError, sshError, type SshFailure } from "../errors.ts"
import { describeKey } from "./Fingerprint.ts"
import { type HostIdentity, type KnownHosts, knownKeyTypes, storedHostKeys, verifyHostKey } from "./KnownHosts.ts"
import type { KnownHost } from "./KnownHostsLine.ts"
import type { Target } from "../Target.ts"

/** The signature algorithms that each type of host key is asked for with: without SHA-1 (RFC 9142), the best first. */
export const HOST_KEY_ALGORITHMS: Readonly<Record<string, ReadonlyArray<ServerHostKeyAlgorithm>>> = {
  "ssh-ed25519": ["ssh-ed25519"],
  "ecdsa-sha2-nistp256": ["ecdsa-sha2-nistp256"],
  "ecdsa-sha2-nistp384": ["ecdsa-sha2-nistp384"],
  "ecdsa-sha2-nistp521": ["ecdsa-sha2-nistp521"],
  "ssh-rsa": ["rsa-sha2-512", "rsa-sha2-256"]
}

/**
 * The algorithms to offer for a host: those of its stored key types in our order, or all when nothing usable is stored,
 * so that the refusal can say which key the host has.
 */
const algorithmsFor = (types: ReadonlyArray<string>): Array<ServerHostKeyAlgorithm> => {
  const offered = Object.entries(HOST_KEY_ALGORITHMS).flatMap(([type, algorithms]) =>
    types.includes(type) ? algorithms : []
  )
  return offered.length > 0 ? offered : Object.values(HOST_KEY_ALGORITHMS).flat()
}

/** How known_hosts is asked about a target. */
export const identityOf = (target: Target): HostIdentity => ({
  hostname: target.hostname,
  address: target.via === undefined ? target.address : undefined,
  port: target.port
})

/** The check of one connection's host key, also at each rekey. */
export interface HostKeyCheck {
  /** What to offer in the key exchange. */
  readonly algorithms: Array<ServerHostKeyAlgorithm>
  /** For ssh2's `hostVerifier`. */
  readonly verify: (key: Buffer, answer: (accepted: boolean) => void) => void
  /** The accepted key, as `describeKey` gives it, and the line that has it, as `FILE:LINE`. */
  readonly accepted: () => { readonly key: string; readonly knownAt: string } | undefined
  /** Why the key was refused, once it was. */
  readonly refusal: () => SshError | undefined
  /** What a failed key exchange says about the host key, or nothing. */
  readonly explain: (message: string) => SshError | undefined
}

/** Makes the check of a connection to `target` against known_hosts. */
export const makeHostKeyCheck = (target: Target, known: KnownHosts): HostKeyCheck => {
  let accepted: { readonly key: Buffer; readonly entry: KnownHost } | undefined
  let refusal: SshError | undefined
  const host = identityOf(target)
  const storedTypes = knownKeyTypes(known, host)
  const file = known.path === "" ? "known_hosts" : known.path
  const where = ({ line }: KnownHost) => `${file}:${line}`
  const asked = `${target.hostname}${host.address === undefined ? "" : ` (${host.address})`} port ${target.port}`

  const refuse = (kind: SshFailure, detail: string): false => {
    refusal = sshError(target.alias, kind, detail)
    return false
  }
  const accepts = (key: Buffer): boolean => {
    // ssh2 asks again at every rekey, where only the same key may pass.
    if (accepted !== undefined) return key.equals(accepted.key)
    const verdict = verifyHostKey(known, host, key)
    const presented = `${asked} presents ${describeKey(key)}`
    switch (verdict._tag) {
      case "Trusted":
        accepted = { key: Buffer.from(key), entry: verdict.entry }
        return true
      case "Revoked":
        return refuse("HostKeyRevoked", `${presented}, which ${where(verdict.entry)} revokes`)
      case "Mismatch":
        return refuse(
          "HostKeyMismatch",
          `${presented}, but ${where(verdict.entry)} has ${describeKey(verdict.entry.key)}`
        )
      case "CertificateOnly":
        return refuse(
          "HostCertificateOnly",
          `${presented}, and ${where(verdict.entry)} has only the certificate authority ${describeKey(verdict.entry.key)}`
        )
      case "Unknown":
        return refuse(
          "HostKeyUnknown",
          verdict.otherName === undefined
            ? `${presented}, and ${file} has no key for it`
            : `${presented}, which ${where(verdict.otherName)} gives to another name`
        )
    }
  }
  return {
    algorithms: algorithmsFor(storedTypes),
    // Must answer at once (an answer during a rekey that comes later breaks the connection), by a boolean (ssh2 rejects
    // on the literal false only) and through the callback (a value that is returned is another answer).
    verify: (key, answer) => {
      answer(accepts(key))
    },
    accepted: () => accepted && { key: describeKey(accepted.key), knownAt: where(accepted.entry) },
    refusal: () => refusal,
    explain: (message) =>
      message.includes("no matching host key format") && storedTypes.length > 0
        ? sshError(
            target.alias,
            "HostKeyMismatch",
            `${asked} has no key of the types that are stored for it: ${storedHostKeys(known, host)
              .map((entry) => `${where(entry)} has ${describeKey(entry.key)}`)
              .join(", ")}`
          )
        : undefined
  }
}
