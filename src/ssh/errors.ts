import { Schema } from "effect"

/** Why a connection could not be made, or was lost. The names are stable: logs and tests use them. */
export const SshFailure = Schema.Literals([
  "AgentEmpty",
  "AgentUnavailable",
  "AuthenticationFailed",
  "CertificateExpired",
  "CertificateInvalid",
  "ChannelRefused",
  "ChannelsBusy",
  "ConnectTimeout",
  "ConnectionLost",
  "ConnectionRefused",
  "HostCertificateOnly",
  "HostKeyMismatch",
  "HostKeyRevoked",
  "HostKeyUnknown",
  "JumpHostFailed",
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
  AgentEmpty:
    "SSH agent has no usable key: It answers but holds none that can be offered. Ask the operator to add the key with ssh-add (Ed25519/ECDSA/RSA) and to try again.",
  AgentUnavailable:
    "SSH agent unavailable: SSH_AUTH_SOCK is not set for this server, or nothing answers there. MCP clients do not pass the variable on: ask the operator to start ssh-agent and to set SSH_AUTH_SOCK in `env` of this server's entry in the client's configuration.",
  AuthenticationFailed:
    "SSH authentication failed: Invalid credentials. Ask the operator to check the user name and the key or password of this host's credentials.",
  CertificateExpired:
    "SSH certificate expired: The user certificate is past its validity. Ask the operator to have it renewed, then reload the configuration (ssh_reload_config).",
  CertificateInvalid:
    "SSH certificate invalid: The user certificate cannot be used. Ask the operator to check that certificate_path is a user certificate of this key that is valid now and forces no command.",
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
  HostCertificateOnly:
    "SSH host key not found: Add host to known_hosts. Only a certificate authority is known for this host, and host certificates are not supported. Ask the operator to add the host's own key with `mcp-ssh-orchestrator trust` and the alias of the host.",
  HostKeyMismatch:
    "SSH host key verification failed: Host key mismatch. The host's identity changed; do not retry. Ask the operator whether the host got a new key: `mcp-ssh-orchestrator trust` and the alias of the host compares it with known_hosts and names the line to remove.",
  HostKeyRevoked:
    "SSH host key verification failed: Host key is revoked. Do not retry: the host uses a key that must not be trusted any more. Ask the operator to give the host a new key.",
  HostKeyUnknown:
    "SSH host key not found: Add host to known_hosts. Ask the operator to verify the host's key and to add it with `mcp-ssh-orchestrator trust` and the alias of the host.",
  JumpHostFailed:
    "SSH jump host failed: The command did not run. Check the jump host with ssh_ping, or ask the operator to check it.",
  KeyFormatInvalid:
    "SSH key format invalid: Check key file format (RSA/Ed25519/ECDSA). Ask the operator to convert the key to the OpenSSH format.",
  KeyPassphraseRequired:
    "SSH key requires passphrase: Provide key_passphrase_secret. Ask the operator to check the passphrase secret of this host's credentials.",
  KnownHostsUnreadable:
    "SSH host key verification failed: known_hosts cannot be read. Ask the operator to check known_hosts_path in policy.yml.",
  NetworkUnreachable:
    "SSH network unreachable: Cannot reach host. Ask the operator to check the route, the VPN or the firewall.",
  NoAuthenticationMethod:
    "SSH authentication failed: No usable authentication method. Ask the operator to set key_path, agent or password_secret for this host's credentials.",
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
  detail: Schema.String,
  /** Of a `JumpHostFailed`, whose `alias` is the jump host's: what failed there. None: it forwards no connection. */
  because: Schema.optionalKey(SshFailure)
}) {
  override get message(): string {
    return this.failure === "JumpHostFailed" ? jumpHostText(this.alias, this.because) : TEXTS[this.failure]
  }
}

/** The alias of a jump host is one of the inventory, which a client may list. */
const jumpHostText = (alias: string, because: SshFailure | undefined): string => {
  const failed = `SSH jump host failed: The command did not run, because the jump host '${alias}'`
  switch (because) {
    case undefined:
      return `${failed} refused to forward the connection. Ask the operator to check AllowTcpForwarding, PermitOpen and the account's restrictions there.`
    case "ConnectionLost":
      return `${failed} was lost. Check it with ssh_ping, then try again.`
    default:
      return `${failed} could not be used. ${TEXTS[because]}`
  }
}

/**
 * What the failure of a jump host is for the hosts behind it: `JumpHostFailed` with the alias of that jump host. In a
 * chain it stays the one that failed first.
 */
export const jumpHostFailed = (error: SshError): SshError =>
  error.failure === "JumpHostFailed"
    ? error
    : new SshError({
        failure: "JumpHostFailed",
        alias: error.alias,
        detail: `${error.failure}: ${error.detail}`,
        because: error.failure
      })

/** Makes an `SshError` about a host. */
export const sshError = (alias: string, failure: SshFailure, detail: string): SshError =>
  new SshError({ failure, alias, detail })
