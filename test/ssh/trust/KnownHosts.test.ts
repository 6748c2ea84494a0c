import { assert, describe, it } from "@effect/vitest"
import { createHmac } from "node:crypto"
import { type HostIdentity, KnownHosts, knownKeyTypes, verifyHostKey } from "../../../src/ssh/trust/KnownHosts.ts"
import { hashedNameFinder, parseHashedName } from "../../../src/ssh/trust/HashedNames.ts"
import { hostPatterns, lookupName, matchesHosts, parseKnownHosts } from "../../../src/ssh/trust/KnownHostsLine.ts"
import { hashedName, publicKey, stored } from "./PublicKeys.ts"

const ED = publicKey("ssh-ed25519", "one")
const ED2 = publicKey("ssh-ed25519", "two")
const RSA = publicKey("ssh-rsa", "one")
const CA = publicKey("ssh-ed25519", "authority")
const host = (hostname: string, address: string | undefined = "192.0.2.1", port = 22): HostIdentity => ({
  hostname,
  address,
  port
})
const verdict = (text: string, where: HostIdentity, presented: Uint8Array) => {
  const found = verifyHostKey(new KnownHosts(text), where, presented)
  return found._tag === "Unknown" ? "Unknown" : `${found._tag} ${found.entry.line}`
}

type Row = readonly [text: string, where: HostIdentity, presented: Uint8Array, expected: string]

const check = (rows: ReadonlyArray<Row>) => {
  for (const [text, where, presented, expected] of rows) {
    assert.strictEqual(verdict(text, where, presented), expected, `${text} for ${JSON.stringify(where)}`)
  }
}

const ed = stored(ED)
const ed2 = stored(ED2)
const rsa = stored(RSA)
const ca = stored(CA)

describe("known_hosts", () => {
  it("is matched by name as OpenSSH does", () => {
    check([
      [`web ${ed}`, host("web"), ED, "Trusted 1"],
      [`web ${ed} a comment`, host("WEB"), ED, "Trusted 1"],
      [`WEB ${ed}`, host("web"), ED, "Trusted 1"],
      [`web ${ed}`, host("web"), ED2, "Mismatch 1"],
      [`web ${ed}`, host("web"), RSA, "Mismatch 1"],
      [`web ${ed}`, host("db"), ED, "Unknown"],
      [`web,db ${ed}`, host("db"), ED, "Trusted 1"],
      [`*.example.org ${ed}`, host("a.example.org"), ED, "Trusted 1"],
      [`*.example.org,!b.example.org ${ed}`, host("b.example.org"), ED, "Unknown"],
      [`!b.example.org,*.example.org ${ed}`, host("b.example.org"), ED, "Unknown"],
      [`!web ${ed}`, host("db"), ED, "Unknown"],
      [`web? ${ed}`, host("web1"), ED, "Trusted 1"],
      [`web ${ed}\nweb ${ed2}`, host("web"), ED2, "Trusted 2"],
      [`# a comment\n\nweb ${ed2}\nweb ${ed}\n`, host("web"), RSA, "Mismatch 3"],
      [`2001:db8::1 ${ed}`, host("2001:DB8::1"), ED, "Trusted 1"],
      ["", host("web"), ED, "Unknown"]
    ])
  })

  it("finds hashed names, and only in the form that OpenSSH writes", () => {
    check([
      [`${hashedName("web")} ${ed}`, host("web"), ED, "Trusted 1"],
      [`${hashedName("web")} ${ed}`, host("WEB"), ED, "Trusted 1"],
      [`${hashedName("web")} ${ed}`, host("web"), ED2, "Mismatch 1"],
      [`${hashedName("[web]:2222")} ${ed}`, host("web", "192.0.2.1", 2222), ED, "Trusted 1"],
      [`${hashedName("a".repeat(200))} ${ed}`, host("a".repeat(200)), ED, "Trusted 1"],
      [`${hashedName("web")},web ${ed}`, host("web"), ED, "Unknown"],
      [`${hashedName("web").replace("|1|", "|2|")} ${ed}`, host("web"), ED, "Unknown"],
      [`|2|x,* ${ed}`, host("web"), ED, "Unknown"],
      [`|1|short|${"A".repeat(27)}= ${ed}`, host("web"), ED, "Unknown"]
    ])
  })

  it("looks for the port, and accepts a key that is stored without one when none is stored with it", () => {
    const other = host("web", "192.0.2.1", 2222)
    check([
      [`[web]:2222 ${ed}`, other, ED, "Trusted 1"],
      [`[web]:2222 ${ed}`, host("web"), ED, "Unknown"],
      [`web ${ed}`, other, ED, "Trusted 1"],
      [`web ${ed}`, other, ED2, "Unknown"],
      [`web ${ed}\n[web]:2222 ${ed2}`, other, ED, "Mismatch 2"],
      [`[2001:db8::1]:2222 ${ed}`, host("2001:db8::1", "2001:db8::1", 2222), ED, "Trusted 1"]
    ])
  })

  it("asks for the address only when the name is not stored, and not for that of another name", () => {
    check([
      [`192.0.2.1 ${ed}`, host("web"), ED, "Trusted 1"],
      [`192.0.2.* ${ed}`, host("web"), ED, "Trusted 1"],
      [`[192.0.2.1]:22,2001:db8::1,192.0.2.1 ${ed}`, host("web"), ED, "Trusted 1"],
      [`${hashedName("192.0.2.1")} ${ed}`, host("web"), ED, "Trusted 1"],
      [`192.0.2.1 ${ed}`, host("web"), ED2, "Mismatch 1"],
      [`192.0.2.1 ${ed}`, { ...host("web"), address: undefined }, ED, "Unknown"],
      [`web ${ed2}\n192.0.2.1 ${ed}`, host("web"), ED, "Mismatch 1"],
      [`web ${ed}\n192.0.2.1 ${ed2}`, host("web"), ED, "Trusted 1"],
      [`db,192.0.2.1 ${ed}`, host("web"), ED, "Unknown"],
      [`db,192.0.2.1 ${ed}`, host("web"), ED2, "Unknown"],
      [`db,192.0.2.1 ${ed}\n192.0.2.1 ${ed2}`, host("web"), ED2, "Trusted 2"],
      [`db ${ed}\n192.0.2.1 ${ed}`, host("web"), ED, "Unknown"],
      [`${hashedName("db")} ${ed}\n${hashedName("192.0.2.1")} ${ed}`, host("web"), ED, "Unknown"],
      [`192.0.2.2 ${ed}\n192.0.2.1 ${ed}`, host("web"), ED, "Trusted 2"],
      [`db,192.0.2.1 ${ed}`, host("192.0.2.1"), ED, "Trusted 1"]
    ])
    const unknown = verifyHostKey(new KnownHosts(`db,192.0.2.1 ${ed}`), host("web"), ED)
    assert.strictEqual(unknown._tag === "Unknown" && unknown.otherName?.line, 1, "says which line it is")
  })

  it("never accepts a key that is revoked under any name", () => {
    check([
      [`@revoked * ${ed}`, host("web"), ED, "Revoked 1"],
      [`@revoked * ${ed}`, host("web"), ED2, "Unknown"],
      [`web ${ed}\n@revoked 192.0.2.1 ${ed}`, host("web"), ED, "Revoked 2"],
      [`web ${ed}\n@revoked db ${ed}`, host("web"), ED, "Revoked 2"],
      [`web ${ed}\n@revoked web ${ed2}`, host("web"), ED, "Trusted 1"],
      [`web ${ed}\n@revoked\tweb ${ed}`, host("web"), ED, "Revoked 2"],
      [`web ${ed2}\n@revoked web ${ed}`, host("web"), ED, "Revoked 2"]
    ])
  })

  it("never takes an authority for a host key, and tells a host that has only an authority", () => {
    check([
      [`@cert-authority * ${ca}`, host("web"), CA, "CertificateOnly 1"],
      [`@cert-authority * ${ca}`, host("web"), ED, "CertificateOnly 1"],
      [`@cert-authority *.example.org ${ca}`, host("web"), ED, "Unknown"],
      [`@cert-authority * ${ca}\n@revoked * ${ca}`, host("web"), ED, "Unknown"],
      [`@cert-authority * ${ca}\nweb ${ed}`, host("web"), ED, "Trusted 2"],
      [`@cert-authority * ${ca}\nweb ${ed}`, host("web"), ED2, "Mismatch 2"],
      [`@cert-authority web ${ca}`, host("web", "192.0.2.1", 2222), ED, "CertificateOnly 1"],
      [`@cert-authority web ${ca}\n192.0.2.1 ${ed}`, host("web"), ED, "Trusted 2"]
    ])
  })

  it("leaves out what OpenSSH leaves out", () => {
    const swapped = `web ssh-rsa ${ED.toString("base64")}`
    const lines = [
      `@strange web ${ed}`,
      `@revoked @cert-authority web ${ed}`,
      `# web ${ed}`,
      `#web ${ed}`,
      "web",
      "web ssh-ed25519",
      `web ssh-unknown ${publicKey("ssh-unknown", "x").toString("base64")}`,
      "web ssh-ed25519 !!!!",
      "web ssh-ed25519 AAAA",
      `web ssh-ed25519 ${Buffer.concat([ED, Buffer.from("x")]).toString("base64")}`,
      `web 1024 35 123456789`,
      swapped
    ]
    for (const line of lines) assert.deepStrictEqual(parseKnownHosts(line), [], line)
    check([
      [`\tweb\t${ed.replace(" ", "\t")}\r`, host("web"), ED, "Trusted 1"],
      [`web ${ed}\0 what follows`, host("web"), ED, "Trusted 1"],
      [`web ${rsa.replace("ssh-rsa", "rsa-sha2-512")}`, host("web"), RSA, "Trusted 1"],
      [`${swapped}\nweb ${ed}`, host("web"), ED, "Trusted 2"],
      [`\u00a0web ${ed}`, host("web"), ED, "Unknown"],
      // The sign of Kelvin becomes a k in Unicode, and stays what it is in the C locale.
      [`\u212aeb ${ed}`, host("keb"), ED, "Unknown"]
    ])
  })

  it("names the types to ask a host for: of its name, else of the entry without the port, else of its address", () => {
    const known = new KnownHosts(
      [
        `web ${rsa}`,
        `web ${ed}`,
        `192.0.2.9 ${ed}`,
        `@cert-authority * ${ca}`,
        `db ${ed2}`,
        `db ${rsa}`,
        `@revoked * ${ed2}`
      ].join("\n")
    )
    assert.deepStrictEqual(knownKeyTypes(known, host("web")), ["ssh-rsa", "ssh-ed25519"])
    assert.deepStrictEqual(knownKeyTypes(known, host("other", "192.0.2.9")), ["ssh-ed25519"])
    assert.deepStrictEqual(knownKeyTypes(known, { ...host("other", "192.0.2.9"), address: undefined }), [])
    assert.deepStrictEqual(knownKeyTypes(known, host("web", "192.0.2.1", 2222)), ["ssh-rsa", "ssh-ed25519"])
    assert.deepStrictEqual(knownKeyTypes(known, host("other")), [])
    assert.deepStrictEqual(knownKeyTypes(known, host("db")), ["ssh-rsa"], "not those of a revoked key")
  })

  it("decides hostile patterns in a time that does not explode", () => {
    assert.isFalse(matchesHosts(hostPatterns(`${"*a".repeat(200)}b`), "a".repeat(2000)))
  })

  it("looks a host up by its lower-case name, in brackets with a port other than 22", () => {
    assert.strictEqual(lookupName("A", 22), "a")
    assert.strictEqual(lookupName("::1", 2200), "[::1]:2200")
  })

  it("hashes a name as HMAC-SHA1, of whatever length", () => {
    for (let length = 0; length < 260; length++) {
      const name = "n".repeat(length)
      const salt = Buffer.alloc(20, length)
      const field = `|1|${salt.toString("base64")}|${createHmac("sha1", salt).update(name).digest("base64")}`
      const parsed = parseHashedName(field)
      assert.isDefined(parsed)
      const find = hashedNameFinder(parsed === undefined ? [] : [parsed, parsed])
      assert.deepStrictEqual(find(name), [0, 1], `${length} characters`)
      assert.deepStrictEqual(find(`${name}x`), [], `${length} characters and one more`)
    }
  })
})
