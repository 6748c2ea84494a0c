import { assert, describe, it } from "@effect/vitest"
import { SshError } from "../../src/ssh/errors.ts"
import { connectFailure, execFailure, isDroppedAtStart, keyFailure, signalName } from "../../src/ssh/SshFailures.ts"
import type { ConnectPhase, LibraryError } from "../../src/ssh/SshFailures.ts"

describe("errors of the SSH library", () => {
  it("are named", () => {
    const rows: ReadonlyArray<readonly [ConnectPhase, LibraryError, string]> = [
      [
        "connecting",
        { message: "connect ECONNREFUSED", level: "client-socket", code: "ECONNREFUSED" },
        "ConnectionRefused"
      ],
      [
        "connecting",
        { message: "connect EHOSTUNREACH", level: "client-socket", code: "EHOSTUNREACH" },
        "NetworkUnreachable"
      ],
      [
        "connecting",
        { message: "connect ENETUNREACH", level: "client-socket", code: "ENETUNREACH" },
        "NetworkUnreachable"
      ],
      ["connecting", { message: "connect ETIMEDOUT", level: "client-socket", code: "ETIMEDOUT" }, "ConnectTimeout"],
      ["connecting", { message: "Timed out while waiting for handshake", level: "client-timeout" }, "ConnectTimeout"],
      [
        "connecting",
        { message: "getaddrinfo ENOTFOUND", level: "client-socket", code: "ENOTFOUND" },
        "ResolutionFailed"
      ],
      ["connecting", { message: "Connection lost before handshake", level: "protocol" }, "ProtocolError"],
      ["connecting", { message: "read ECONNRESET", level: "client-socket", code: "ECONNRESET" }, "ProtocolError"],
      ["connecting", { message: "Handshake failed: no matching C->S cipher", level: "handshake" }, "ProtocolError"],
      [
        "authenticating",
        { message: "All configured authentication methods failed", level: "client-authentication" },
        "AuthenticationFailed"
      ],
      ["authenticating", { message: "Too many authentication failures", code: 2 }, "AuthenticationFailed"],
      ["authenticating", { message: "Keepalive timeout", level: "client-timeout" }, "ConnectTimeout"],
      ["open", { message: "read ECONNRESET", level: "client-socket", code: "ECONNRESET" }, "ConnectionLost"],
      ["open", { message: "Keepalive timeout", level: "client-timeout" }, "ConnectionLost"]
    ]
    for (const [phase, error, expected] of rows)
      assert.strictEqual(connectFailure(phase, error), expected, error.message)
    assert.isTrue(isDroppedAtStart("Connection lost before handshake"))
    assert.strictEqual(execFailure({ message: "(SSH) Channel open failure: open failed", reason: 2 }), "ChannelRefused")
    assert.strictEqual(execFailure({ message: "Unable to exec" }), "ChannelRefused")
    assert.strictEqual(execFailure({ message: "No response from server" }), "ConnectionLost")
  })

  it("tell a locked key from one in another format", () => {
    assert.strictEqual(
      keyFailure("Encrypted private OpenSSH key detected, but no passphrase given", false),
      "KeyPassphraseRequired"
    )
    assert.strictEqual(keyFailure("OpenSSH key integrity check failed", true), "KeyPassphraseRequired")
    assert.strictEqual(keyFailure("Malformed OpenSSH private key", true), "KeyPassphraseRequired")
    assert.strictEqual(keyFailure("Malformed OpenSSH private key", false), "KeyFormatInvalid")
    assert.strictEqual(keyFailure("Unsupported key format", true), "KeyFormatInvalid")
  })

  it("never show a client their detail", () => {
    const error = new SshError({
      failure: "ConnectionRefused",
      alias: "web",
      detail: "connect ECONNREFUSED 10.0.0.1:22"
    })
    assert.notInclude(error.message, "10.0.0.1")
  })
})

describe("signal names", () => {
  it("lose SIG, and are not taken from the host when they are none", () => {
    assert.strictEqual(signalName("SIGKILL"), "KILL")
    assert.strictEqual(signalName("TERM"), "TERM")
    assert.strictEqual(signalName("RTMIN+1"), "RTMIN+1")
    assert.strictEqual(signalName("sig@example.org"), "UNKNOWN")
    assert.strictEqual(signalName("USR9@example.org"), "USR9@example.org")
    assert.strictEqual(signalName("\u001b[31m"), "UNKNOWN")
    assert.strictEqual(signalName(""), "UNKNOWN")
  })
})
