import { assert, describe, it } from "@effect/vitest"
import { Option, Schema } from "effect"
import { parseAddress } from "../../../src/policy/network/Address.ts"
import { checkAddress, compileNetwork, NetworkDocument } from "../../../src/policy/network/Network.ts"
import { readBadInputs } from "../corpus.ts"

const decode = Schema.decodeUnknownSync(NetworkDocument, { onExcessProperty: "error" })

const reaches = (document: unknown, text: string): boolean =>
  Option.match(parseAddress(text), {
    onNone: () => false,
    onSome: (address) => checkAddress(compileNetwork(decode(document)), address)
  })

describe("checkAddress", () => {
  it("allows everything without lists", () => {
    assert.isTrue(reaches({}, "198.51.100.7"))
    assert.isTrue(reaches({ allow_cidrs: [], block_ips: [] }, "::1"))
  })

  it("requires membership with any allow list, and lets blocks win", () => {
    const document = {
      allow_cidrs: ["10.0.0.0/8"],
      allow_ips: ["192.0.2.1"],
      block_ips: ["10.0.0.9"],
      block_cidrs: ["10.1.0.0/16"]
    }
    assert.isTrue(reaches(document, "10.0.0.1"))
    assert.isTrue(reaches(document, "192.0.2.1"))
    assert.isFalse(reaches(document, "192.0.2.2"))
    assert.isFalse(reaches(document, "10.0.0.9"))
    assert.isFalse(reaches(document, "10.1.2.3"))
    assert.isFalse(reaches(document, "fd00::1"))
  })

  it("takes a block in an address list for what it says", () => {
    assert.isFalse(reaches({ block_ips: ["169.254.0.0/16"] }, "169.254.169.254"))
    assert.isTrue(reaches({ allow_ips: ["10.0.0.0/8"] }, "10.2.3.4"))
  })

  it("ignores the bits below a prefix", () => {
    assert.isTrue(reaches({ allow_cidrs: ["10.0.0.5/8"] }, "10.9.9.9"))
  })

  it("sees a blocked IPv4 address in every IPv6 form", () => {
    const document = { block_cidrs: ["169.254.0.0/16"] }
    const forms = [
      "::ffff:169.254.169.254",
      "::169.254.169.254",
      "64:ff9b::a9fe:a9fe",
      "64:ff9b:1::a9fe:a9fe",
      "2002:a9fe:a9fe::1",
      "2001:0:1:2:3:4:5601:5601",
      "2001:0:a9fe:a9fe::"
    ]
    for (const form of forms) assert.isFalse(reaches(document, form), form)
    for (const other of ["::ffff:10.0.0.1", "::1", "::", "2002:a00:1::1", "2001:db8::1"])
      assert.isTrue(reaches(document, other), other)
  })

  it("checks IPv4 inside IPv6 against the allow lists too", () => {
    assert.isTrue(reaches({ allow_cidrs: ["10.0.0.0/8"] }, "::ffff:10.0.0.1"))
    assert.isFalse(reaches({ allow_cidrs: ["10.0.0.0/8"] }, "::ffff:11.0.0.1"))
    assert.isFalse(reaches({ allow_cidrs: ["::/0"] }, "::ffff:11.0.0.1"))
    assert.isFalse(reaches({ allow_cidrs: ["10.0.0.0/8"] }, "64:ff9b::a00:1"))
    assert.isFalse(reaches({ allow_cidrs: ["10.0.0.0/8", "2000::/3"] }, "2002:a9fe:a9fe::1"))
    assert.isTrue(reaches({ allow_cidrs: ["10.0.0.0/8", "2000::/3"] }, "2002:a00:1::1"))
    assert.isTrue(reaches({ allow_cidrs: ["64:ff9b::/96"] }, "64:ff9b::a00:1"))
  })
})

describe("the corpus of hostile addresses", () => {
  it("denies the literals under a link-local block", () => {
    const document = { block_cidrs: ["169.254.0.0/16", "fe80::/10"] }
    const literals = readBadInputs("network").filter(
      (each) => typeof each.input === "string" && /^[0-9a-f:.%]+(?:eth0)?$/.test(each.input)
    )
    assert.isAtLeast(literals.length, 3)
    for (const each of literals) assert.isFalse(reaches(document, String(each.input)), each.id)
  })
})
