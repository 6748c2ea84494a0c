import { Schema } from "effect"

/** Why a connection could not be made, or was lost. The names are stable: logs and tests use them. */
export const SshFailure = Schema.Literals([
  "AuthenticationFailed",
  "ChannelRefused",
  "ChannelsBusy",
  "ConnectTimeout",
  "ConnectionLost",
  "ConnectionRefused",
  "HostKeyMismatch",
  "HostKeyRevoked",
  "HostKeyUnknown",
  "KeyFormatInvalid",
  "KeyPassphraseRequired",
  "KnownHostsUnreadable",
  "NetworkUnreachable",
  "NoAuthenticationMethod",
  "ProtocolError",
  "ResolutionFailed"
])
export type SshFailure = typeof SshFailure.Type

/** What a client is told: the fixed text of the failure, then the next step. No address, path, user or secret. */
const TEXTS: Record<SshFailure, string> = {
  AuthenticationFailed:
    "SSH authentication failed: Invalid credentials. Ask the operator to check the user name and the key or password of this host's credentials.",
  ChannelRefused:
    "SSH channel refused: The host did not open a session. Ask the operator to check MaxSessions and the account's restrictions, then try again.",
  ChannelsBusy:
    "SSH channels busy: All session slots of this host stayed in use. Wait for running tasks to end (ssh_list_tasks) or cancel one.",
  ConnectTimeout:
    "SSH connection timeout: Host did not respond. Check with ssh_ping whether it is up, or ask the operator to raise connect_timeout_seconds.",
  ConnectionLost:
    "SSH connection lost: The outcome of the command is unknown. Check the host's state before you run the command again.",
  ConnectionRefused:
    "SSH connection refused: Port may be closed or firewall blocking. Ask the operator whether sshd runs on the configured port.",
  HostKeyMismatch:
    "SSH host key verification failed: Host key mismatch. The host's identity changed; do not retry. Ask the operator to verify the new key and update known_hosts.",
  HostKeyRevoked:
    "SSH host key verification failed: Host key is revoked. Do not retry; ask the operator to check known_hosts.",
  HostKeyUnknown:
    "SSH host key not found: Add host to known_hosts. Ask the operator to verify the host's key and add it.",
  KeyFormatInvalid:
    "SSH key format invalid: Check key file format (RSA/Ed25519/ECDSA). Ask the operator to convert the key to the OpenSSH format.",
  KeyPassphraseRequired:
    "SSH key requires passphrase: Provide key_passphrase_secret. Ask the operator to check the passphrase secret of this host's credentials.",
  KnownHostsUnreadable:
    "SSH host key verification failed: known_hosts cannot be read. Ask the operator to check known_hosts_path in policy.yml.",
  NetworkUnreachable:
    "SSH network unreachable: Cannot reach host. Ask the operator to check the route, the VPN or the firewall.",
  NoAuthenticationMethod:
    "SSH authentication failed: No usable authentication method. Ask the operator to set key_path or password_secret for this host's credentials.",
  ProtocolError:
    "SSH protocol error: The server did not complete the SSH handshake. Ask the operator whether an SSH server answers on the configured port.",
  ResolutionFailed:
    "SSH hostname resolution failed: DNS lookup failed. Ask the operator to check the host's name in servers.yml."
}

/**
 * A command could not be run on a host, or its outcome is unknown. A remote exit code other than 0 is a result, not
 * this error.
 *
 * `message` is safe for a client; `detail` may hold addresses and library texts and belongs in the log only.
 */
export class SshError extends Schema.TaggedError<SshError>()("SshError", {
  failure: SshFailure,
  alias: Schema.String,
  detail: Schema.String
}) {
  override get message(): string {
    return TEXTS[this.failure]
  }
}

/** Makes an `SshError` about a host. */
export const sshError = (alias: string, failure: SshFailure, detail: string): SshError =>
  new SshError({ failure, alias, detail })
