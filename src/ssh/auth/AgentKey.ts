import { Result } from "effect"
import type { ParsedKey } from "ssh2"
import { wireReader, wireText } from "../../config/SshWire.ts"
import { type SshError, sshError } from "../errors.ts"
import { type AgentCertificate, certifiedAgentKey } from "../ssh2/Ssh2Signing.ts"
import type { AuthLibrary } from "./AuthLibrary.ts"
import { usableCertificate } from "./UserCertificate.ts"

/** A key of an agent, or a certificate of one. */
export interface AgentKey extends AgentCertificate {
  /** The wire form of the key itself, without the certificate. */
  readonly publicKey: Uint8Array
  readonly certificate: boolean
}

/** A public key that the library can use; undefined for others, such as those of FIDO devices. */
const parsePublic = ({ parseKey }: AuthLibrary["utils"], wire: Uint8Array): ParsedKey | undefined => {
  const answer: unknown = parseKey(Buffer.from(wire))
  return typeof answer === "object" && answer !== null && "getPublicSSH" in answer ? (answer as ParsedKey) : undefined
}

/**
 * What an agent lists, in wire form, as it can be offered to a server. Undefined for a kind of key that the library does not
 * know; a failure for a certificate that must not be offered at `millis`.
 */
export const readIdentity = (
  utils: AuthLibrary["utils"],
  alias: string,
  blob: Uint8Array,
  millis: number
): Result.Result<AgentKey, SshError> | undefined => {
  if (!wireText(wireReader(blob).string()).endsWith("-cert-v01@openssh.com")) {
    const key = parsePublic(utils, blob)
    return key && Result.succeed({ offered: key, signer: key, signing: {}, publicKey: blob, certificate: false })
  }
  const usable = usableCertificate(alias, blob, millis)
  if (Result.isFailure(usable)) return Result.fail(usable.failure)
  const { publicKey } = usable.success
  const key = parsePublic(utils, publicKey)
  if (key === undefined) return undefined
  return Result.mapBoth(certifiedAgentKey(key, blob), {
    onSuccess: (certified) => ({ ...certified, publicKey, certificate: true }),
    onFailure: (detail) => sshError(alias, "CertificateInvalid", detail)
  })
}
