import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { certificateDefect, certificateTime, decodeCertificate, validityAt } from "../../src/config/Certificates.ts"
import { wireString } from "../../src/config/SshWire.ts"
import { certificateBytes, FOREVER, newEd25519 } from "../support/Certificate.ts"

const decoded = (options: Parameters<typeof certificateBytes>[0]) =>
  Result.getOrThrow(decodeCertificate(certificateBytes(options)))

describe("a certificate", () => {
  it("tells its key, who it is for, and its restrictions", () => {
    const { point, wire } = newEd25519()
    const certificate = decoded({
      key: [point],
      serial: 2n ** 63n,
      keyId: "alice@laptop",
      principals: ["alice", "root"],
      validAfter: 1_700_000_000n,
      validBefore: 1_700_003_600n,
      criticalOptions: [["source-address", "10.0.0.0/8"]]
    })
    assert.deepStrictEqual(
      { ...certificate, publicKey: new Uint8Array(certificate.publicKey) },
      {
        type: "ssh-ed25519-cert-v01@openssh.com",
        publicKey: wire,
        serial: 2n ** 63n,
        kind: 1,
        keyId: "alice@laptop",
        principals: ["alice", "root"],
        validAfter: 1_700_000_000n,
        validBefore: 1_700_003_600n,
        criticalOptions: ["source-address"]
      }
    )
  })

  it("of an ECDSA or RSA key has that key's two fields", () => {
    for (const keyType of ["ssh-rsa", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521"]) {
      const key = [Buffer.from("first"), Buffer.from("second")]
      const expected = Buffer.concat([keyType, ...key].map(wireString))
      assert.deepStrictEqual(Buffer.from(decoded({ keyType, key }).publicKey), expected)
    }
  })

  it("that is cut anywhere, or followed by anything, is refused", () => {
    const whole = certificateBytes({ principals: ["alice"], criticalOptions: [["source-address", "::1"]] })
    assert.isTrue(Result.isSuccess(decodeCertificate(whole)))
    for (let length = 0; length < whole.length; length++) {
      assert.isTrue(Result.isFailure(decodeCertificate(whole.subarray(0, length))), String(length))
    }
    assert.isTrue(Result.isFailure(decodeCertificate(Buffer.concat([whole, Buffer.from([0])]))))
  })

  it("of a key type that is not supported, or that is a plain key, says so", () => {
    const message = (bytes: Uint8Array) =>
      Result.match(decodeCertificate(bytes), { onSuccess: () => "", onFailure: String })
    assert.include(message(certificateBytes({ keyType: "sk-ssh-ed25519" })), "not supported")
    assert.include(message(newEd25519().wire), "not an OpenSSH certificate")
  })

  it("with more principals than OpenSSH takes is refused", () => {
    const names = (count: number) => Array.from({ length: count }, (_, index) => `user${index}`)
    assert.lengthOf(decoded({ principals: names(256) }).principals, 256)
    assert.isTrue(Result.isFailure(decodeCertificate(certificateBytes({ principals: names(257) }))))
  })

  it("of a host, or one that forces a command, is not to be used", () => {
    assert.isUndefined(certificateDefect(decoded({})))
    assert.include(certificateDefect(decoded({ kind: 2 })), "host certificate")
    assert.include(certificateDefect(decoded({ kind: 0 })), "not a user certificate")
    assert.include(certificateDefect(decoded({ criticalOptions: [["force-command", "reboot"]] })), "forces a command")
  })

  it("is valid from its first second to the one before its last", () => {
    const at = (millis: number) => validityAt(decoded({ validAfter: 100n, validBefore: 200n }), millis)
    const rows = [
      [0, "not yet"],
      [99_999, "not yet"],
      [100_000, "valid"],
      [199_999, "valid"],
      [200_000, "expired"],
      [1e15, "expired"]
    ] as const
    for (const [millis, expected] of rows) assert.strictEqual(at(millis), expected, String(millis))
    assert.strictEqual(validityAt(decoded({}), 8.64e15), "valid")
  })

  it("prints its times in UTC", () => {
    assert.strictEqual(certificateTime(1_700_000_000n), "2023-11-14T22:13:20Z")
    assert.strictEqual(certificateTime(FOREVER), "never")
  })
})
