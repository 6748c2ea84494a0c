import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto"
import ssh2 from "ssh2"
import { convertPkcs8, isPkcs8 } from "../../../src/ssh/auth/Pkcs8.ts"

const KEYS: ReadonlyArray<readonly [name: string, sshType: string, key: KeyObject]> = [
  ["ed25519", "ssh-ed25519", generateKeyPairSync("ed25519").privateKey],
  ["rsa", "ssh-rsa", generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey],
  ...(["P-256", "P-384", "P-521"] as const).map(
    (namedCurve) =>
      [
        namedCurve,
        `ecdsa-sha2-nistp${namedCurve.slice(2)}`,
        generateKeyPairSync("ec", { namedCurve }).privateKey
      ] as const
  )
]

const plain = (key: KeyObject): string => key.export({ type: "pkcs8", format: "pem" }).toString()
const locked = (key: KeyObject, cipher = "aes-256-cbc"): string =>
  key.export({ type: "pkcs8", format: "pem", cipher, passphrase: "open sesame" }).toString()

const failureOf = (text: string, passphrase?: string): string =>
  Result.match(convertPkcs8(text, passphrase), { onSuccess: () => "converted", onFailure: ({ failure }) => failure })

describe("a PKCS#8 key", () => {
  for (const [name, sshType, key] of KEYS) {
    it(`of type ${name} is the same key to ssh2, plain and encrypted`, () => {
      for (const text of [plain(key), locked(key), locked(key, "aes-128-cbc"), locked(key, "des-ede3-cbc")]) {
        assert.isTrue(isPkcs8(text))
        const converted = Result.getOrThrow(convertPkcs8(text, "open sesame"))
        assert.isFalse(isPkcs8(converted), "ssh2 reads it")
        const parsed = ssh2.utils.parseKey(converted)
        if (parsed instanceof Error) return assert.fail(parsed.message)
        assert.strictEqual(parsed.type, sshType)
        assert.isTrue(parsed.isPrivateKey())
        const data = Buffer.from("to be signed")
        const same = ssh2.utils.parseKey(Buffer.from(`${sshType} ${parsed.getPublicSSH().toString("base64")}`))
        if (same instanceof Error) return assert.fail(same.message)
        assert.isTrue(same.verify(data, parsed.sign(data)))
        const publicOf = (each: KeyObject | string) => createPublicKey(each).export({ type: "spki", format: "pem" })
        assert.strictEqual(publicOf(parsed.getPublicPEM()), publicOf(key))
      }
    })
  }

  it("that is encrypted needs its passphrase", () => {
    for (const [name, , key] of KEYS) {
      assert.strictEqual(failureOf(locked(key)), "KeyPassphraseRequired", name)
      for (const passphrase of ["", "wrong", "open sesame "]) {
        assert.strictEqual(failureOf(locked(key), passphrase), "KeyPassphraseRequired", name)
      }
    }
  })

  it("names a wrong passphrase as such also when the decryption looks right", () => {
    const text = locked(KEYS[0]![2])
    for (let index = 0; index < 600; index++) {
      assert.strictEqual(failureOf(text, `wrong ${index}`), "KeyPassphraseRequired")
    }
  })

  it("may have text around it, Windows line ends, and a passphrase that it does not need", () => {
    const text = plain(KEYS[0]![2])
    for (const each of [`Bag Attributes\n  friendlyName: x\n${text}`, text.replaceAll("\n", "\r\n"), `${text}\n\n`]) {
      assert.strictEqual(failureOf(each, "not needed"), "converted")
    }
  })

  it("that is damaged, or of a type that SSH does not have, is a matter of format", () => {
    const [header = "", ...body] = plain(KEYS[0]![2]).split("\n")
    const rows: ReadonlyArray<readonly [name: string, text: string]> = [
      ["no base64", "-----BEGIN PRIVATE KEY-----\n****\n-----END PRIVATE KEY-----\n"],
      ["no DER", "-----BEGIN ENCRYPTED PRIVATE KEY-----\nabcd\n-----END ENCRYPTED PRIVATE KEY-----\n"],
      ["empty", "-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n"],
      ["cut", [header, body[0]?.slice(0, -8), ...body.slice(1)].join("\n")],
      ["without an end", [header, ...body].slice(0, -2).join("\n")],
      ["ed448", plain(generateKeyPairSync("ed448").privateKey)],
      ["x25519", plain(generateKeyPairSync("x25519").privateKey)],
      ["another text", "ssh-ed25519 AAAA"]
    ]
    for (const [name, text] of rows) assert.strictEqual(failureOf(text, "x"), "KeyFormatInvalid", name)
  })

  it("never shows up in what is said about it", () => {
    const text = locked(KEYS[0]![2])
    const { failure } = Result.flip(convertPkcs8(text, "wrong secret")).pipe((flipped) => ({
      failure: Result.getOrThrow(flipped)
    }))
    assert.notMatch(failure.detail, /wrong secret|[A-Za-z0-9+/]{20}/)
  })

  it("is not what other formats are", () => {
    for (const type of ["OPENSSH", "RSA", "EC"]) {
      assert.isFalse(isPkcs8(`-----BEGIN ${type} PRIVATE KEY-----\nMIIB\n-----END ${type} PRIVATE KEY-----\n`))
    }
  })
})
