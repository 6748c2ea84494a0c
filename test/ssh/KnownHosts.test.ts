import { assert, describe, it } from "@effect/vitest"
import { createHmac } from "node:crypto"
import { knownKeyTypes, lookupName, matchesHosts, parseKnownHosts, verifyHostKey } from "../../src/ssh/KnownHosts.ts"

/** A key in wire format: the type, then some bytes. */
const key = (type: string, seed: string): Buffer => {
  const name = Buffer.from(type)
  const head = Buffer.alloc(4)
  head.writeUInt32BE(name.length)
  return Buffer.concat([head, name, Buffer.from(seed)])
}
const ED = key("ssh-ed25519", "one")
const ED2 = key("ssh-ed25519", "two")
const RSA = key("ssh-rsa", "one")
const b64 = (bytes: Buffer) => bytes.toString("base64")
const hashed = (name: string) => {
  const salt = Buffer.from("01234567890123456789")
  return `|1|${b64(salt)}|${createHmac("sha1", salt).update(name).digest("base64")}`
}
const host = (hostname: string, address = "192.0.2.1", port = 22) => ({ hostname, address, port })
const tag = (text: string, where: ReturnType<typeof host>, presented: Buffer) =>
  verifyHostKey(parseKnownHosts(text), where, presented)._tag

describe("known_hosts", () => {
  it("is matched as OpenSSH does", () => {
    const ed = `ssh-ed25519 ${b64(ED)}`
    const rows: ReadonlyArray<readonly [string, ReturnType<typeof host>, Buffer, string]> = [
      [`web ${ed}`, host("web"), ED, "Trusted"],
      [`web ${ed} a comment`, host("WEB"), ED, "Trusted"],
      [`WEB ${ed}`, host("web"), ED, "Trusted"],
      [`web ${ed}`, host("web"), ED2, "Mismatch"],
      [`web ${ed}`, host("web"), RSA, "Mismatch"],
      [`web ${ed}`, host("db"), ED, "Unknown"],
      [`web,db ${ed}`, host("db"), ED, "Trusted"],
      [`*.example.org ${ed}`, host("a.example.org"), ED, "Trusted"],
      [`*.example.org,!b.example.org ${ed}`, host("b.example.org"), ED, "Unknown"],
      [`web? ${ed}`, host("web1"), ED, "Trusted"],
      [`${hashed("web")} ${ed}`, host("web"), ED, "Trusted"],
      [`${hashed("web")} ${ed}`, host("web"), ED2, "Mismatch"],
      [`${hashed("[web]:2222")} ${ed}`, host("web", "192.0.2.1", 2222), ED, "Trusted"],
      [`[web]:2222 ${ed}`, host("web", "192.0.2.1", 2222), ED, "Trusted"],
      [`[web]:2222 ${ed}`, host("web"), ED, "Unknown"],
      [`web ${ed}`, host("web", "192.0.2.1", 2222), ED, "Trusted"],
      [`web ${ed}`, host("web", "192.0.2.1", 2222), ED2, "Unknown"],
      [`web ${ed}\n[web]:2222 ssh-ed25519 ${b64(ED2)}`, host("web", "192.0.2.1", 2222), ED, "Mismatch"],
      [`192.0.2.1 ${ed}`, host("web"), ED, "Trusted"],
      [`192.0.2.1 ${ed}`, host("web"), ED2, "Mismatch"],
      [`web ssh-ed25519 ${b64(ED2)}\n192.0.2.1 ${ed}`, host("web"), ED, "Mismatch"],
      [`@revoked * ${ed}`, host("web"), ED, "Revoked"],
      [`web ${ed}\n@revoked 192.0.2.1 ${ed}`, host("web"), ED, "Revoked"],
      [`@revoked * ${ed}`, host("web"), ED2, "Unknown"],
      [`@cert-authority * ${ed}`, host("web"), ED, "Unknown"],
      [`@strange web ${ed}`, host("web"), ED, "Unknown"],
      [`# web ${ed}`, host("web"), ED, "Unknown"],
      [`web ssh-ed25519`, host("web"), ED, "Unknown"],
      [`\tweb\t${ed}\r`, host("web"), ED, "Trusted"],
      [`web ${ed}\nweb ssh-ed25519 ${b64(ED2)}`, host("web"), ED2, "Trusted"],
      ["", host("web"), ED, "Unknown"]
    ]
    for (const [text, where, presented, expected] of rows) {
      assert.strictEqual(tag(text, where, presented), expected, `${text} for ${JSON.stringify(where)}`)
    }
  })

  it("names the types to ask a host for: of its name, else of its address, else of the entry without the port", () => {
    const known = parseKnownHosts(
      `web ssh-rsa ${b64(RSA)}\nweb ssh-ed25519 ${b64(ED)}\n192.0.2.9 ssh-ed25519 ${b64(ED)}\n@revoked web ecdsa-x ${b64(ED)}`
    )
    assert.deepStrictEqual(knownKeyTypes(known, host("web")), ["ssh-rsa", "ssh-ed25519"])
    assert.deepStrictEqual(knownKeyTypes(known, host("other", "192.0.2.9")), ["ssh-ed25519"])
    assert.deepStrictEqual(knownKeyTypes(known, host("web", "192.0.2.1", 2222)), ["ssh-rsa", "ssh-ed25519"])
    assert.deepStrictEqual(knownKeyTypes(known, host("other")), [])
  })

  it("decides hostile patterns in a time that does not explode", () => {
    assert.isFalse(matchesHosts(`${"*a".repeat(200)}b`, "a".repeat(2000)))
  })

  it("looks a host up by its lower-case name, in brackets with a port other than 22", () => {
    assert.strictEqual(lookupName("A", 22), "a")
    assert.strictEqual(lookupName("::1", 2200), "[::1]:2200")
  })
})
