import { assert, describe, it } from "@effect/vitest"
import { describeKey } from "../../../src/ssh/trust/Fingerprint.ts"
import { makeHostKeyCheck } from "../../../src/ssh/trust/HostKeyCheck.ts"
import { KnownHosts } from "../../../src/ssh/trust/KnownHosts.ts"
import { Target } from "../../../src/ssh/Target.ts"
import { publicKey, stored } from "./PublicKeys.ts"

const ED = publicKey("ssh-ed25519", "one")
const ED2 = publicKey("ssh-ed25519", "two")
const RSA = publicKey("ssh-rsa", "one")
const ECDSA = publicKey("ecdsa-sha2-nistp384", "one")

const target = (via?: Target): Target =>
  new Target({
    alias: "web-1",
    hostname: "web",
    address: "192.0.2.1",
    port: 22,
    login: { username: "someone", digest: "d" },
    hostKeys: { paths: [], digest: "" },
    via
  })

const checkOf = (text: string, where = target()) => makeHostKeyCheck(where, new KnownHosts(text, "/keys/known_hosts"))

/** Every answer to a key. */
const answers = (check: ReturnType<typeof checkOf>, ...keys: ReadonlyArray<Buffer>): ReadonlyArray<boolean> => {
  const given: Array<boolean> = []
  for (const key of keys) assert.isUndefined(check.verify(key, (accepted) => given.push(accepted)))
  return given
}

describe("the check of a host key", () => {
  it("asks for the stored types alone, RSA with SHA-2, the best first", () => {
    const algorithms = (text: string) => checkOf(text).algorithms
    assert.deepStrictEqual(algorithms(`web ${stored(RSA)}`), ["rsa-sha2-512", "rsa-sha2-256"])
    assert.deepStrictEqual(algorithms(`web ${stored(ECDSA)}\nweb ${stored(ED)}`), [
      "ssh-ed25519",
      "ecdsa-sha2-nistp384"
    ])
    const all = [
      "ssh-ed25519",
      "ecdsa-sha2-nistp256",
      "ecdsa-sha2-nistp384",
      "ecdsa-sha2-nistp521",
      "rsa-sha2-512",
      "rsa-sha2-256"
    ]
    assert.deepStrictEqual(algorithms(""), all)
    assert.deepStrictEqual(algorithms(`web ${stored(publicKey("ssh-dss", "x"))}`), all)
    assert.deepStrictEqual(algorithms(`web ${stored(ED)}\nweb ${stored(RSA)}\n@revoked * ${stored(ED)}`), [
      "rsa-sha2-512",
      "rsa-sha2-256"
    ])
  })

  it("answers at once, and at a rekey accepts the same key only", () => {
    const check = checkOf(`web ${stored(ED)}\nweb ${stored(ED2)}`)
    assert.deepStrictEqual(answers(check, ED, ED2, ED), [true, false, true])
    assert.isUndefined(check.refusal())
    assert.deepStrictEqual(answers(checkOf(""), ED), [false])
  })

  it("tells each refusal apart, and names line and fingerprints to the log but not to a client", () => {
    const authority = publicKey("ssh-ed25519", "authority")
    const rows = [
      [`\nweb ${stored(ED2)}`, "HostKeyMismatch", ":2 has", ED2],
      [`web ${stored(RSA)}\nweb ${stored(ED2)}`, "HostKeyMismatch", ":2 has", ED2],
      [`@revoked * ${stored(ED)}`, "HostKeyRevoked", ":1 revokes", ED],
      [`\n@cert-authority * ${stored(authority)}`, "HostCertificateOnly", ":2 has only", authority],
      ["", "HostKeyUnknown", "has no key for it", ED],
      [`db,192.0.2.1 ${stored(ED)}`, "HostKeyUnknown", ":1 gives to another name", ED]
    ] as const
    const messages = rows.map(([text, failure, line, key]) => {
      const check = checkOf(text)
      assert.deepStrictEqual(answers(check, ED), [false], text)
      const refusal = check.refusal()
      assert.strictEqual(refusal?.failure, failure, text)
      assert.include(refusal?.detail, `/keys/known_hosts`)
      assert.include(refusal?.detail, line)
      assert.include(refusal?.detail, `presents ${describeKey(ED)}`)
      assert.include(refusal?.detail, describeKey(key))
      assert.notMatch(refusal?.message ?? "", /192\.0\.2\.1|\/keys|SHA256|:\d/)
      return refusal?.message
    })
    assert.lengthOf(new Set(messages), 4)
  })

  it("says which keys are stored when the host has none of their types", () => {
    const none = "Handshake failed: no matching host key format"
    const mismatch = checkOf(`web ${stored(ED)}`).explain(none)
    assert.strictEqual(mismatch?.failure, "HostKeyMismatch")
    assert.include(mismatch?.detail, `/keys/known_hosts:1 has ${describeKey(ED)}`)
    assert.isUndefined(checkOf("").explain(none))
    assert.isUndefined(checkOf(`web ${stored(ED)}`).explain("another failure"))
  })

  it("does not go by the address behind a jump host, where it may be another machine's", () => {
    const text = `192.0.2.1 ${stored(ED)}`
    assert.deepStrictEqual(answers(checkOf(text), ED), [true])
    assert.deepStrictEqual(answers(checkOf(text, target(target())), ED), [false])
    assert.deepStrictEqual(answers(checkOf(`web ${stored(ED)}`, target(target())), ED), [true])
  })
})
