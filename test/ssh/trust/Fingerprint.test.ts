import { assert, describe, it } from "@effect/vitest"
import { Option } from "effect"
import { describeKey, fingerprint, keyType, parseFingerprint } from "../../../src/ssh/trust/Fingerprint.ts"
import { publicKey } from "./PublicKeys.ts"

/** A key and what `ssh-keygen -l` says about it. */
const KEY = Buffer.from("AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f", "base64")

describe("a fingerprint", () => {
  it("is what ssh-keygen -l prints", () => {
    assert.strictEqual(fingerprint(KEY), "SHA256:ZkAslGjFiUHdGf/WUL8rQvkib4PTvQatUV0OUQSncCA")
    assert.strictEqual(describeKey(KEY), "ssh-ed25519 SHA256:ZkAslGjFiUHdGf/WUL8rQvkib4PTvQatUV0OUQSncCA")
  })

  it("is read as people write it, and never as a weaker hash", () => {
    const text = "SHA256:ZkAslGjFiUHdGf/WUL8rQvkib4PTvQatUV0OUQSncCA"
    for (const written of [text, `${text}=`, ` ${text} `, text.replace("SHA", "sha")]) {
      assert.deepStrictEqual(parseFingerprint(written), Option.some(text), written)
    }
    for (const written of [
      "",
      text.slice(0, -1),
      `${text}x`,
      text.slice(7),
      "MD5:16:27:ac:a5:76:28:2d:36",
      "SHA1:abc"
    ]) {
      assert.deepStrictEqual(parseFingerprint(written), Option.none(), written)
    }
  })
})

describe("the type of a key in wire format", () => {
  it("is its first field, when nothing but fields follow", () => {
    assert.deepStrictEqual(keyType(KEY), Option.some("ssh-ed25519"))
    assert.deepStrictEqual(keyType(publicKey("ssh-rsa", "x")), Option.some("ssh-rsa"))
    // A view into a larger buffer, as the library hands keys out.
    assert.deepStrictEqual(
      keyType(new Uint8Array(Buffer.concat([Buffer.from("xx"), KEY])).subarray(2)),
      Option.some("ssh-ed25519")
    )
    for (const bytes of [
      Buffer.alloc(0),
      Buffer.alloc(3),
      KEY.subarray(0, 15),
      KEY.subarray(0, -1),
      Buffer.concat([KEY, KEY.subarray(0, 2)]),
      Buffer.alloc(8)
    ]) {
      assert.deepStrictEqual(keyType(bytes), Option.none(), bytes.toString("hex"))
    }
  })
})
