import { assert, describe, it } from "@effect/vitest"
import { Option, Schema } from "effect"
import { contains, formatAddress, parseAddress, parseCidr } from "../../../src/policy/network/Address.ts"

const round = (text: string): string | undefined => Option.getOrUndefined(Option.map(parseAddress(text), formatAddress))

describe("parseAddress", () => {
  it("reads literals and writes them as RFC 5952 says", () => {
    const cases: ReadonlyArray<readonly [string, string]> = [
      ["0.0.0.0", "0.0.0.0"],
      ["255.255.255.255", "255.255.255.255"],
      ["::", "::"],
      ["::1", "::1"],
      ["1::", "1::"],
      ["2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
      ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
      ["::ffff:10.0.0.1", "::ffff:10.0.0.1"],
      ["::ffff:0a00:0001", "::ffff:10.0.0.1"],
      ["64:ff9b::192.0.2.1", "64:ff9b::c000:201"],
      ["1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"],
      ["fe80::1:0:0:0:1", "fe80:0:0:1::1"]
    ]
    for (const [text, expected] of cases) assert.strictEqual(round(text), expected, text)
  })

  it("refuses what only some programs read as an address", () => {
    const texts = [
      "",
      "1",
      "1.2.3",
      "1.2.3.4.5",
      "1.2.3.256",
      "01.2.3.4",
      "0x7f.0.0.1",
      "0x7f.1",
      "2130706433",
      "1.2.3.4 ",
      " 1.2.3.4",
      "1.2.3.4/32",
      "+1.2.3.4",
      "1.2.3.-4",
      "example.com",
      ":::",
      ":",
      "1::2::3",
      "1:2:3:4:5:6:7",
      "1:2:3:4:5:6:7:8:9",
      "1:2:3:4:5:6:7:8::",
      "12345::",
      "g::",
      "fe80::1%eth0",
      "[::1]",
      "::1.2.3.4.5",
      "1.2.3.4::",
      "::1.2.3.4:5"
    ]
    for (const text of texts) assert.isTrue(Option.isNone(parseAddress(text)), text)
  })

  it.prop(
    "reads back what it writes",
    [Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 0xffff }))), Schema.Boolean],
    ([groups, sparse]) => {
      const value = Array.from({ length: 8 }, (_, index) =>
        BigInt(sparse && index % 3 > 0 ? 0 : (groups[index] ?? 0))
      ).reduce((all, group) => (all << 16n) | group, 0n)
      const again = Option.getOrUndefined(parseAddress(formatAddress({ family: 6, value })))
      return again?.value === value && again.family === 6
    }
  )
})

describe("parseCidr", () => {
  it("reads blocks and refuses bad prefixes", () => {
    for (const text of ["10.0.0.0/8", "0.0.0.0/0", "1.2.3.4", "::/0", "fd00::/8", "10.0.0.5/8"]) {
      assert.isTrue(Option.isSome(parseCidr(text)), text)
    }
    for (const text of [
      "10.0.0.0/33",
      "10.0.0.0/",
      "10.0.0.0/08",
      "10.0.0.0/-1",
      "10.0.0.0/8 ",
      "::/129",
      "/8",
      "a/8",
      "10.0.0.0/8/8"
    ]) {
      assert.isTrue(Option.isNone(parseCidr(text)), text)
    }
  })

  it("never holds an address of the other family", () => {
    const all = Option.getOrThrow(parseCidr("0.0.0.0/0"))
    assert.isFalse(contains(all, Option.getOrThrow(parseAddress("::1"))))
  })
})
