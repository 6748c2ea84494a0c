import type { SshError, SshFailure } from "../ssh/errors.ts"
import type { ConnectStep } from "../ssh/Transport.ts"
import type { Step, StepName } from "./DoctorSteps.ts"

/** A step of a connect that is done, and when: milliseconds since the connect began. */
export interface Mark {
  readonly step: ConnectStep
  readonly at: number
}

/** What is connected to, as a person writes it. */
export interface Destination {
  readonly alias: string
  readonly address: string
  readonly port: number
  readonly username: string
}

/** The steps of a connect, in order. */
const CONNECT_STEPS = ["connect", "key exchange", "host key", "log in"] as const
type ConnectStepName = (typeof CONNECT_STEPS)[number]

/** Where something goes wrong: at a step whatever was done before, or at the first that was not done. */
type Place = Exclude<StepName, ConnectStepName> | "host key" | "log in" | "next"

/** Where a failure shows, and what the person who runs this program does about it. */
const FAILURES: Record<SshFailure, readonly [Place, string]> = {
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
  CertificateInvalid: ["log in", "use a user certificate of the key that is valid now and forces no command"],
  ChannelRefused: ["channel", "check MaxSessions in sshd_config and the account's shell and restrictions"],
  ChannelsBusy: ["channel", "wait for running commands, or raise MaxSessions in sshd_config"],
  ConnectTimeout: ["next", "raise connect_timeout_seconds in policy.yml"],
  ConnectionLost: ["next", "try again; if it happens each time, look at the host's sshd log"],
  ConnectionRefused: ["next", "check that sshd runs there, and the port in servers.yml"],
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
  JumpHostFailed: ["next", "check AllowTcpForwarding and PermitOpen on the jump host, and that it reaches the host"],
  KeyFormatInvalid: ["log in", "convert the key to the OpenSSH format: ssh-keygen -p -f KEY"],
  KeyPassphraseRequired: [
    "log in",
    "set key_passphrase_secret in credentials.yml to a secret with the right passphrase"
  ],
  KnownHostsUnreadable: ["host key", "check known_hosts_path in policy.yml and the permissions of the file"],
  NetworkUnreachable: ["next", "check the route, the VPN and the firewall"],
  NoAuthenticationMethod: ["log in", "set key_path, agent or password_secret in credentials.yml"],
  ProtocolError: ["next", "check that an SSH server answers on the port in servers.yml"],
  ResolutionFailed: ["resolve", "check host in servers.yml and the resolver"]
}

/** What to do about a host that stops answering at a step. */
const NO_ANSWER: Record<ConnectStepName, string> = {
  connect: "check that the host is up and that no firewall drops the port; else raise connect_timeout_seconds",
  "key exchange":
    "something accepts connections there and does not speak SSH: check the port in servers.yml, a proxy on the way, and the load of the host",
  "host key": "try again; look at the load of the host",
  "log in":
    "the host is slow to judge the login: check its load, UseDNS and PAM in sshd_config; else raise connect_timeout_seconds"
}

/** What a failure is for a person: the step, the cause, and what to do. */
const failedStep = ({ detail, failure }: SshError, alias: string, next: StepName, ms: number): Step => {
  const [place, fix] = FAILURES[failure]
  const step = place === "next" ? next : place
  const noAnswer = failure === "ConnectTimeout" && step in NO_ANSWER ? NO_ANSWER[step as ConnectStepName] : undefined
  return {
    step,
    status: "failed",
    ms,
    detail: `${failure}${detail === "" ? "" : `: ${detail}`}`,
    fix: (noAnswer ?? fix).replace("ALIAS", alias)
  }
}

const described = (step: ConnectStep, to: Destination): readonly [ConnectStepName, string] | undefined => {
  switch (step._tag) {
    case "Prepared":
      return undefined
    case "Connected":
      return ["connect", `${to.address.includes(":") ? `[${to.address}]` : to.address}:${to.port}`]
    case "KeyExchanged":
      return ["key exchange", step.software === "" ? "" : `with ${step.software}`]
    case "HostKeyVerified":
      return ["host key", `${step.key}, as in ${step.knownAt}`]
    case "Authenticated":
      return ["log in", `as ${to.username} by ${step.methods.join(", then ")}`]
  }
}

/** What a connect came past, each step with its own time: from the end of the one before it to its own. Pure. */
export const stepsOfConnect = (marks: ReadonlyArray<Mark>, to: Destination): ReadonlyArray<Step> =>
  marks.flatMap(({ at, step }, index): ReadonlyArray<Step> => {
    const [name, detail] = described(step, to) ?? []
    const ms = at - (marks[index - 1]?.at ?? 0)
    return name === undefined || detail === undefined ? [] : [{ step: name, status: "ok", ms, detail }]
  })

/**
 * A failed connect: what it came past, then the step that failed, with cause, fix, and the time since the last one that
 * did not. What is found wrong before anything is sent, such as a key without its passphrase, stands alone. Pure.
 */
export const stepsOfConnectFailure = (
  error: SshError,
  marks: ReadonlyArray<Mark>,
  to: Destination,
  at: number
): ReadonlyArray<Step> => {
  const passed = stepsOfConnect(marks, to)
  const next = CONNECT_STEPS.find((name) => !passed.some(({ step }) => step === name)) ?? "log in"
  return [...passed, failedStep(error, to.alias, next, at - (marks.at(-1)?.at ?? 0))]
}

/** A command that could not be run on a connection. Pure. */
export const stepOfExecFailure = (error: SshError, alias: string, ms: number): Step =>
  failedStep(error, alias, "channel", ms)
