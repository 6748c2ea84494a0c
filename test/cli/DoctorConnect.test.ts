import { assert, describe, it } from "@effect/vitest"
import {
  type Destination,
  type Mark,
  stepOfExecFailure,
  stepsOfConnect,
  stepsOfConnectFailure
} from "../../src/cli/DoctorConnect.ts"
import { explainHost } from "../../src/cli/DoctorSteps.ts"
import { type SshFailure, SshFailure as SshFailures, sshError } from "../../src/ssh/errors.ts"
import type { ConnectStep } from "../../src/ssh/Transport.ts"

const TO: Destination = { alias: "web-1", address: "192.0.2.1", port: 2222, username: "deploy" }

/** A connect that goes well, at times that tell the steps apart. */
const MARKS: ReadonlyArray<Mark> = [
  { step: { _tag: "Prepared" }, at: 1 },
  { step: { _tag: "Connected" }, at: 11 },
  { step: { _tag: "KeyExchanged", software: "OpenSSH_9.2p1" }, at: 111 },
  { step: { _tag: "HostKeyVerified", key: "ssh-ed25519 SHA256:abc", knownAt: "/keys/known_hosts:3" }, at: 112 },
  { step: { _tag: "Authenticated", methods: ["agent's key", "password"] }, at: 1112 }
]

const until = (last: ConnectStep["_tag"] | undefined) =>
  MARKS.slice(0, MARKS.findIndex(({ step }) => step._tag === last) + 1)

const failureAt = (failure: SshFailure, last: ConnectStep["_tag"] | undefined) =>
  stepsOfConnectFailure(sshError("web-1", failure, "why"), until(last), TO, 5000)

describe("a connect in doctor", () => {
  it("has a step for each thing that is waited for, with its own time", () => {
    assert.deepStrictEqual(stepsOfConnect(MARKS, TO), [
      { step: "connect", status: "ok", ms: 10, detail: "192.0.2.1:2222" },
      { step: "key exchange", status: "ok", ms: 100, detail: "with OpenSSH_9.2p1" },
      { step: "host key", status: "ok", ms: 1, detail: "ssh-ed25519 SHA256:abc, as in /keys/known_hosts:3" },
      { step: "log in", status: "ok", ms: 1000, detail: "as deploy by agent's key, then password" }
    ])
  })

  it("writes an IPv6 address so that its port can be told", () => {
    assert.strictEqual(stepsOfConnect(MARKS, { ...TO, address: "2001:db8::1" })[0]?.detail, "[2001:db8::1]:2222")
  })

  const rows: ReadonlyArray<
    readonly [failure: SshFailure, last: ConnectStep["_tag"] | undefined, steps: string, fix: string]
  > = [
    ["ConnectTimeout", "Prepared", "connect", "firewall"],
    ["ConnectTimeout", "Connected", "connect, key exchange", "does not speak SSH"],
    ["ConnectTimeout", "HostKeyVerified", "connect, key exchange, host key, log in", "UseDNS"],
    ["ConnectionRefused", "Prepared", "connect", "check that sshd runs"],
    ["NetworkUnreachable", "Prepared", "connect", "route"],
    ["ProtocolError", "Connected", "connect, key exchange", "an SSH server answers"],
    ["ProtocolError", "KeyExchanged", "connect, key exchange, host key", "an SSH server answers"],
    ["HostKeyUnknown", "KeyExchanged", "connect, key exchange, host key", "trust web-1"],
    ["HostKeyMismatch", "Connected", "connect, host key", "trust web-1"],
    ["AuthenticationFailed", "HostKeyVerified", "connect, key exchange, host key, log in", "credentials.yml"],
    ["JumpHostFailed", "Prepared", "connect", "AllowTcpForwarding"],
    ["JumpHostFailed", "HostKeyVerified", "connect, key exchange, host key, log in", "AllowTcpForwarding"],
    ["KeyPassphraseRequired", undefined, "log in", "key_passphrase_secret"],
    ["KnownHostsUnreadable", undefined, "host key", "known_hosts_path"]
  ]
  it.each(rows)("that fails with %s after %s shows %s", (failure, last, names, fix) => {
    const steps = failureAt(failure, last)
    assert.strictEqual(steps.map(({ step }) => step).join(", "), names)
    const end = steps.at(-1)
    const since = until(last).at(-1)?.at ?? 0
    assert.deepInclude(end, { status: "failed", ms: 5000 - since, detail: `${failure}: why` })
    assert.include(end?.fix, fix)
    assert.isTrue(steps.slice(0, -1).every(({ ms, status }) => status === "ok" && ms !== undefined))
  })

  it.each(SshFailures.literals)("that fails with %s has a cause and a fix", (failure) => {
    for (const { step } of MARKS) {
      const end = failureAt(failure, step._tag).at(-1)
      assert.deepInclude(end, { status: "failed", detail: `${failure}: why` })
      assert.isAtLeast(end?.fix?.length ?? 0, 10)
    }
  })

  it("blames the channel for a command that is not answered, whatever is wrong with it", () => {
    for (const failure of ["ChannelRefused", "ConnectionLost", "ConnectTimeout"] as const) {
      assert.deepInclude(stepOfExecFailure(sshError("web-1", failure, ""), "web-1", 7), {
        step: "channel",
        status: "failed",
        ms: 7,
        detail: failure
      })
    }
  })

  it("cannot make the terminal do anything", () => {
    const steps = [
      ...stepsOfConnect([{ step: { _tag: "KeyExchanged", software: "\u001b]0;pwned\u0007" }, at: 1 }], TO),
      ...stepsOfConnectFailure(sshError("web-1", "ProtocolError", "\u001b[2Jbanner\r\n"), [], TO, 2)
    ]
    for (const line of explainHost({ alias: "web-1", ok: false, steps })) assert.notMatch(line, /[\u0000-\u001f]/)
  })
})
