import type { SshError, SshFailure } from "../ssh/errors.ts"
import { printable } from "./Table.ts"

/** What is looked at, in order; a host is examined up to the first that fails. */
export type StepName =
  | "configuration"
  | "resolve"
  | "connect"
  | "host key"
  | "log in"
  | "channel"
  | "login shell"
  | "stop"
  | "clock"

/** One thing that was looked at. */
export interface Step {
  readonly step: StepName
  /** The jump host that it is about; absent for the host itself. */
  readonly hop?: string
  readonly status: "ok" | "warning" | "failed"
  /** How long it took; absent where it was part of the next step that has a time. */
  readonly ms?: number
  /** What was found, or the cause of the failure. */
  readonly detail: string
  /** What to do about it. */
  readonly fix?: string
}

/** What came of one host. */
export interface HostExamination {
  readonly alias: string
  /** Whether no step failed. */
  readonly ok: boolean
  readonly steps: ReadonlyArray<Step>
}

/** How far a connect had come when it failed, and what the person who runs this program does about it. */
const STAGES: Record<SshFailure, readonly [StepName, string]> = {
  AgentEmpty: ["log in", "add the key with ssh-add"],
  AgentUnavailable: [
    "log in",
    "start ssh-agent and set SSH_AUTH_SOCK, also in the env of the MCP client's entry for this server"
  ],
  AuthenticationFailed: [
    "log in",
    "compare username and key_path (or the password secret) in credentials.yml with what the host accepts; its log says why it refused"
  ],
  CertificateExpired: ["log in", "have the certificate renewed"],
  CertificateInvalid: ["log in", "set certificate_path to a user certificate of the key that is valid now"],
  ChannelRefused: ["channel", "check MaxSessions in sshd_config and the account's shell and restrictions"],
  ChannelsBusy: ["channel", "wait for running commands, or raise MaxSessions in sshd_config"],
  ConnectTimeout: [
    "connect",
    "check that the host is up and that no firewall drops the port; else raise connect_timeout_seconds"
  ],
  ConnectionLost: ["channel", "try again; if it happens each time, look at the host's sshd log"],
  ConnectionRefused: ["connect", "check that sshd runs there, and the port in servers.yml"],
  HostCertificateOnly: [
    "host key",
    "add the host's own key: mcp-ssh-orchestrator trust ALIAS (host certificates are not supported)"
  ],
  HostKeyMismatch: [
    "host key",
    "find out whether the host got a new key; mcp-ssh-orchestrator trust ALIAS compares it and names the line to remove"
  ],
  HostKeyRevoked: ["host key", "give the host a new key; the one it uses is marked @revoked"],
  HostKeyUnknown: ["host key", "verify the fingerprint and add the key: mcp-ssh-orchestrator trust ALIAS"],
  JumpHostFailed: ["connect", "check AllowTcpForwarding and PermitOpen on the jump host, and that it reaches the host"],
  KeyFormatInvalid: ["log in", "convert the key to the OpenSSH format: ssh-keygen -p -f KEY"],
  KeyPassphraseRequired: [
    "log in",
    "set key_passphrase_secret in credentials.yml to a secret with the right passphrase"
  ],
  KnownHostsUnreadable: ["host key", "check known_hosts_path in policy.yml and the permissions of the file"],
  NetworkUnreachable: ["connect", "check the route, the VPN and the firewall"],
  NoAuthenticationMethod: ["log in", "set key_path, agent or password_secret in credentials.yml"],
  ProtocolError: ["connect", "check that an SSH server answers on the port in servers.yml"],
  ResolutionFailed: ["resolve", "check host in servers.yml and the resolver"]
}

/** The steps of a connect, in order. */
const CONNECT_STEPS = ["connect", "host key", "log in"] as const

/** A failed connect or exec as steps: those that went well before, then the one that failed, with cause and fix. Pure. */
export const stepsOfFailure = (error: SshError, alias: string, ms: number): ReadonlyArray<Step> => {
  const [step, fix] = STAGES[error.failure]
  const passed = CONNECT_STEPS.slice(0, Math.max(0, CONNECT_STEPS.indexOf(step as (typeof CONNECT_STEPS)[number])))
  return [
    ...passed.map((name): Step => ({ step: name, status: "ok", detail: "" })),
    {
      step,
      status: "failed",
      ms,
      detail: `${error.failure}${error.detail === "" ? "" : `: ${error.detail}`}`,
      fix: fix.replace("ALIAS", alias)
    }
  ]
}

/** A host that let us in, as steps; the time is that of all three. Pure. */
export const stepsOfSuccess = (detail: string, ms: number): ReadonlyArray<Step> => [
  { step: "connect", status: "ok", detail: "" },
  { step: "host key", status: "ok", detail: "as in known_hosts" },
  { step: "log in", status: "ok", ms, detail }
]

const LABELS = { ok: "ok  ", warning: "WARN", failed: "FAIL" } as const
const INDENT = " ".repeat(33)

/** An examination for a person: a line a step, then cause and fix where there are any. Pure; one line an element. */
export const explainHost = ({ alias, steps }: HostExamination): ReadonlyArray<string> => [
  alias,
  ...steps.flatMap(({ detail, fix, hop, ms, status, step }) => [
    [
      `  ${LABELS[status]}  ${step.padEnd(14)}`,
      ms === undefined ? " ".repeat(9) : `${String(Math.round(ms)).padStart(6)} ms`,
      printable(`${hop === undefined ? "" : `(${hop}) `}${detail}`)
    ]
      .join("  ")
      .trimEnd(),
    ...(fix === undefined ? [] : [`${INDENT}fix: ${printable(fix)}`])
  ])
]
