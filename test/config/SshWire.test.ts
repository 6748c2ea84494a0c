import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { parseKeyLine, wireReader, wireString, wireText } from "../../src/config/SshWire.ts"
import { keyLine, newEd25519 } from "../support/Certificate.ts"

describe("fields", () => {
  it.prop(
    "are read as they were written, and none is there once the bytes are cut",
    [Schema.Array(Schema.String)],
    ([texts]) => {
      const bytes = Buffer.concat(texts.map(wireString))
      const read = (reader: ReturnType<typeof wireReader>) => texts.map(() => wireText(reader.string()))
      const whole = wireReader(bytes)
      assert.deepStrictEqual(
        read(whole),
        texts.map((text) => Buffer.from(text).toString())
      )
      assert.isTrue(whole.isWhole() && whole.isAtEnd())
      if (texts.length === 0) return
      const cut = wireReader(bytes.subarray(0, -1))
      read(cut)
      assert.isFalse(cut.isWhole())
      assert.strictEqual(cut.uint64(), 0n)
    }
  )

  it("of a length beyond the bytes are not there", () => {
    const reader = wireReader(Uint8Array.from([0xff, 0xff, 0xff, 0xff, 1, 2, 3]))
    assert.lengthOf(reader.string(), 0)
    assert.isFalse(reader.isWhole())
  })
})

describe("a line of a public key file", () => {
  const { wire } = newEd25519()
  const line = keyLine(wire)
  const base64 = Buffer.from(wire).toString("base64")
  const rows: ReadonlyArray<readonly [name: string, text: string, found: boolean]> = [
    ["as ssh-keygen writes it", line, true],
    ["without a comment or an end of line", line.slice(0, line.lastIndexOf(" ")), true],
    ["after empty lines and comments", `\r\n# mine\n\t${line}`, true],
    ["of a type that the bytes are not", line.replace("ssh-ed25519", "ssh-rsa"), false],
    ["with options before it", `no-pty ${line}`, false],
    ["that is not base64", `ssh-ed25519 ${base64.replace("A", "*")}`, false],
    ["without bytes", "ssh-ed25519", false],
    ["of a private key", "-----BEGIN OPENSSH PRIVATE KEY-----\nabcd\n", false],
    ["that is not there", "", false]
  ]
  for (const [name, text, found] of rows) {
    it(`${name} is ${found ? "its bytes" : "nothing"}`, () => {
      assert.deepStrictEqual(parseKeyLine(text), found ? wire : undefined)
    })
  }
})
