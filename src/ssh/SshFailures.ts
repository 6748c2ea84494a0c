import type { SshFailure } from "./errors.ts"

/** How far a connection had come: no handshake yet, in authentication, or in use. */
export type ConnectPhase = "connecting" | "authenticating" | "open"

/** What is read from an error of the SSH library or of the socket. */
export interface LibraryError {
  readonly message: string
  /** ssh2's `level`: `client-socket`, `client-timeout`, `client-authentication`, `protocol`, `handshake`, `agent` … */
  readonly level?: unknown
  /** A Node error code such as `ECONNREFUSED`, or an SSH disconnect reason (RFC 4253 §11.1). */
  readonly code?: unknown
}

const UNREACHABLE = new Set([
  "EACCES",
  "EADDRNOTAVAIL",
  "EHOSTDOWN",
  "EHOSTUNREACH",
  "EINVAL",
  "ENETDOWN",
  "ENETUNREACH",
  "EPERM"
])

/** Names the failure behind an error that ended an attempt to connect, or an open connection. */
export const connectFailure = (phase: ConnectPhase, error: LibraryError): SshFailure => {
  if (phase === "open") return "ConnectionLost"
  if (error.code === "ECONNREFUSED") return "ConnectionRefused"
  if (typeof error.code === "string" && UNREACHABLE.has(error.code)) return "NetworkUnreachable"
  if (error.code === "ETIMEDOUT" || error.level === "client-timeout") return "ConnectTimeout"
  if (error.code === "ENOTFOUND" || error.code === "EAI_AGAIN" || error.level === "client-dns") {
    return "ResolutionFailed"
  }
  if (error.level === "client-authentication") return "AuthenticationFailed"
  // A server that hangs up in authentication did so because of the attempts (MaxAuthTries, DenyUsers, LoginGraceTime).
  if (phase === "authenticating") return "AuthenticationFailed"
  return "ProtocolError"
}

/**
 * Whether a connection was dropped before the server said who it is, as sshd does above `MaxStartups`: nothing was
 * tried yet, so trying again is safe.
 */
export const isDroppedAtStart = (detail: string): boolean => detail.includes("Connection lost before handshake")

/**
 * Whether an attempt to connect failed for a cause that passes: the server dropped it before a word, or reset it before the
 * key exchange was over. Never a refused port (an answer: sshd does not run), a host key or an authentication, whose
 * repetition sshd punishes (sshd_config(5), PerSourcePenalties).
 */
export const isTransient = (error: { readonly failure: SshFailure; readonly detail: string }): boolean =>
  error.failure === "ProtocolError" && (isDroppedAtStart(error.detail) || /\b(?:ECONNRESET|EPIPE)\b/.test(error.detail))

/** Names the failure behind an error of `exec`: the server opened no session, or there is no server any more. */
export const execFailure = (error: LibraryError & { readonly reason?: unknown }): SshFailure =>
  error.reason !== undefined || error.message === "Unable to exec" || error.message === "No free channels available"
    ? "ChannelRefused"
    : "ConnectionLost"

/** Names the failure behind a private key that cannot be read: it is locked, or it is in a format that is not read. */
export const keyFailure = (message: string, encrypted: boolean): SshFailure => {
  if (/passphrase|integrity check failed/i.test(message)) return "KeyPassphraseRequired"
  return encrypted && /malformed|decrypt|unable to authenticate/i.test(message)
    ? "KeyPassphraseRequired"
    : "KeyFormatInvalid"
}

/** `SIGKILL` or `KILL` as `KILL`; a name that is none becomes `UNKNOWN` (the host is not trusted with our log). */
export const signalName = (raw: string): string => {
  const name = raw.startsWith("SIG") ? raw.slice(3) : raw
  return /^[A-Z0-9+-]{1,16}(?:@[A-Za-z0-9.-]{1,48})?$/.test(name) ? name : "UNKNOWN"
}
