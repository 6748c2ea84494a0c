import { assert, describe, it } from "@effect/vitest"
import { Effect, Result, Schema } from "effect"
import { createPrivateKey, createPublicKey, generateKeyPairSync, sign, verify } from "node:crypto"
import { createRequire } from "node:module"
import ssh2 from "ssh2"
import type { ParsedKey } from "ssh2"
import { certifiedKey, ecdsaSignature, signFirst } from "../../../src/ssh/ssh2/Ssh2Signing.ts"
import { generateKey, startClient, startServer } from "../../support/LoopbackSsh.ts"

const parse = (pem: string): ParsedKey => {
  const key = ssh2.utils.parseKey(pem)
  if (key instanceof Error) throw key
  return Array.isArray(key) ? key[0]! : key
}
const keys = {
  ed25519: parse(generateKey().private),
  rsa: parse(ssh2.utils.generateKeyPairSync("rsa", { bits: 2048 }).private),
  ecdsa: parse(ssh2.utils.generateKeyPairSync("ecdsa", { bits: 384 }).private)
}

const wire = (value: string): Buffer => {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(value.length)
  return Buffer.concat([length, Buffer.from(value)])
}

it("the patches are for the version of ssh2 that is installed", () => {
  const require = createRequire(import.meta.url)
  assert.strictEqual((require("ssh2/package.json") as { readonly version: string }).version, "1.17.0")
})

describe("sign-first", () => {
  for (const [type, key] of Object.entries(keys)) {
    it.live(`sends a valid signature of a key of type ${type} with the first request`, () =>
      Effect.gen(function* () {
        const seen: Array<string> = []
        const server = yield* startServer({
          authenticate: (context) => {
            if (context.method !== "publickey") return context.reject()
            seen.push(context.signature === undefined ? "asked" : "signed")
            const { blob, hashAlgo, signature } = context
            if (signature === undefined || blob === undefined) return context.accept()
            return key.verify(blob, signature, hashAlgo) ? context.accept() : context.reject()
          }
        })
        const methods = [{ type: "publickey", username: "u", key } as const]
        yield* startClient(server, { methods })
        assert.deepStrictEqual(seen.splice(0), ["asked", "signed"])
        yield* startClient(server, { methods, prepare: (client) => assert.isTrue(signFirst(client)) })
        assert.deepStrictEqual(seen, ["signed"])
      })
    )
  }

  it.live("goes on to the next method when the key is refused", () =>
    Effect.gen(function* () {
      const seen: Array<string> = []
      const server = yield* startServer({
        authenticate: (context) => {
          seen.push(context.method)
          if (context.method === "password") context.accept()
          else context.reject(["publickey", "password"])
        }
      })
      yield* startClient(server, {
        methods: [
          { type: "publickey", username: "u", key: keys.rsa },
          { type: "publickey", username: "u", key: keys.ed25519 },
          { type: "password", username: "u", password: "p" }
        ],
        prepare: signFirst
      })
      assert.deepStrictEqual(seen, ["publickey", "publickey", "password"])
    })
  )

  it.live("leaves the report of a key that cannot sign to the library", () =>
    Effect.gen(function* () {
      const server = yield* startServer({
        authenticate: (context) => (context.method === "publickey" ? context.accept() : context.reject())
      })
      const broken = Object.create(keys.ed25519, { sign: { value: () => new Error("smart card gone") } }) as ParsedKey
      const methods = [{ type: "publickey", username: "u", key: broken } as const]
      const error = yield* Effect.flip(startClient(server, { methods, prepare: signFirst }))
      assert.include(error.message, "smart card gone")
    })
  )

  it("says no to a client that has no connection, and to internals that look otherwise", () => {
    assert.isFalse(signFirst(new ssh2.Client()))
    const other = Object.assign(new ssh2.Client(), { _protocol: { authPK: () => {}, _authsQueue: {} } })
    assert.isFalse(signFirst(other))
  })
})

describe("a certified key", () => {
  it.live("is sent as the certificate, signed with the plain algorithm of its key", () =>
    Effect.gen(function* () {
      const expected = [
        ["ssh-ed25519-cert-v01@openssh.com", "ssh-ed25519"],
        ["rsa-sha2-512-cert-v01@openssh.com", "rsa-sha2-512"],
        ["ecdsa-sha2-nistp384-cert-v01@openssh.com", "ecdsa-sha2-nistp384"]
      ]
      for (const [at, key] of [keys.ed25519, keys.rsa, keys.ecdsa].entries()) {
        const type = `${key.type}-cert-v01@openssh.com`
        const certificate = Buffer.concat([wire(type), Buffer.from("the rest")])
        const seen: Array<unknown> = []
        const server = yield* startServer({
          authenticate: (context) => {
            if (context.method !== "publickey") return context.reject()
            const { blob, signature } = context
            const name = signature?.subarray(4, 4 + (signature.readUInt32BE(0) ?? 0)).toString() ?? ""
            const raw = signature?.subarray(4 + name.length + 4)
            // The DER that `verify` wants of ECDSA is the test of the conversion below.
            const hash = key.type === "ssh-rsa" ? "sha512" : undefined
            const valid = key.type.startsWith("ecdsa-") || (blob && raw && key.verify(blob, raw, hash))
            seen.push([context.key.algo, name, valid], context.key.data.equals(certificate))
            return context.accept()
          }
        })
        const certified = Result.getOrThrow(certifiedKey(key, certificate))
        const methods = [{ type: "publickey", username: "u", key: certified } as const]
        yield* startClient(server, { methods, prepare: signFirst })
        assert.deepStrictEqual(seen, [[...expected[at]!, true], true])
      }
    })
  )

  it("is refused for what is no certificate of that type of key, and for a public key", () => {
    const type = "ssh-ed25519-cert-v01@openssh.com"
    const failure = (key: ParsedKey, certificate: Uint8Array) =>
      Result.match(certifiedKey(key, certificate), { onFailure: (text) => text, onSuccess: () => "usable" })
    assert.strictEqual(failure(keys.ed25519, wire(type)), "usable")
    assert.include(failure(keys.rsa, wire(type)), "not a certificate for a key of type ssh-rsa")
    for (const bytes of [Buffer.alloc(0), Buffer.alloc(3), Buffer.from([255, 255, 255, 255]), wire("ssh-ed25519")]) {
      assert.include(failure(keys.ed25519, bytes), "not a certificate")
    }
    const line = `ssh-ed25519 ${keys.ed25519.getPublicSSH().toString("base64")}`
    assert.strictEqual(failure(parse(line), wire(type)), "not a private key")
  })

  it.prop(
    "signs with ECDSA in the form of RFC 5656, which holds the numbers of the DER",
    { data: Schema.String, curve: Schema.Literals(["P-256", "P-384", "P-521"]) },
    ({ curve, data }) => {
      const { privateKey } = generateKeyPairSync("ec", { namedCurve: curve })
      const key = createPrivateKey(privateKey.export({ type: "pkcs8", format: "pem" }))
      const signature = ecdsaSignature(sign("sha256", Buffer.from(data), key))
      assert.isDefined(signature)
      const rLength = signature.readUInt32BE(0)
      const numbers = [signature.subarray(4, 4 + rLength), signature.subarray(8 + rLength)]
      assert.strictEqual(signature.readUInt32BE(4 + rLength), numbers[1]?.length)
      const size = { "P-256": 32, "P-384": 48, "P-521": 66 }[curve]
      const fixed = numbers.map((number) =>
        Buffer.from(
          number
            .toString("hex")
            .padStart(2 * size, "0")
            .slice(-2 * size),
          "hex"
        )
      )
      const publicKey = { key: createPublicKey(key), dsaEncoding: "ieee-p1363" as const }
      assert.isTrue(verify("sha256", Buffer.from(data), publicKey, Buffer.concat(fixed)))
    },
    { arbitrary: { runs: 30 } }
  )

  it("has no ECDSA signature from what is no DER", () => {
    for (const hex of ["", "30", "3006", "30060201", "300602010102", "3106020101020101", "30820006020101020101"]) {
      assert.isUndefined(ecdsaSignature(Buffer.from(hex, "hex")), hex)
    }
    assert.strictEqual(ecdsaSignature(Buffer.from("3006020101020102", "hex"))?.toString("hex"), "00000001010000000102")
  })
})
