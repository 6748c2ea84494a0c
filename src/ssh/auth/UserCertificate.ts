import { Result } from "effect"
import {
  type Certificate,
  certificateDefect,
  certificateTime,
  decodeCertificate,
  validityAt
} from "../../config/Certificates.ts"
import { type SshError, sshError } from "../errors.ts"

/**
 * A certificate that a server may be offered: it decodes, is a user certificate that forces no command, and is valid
 * at `millis`. Whether it names the user among its principals is the server's to judge (AuthorizedPrincipalsFile).
 */
export const usableCertificate = (
  alias: string,
  bytes: Uint8Array,
  millis: number
): Result.Result<Certificate, SshError> => {
  const invalid = (detail: string) => Result.fail(sshError(alias, "CertificateInvalid", detail))
  const decoded = decodeCertificate(bytes)
  if (Result.isFailure(decoded)) return invalid(decoded.failure)
  const certificate = decoded.success
  const defect = certificateDefect(certificate)
  if (defect !== undefined) return invalid(defect)
  switch (validityAt(certificate, millis)) {
    case "expired": {
      const detail = `the certificate expired at ${certificateTime(certificate.validBefore)}`
      return Result.fail(sshError(alias, "CertificateExpired", detail))
    }
    case "not yet":
      return invalid(`the certificate is not valid before ${certificateTime(certificate.validAfter)}`)
    case "valid":
      return Result.succeed(certificate)
  }
}

/** Whether a certificate certifies the key with this wire form. */
export const certifies = (certificate: Certificate, publicKey: Uint8Array): boolean =>
  Buffer.from(certificate.publicKey).equals(publicKey)
