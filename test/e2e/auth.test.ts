import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted, Result } from "effect"
import { execFileSync } from "node:child_process"
import { readFileSync, writeFileSync } from "node:fs"
import ssh2 from "ssh2"
import { decodeCertificate } from "../../src/config/Certificates.ts"
import { parseKeyLine } from "../../src/config/SshWire.ts"
import { convertPkcs8 } from "../../src/ssh/auth/Pkcs8.ts"
import { keyLine, newEd25519 } from "../support/Certificate.ts"
import { certify, startAgent } from "../support/SshAgent.ts"
import * as Sshd from "../support/Sshd.ts"
import { attempt, keyOf, publicKeyOf, TYPES, withAuthority } from "./LoginAttempts.ts"

describe("key formats", () => {
  for (const type of TYPES) {
    it.live(`${type}: what ssh-keygen writes with -m is read, plain and encrypted`, () =>
      Effect.gen(function* () {
        const sshd = yield* Sshd.start()
        const bits = type === "rsa" ? ["-b", "2048"] : []
        for (const format of ["RFC4716", "PEM", "PKCS8"]) {
          for (const passphrase of ["", "open sesame"]) {
            const name = `${format}-${passphrase.length}`
            const path = `${sshd.keysDir}/${name}`
            execFileSync("ssh-keygen", ["-q", "-t", type, ...bits, "-m", format, "-N", passphrase, "-f", path])
            yield* sshd.authorize(readFileSync(`${path}.pub`, "utf8").trim())
            const pem = readFileSync(path, "utf8")
            assert.strictEqual(
              yield* attempt(sshd, keyOf(pem, passphrase === "" ? undefined : passphrase)),
              "connected",
              name
            )
            if (passphrase === "") continue
            assert.strictEqual(yield* attempt(sshd, keyOf(pem)), "KeyPassphraseRequired", name)
            assert.strictEqual(yield* attempt(sshd, keyOf(pem, "wrong")), "KeyPassphraseRequired", name)
          }
        }
      })
    )
  }

  it.live("an Ed25519 key in PKCS#8, which ssh-keygen does not write, is read as openssl encrypts it", () =>
    Effect.gen(function* () {
      const sshd = yield* Sshd.start()
      const key = newEd25519()
      yield* sshd.authorize(keyLine(key.wire).trim())
      assert.strictEqual(yield* attempt(sshd, keyOf(key.pem)), "connected")
      const converted = `${sshd.keysDir}/converted`
      writeFileSync(converted, Result.getOrThrow(convertPkcs8(key.pem, undefined)), { mode: 0o600 })
      const printed = execFileSync("ssh-keygen", ["-y", "-f", converted], { encoding: "utf8" })
      assert.deepStrictEqual(parseKeyLine(printed), key.wire, "what it is converted to is OpenSSH's format to OpenSSH")
      for (const options of [["-v2", "aes-256-cbc"], ["-scrypt"], ["-v2", "des3", "-iter", "100000"]]) {
        const locked = execFileSync("openssl", ["pkcs8", "-topk8", ...options, "-passout", "pass:open sesame"], {
          encoding: "utf8",
          input: key.pem
        })
        assert.strictEqual(yield* attempt(sshd, keyOf(locked, "open sesame")), "connected", options.join(" "))
        assert.strictEqual(yield* attempt(sshd, keyOf(locked, "wrong")), "KeyPassphraseRequired", options.join(" "))
      }
    })
  )

  it.live("every cipher of an OpenSSH key is read but chacha20-poly1305, which is a matter of format", () =>
    Effect.gen(function* () {
      const sshd = yield* Sshd.start()
      for (const cipher of ["aes256-ctr", "aes256-cbc", "aes128-gcm@openssh.com", "aes256-gcm@openssh.com"]) {
        const path = `${sshd.keysDir}/${cipher}`
        execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-a", "4", "-Z", cipher, "-N", "open sesame", "-f", path])
        yield* sshd.authorize(readFileSync(`${path}.pub`, "utf8").trim())
        const pem = readFileSync(path, "utf8")
        assert.strictEqual(yield* attempt(sshd, keyOf(pem, "open sesame")), "connected", cipher)
        assert.strictEqual(yield* attempt(sshd, keyOf(pem, "wrong")), "KeyPassphraseRequired", cipher)
      }
      const path = `${sshd.keysDir}/chacha`
      const chacha = "chacha20-poly1305@openssh.com"
      execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-a", "4", "-Z", chacha, "-N", "open sesame", "-f", path])
      assert.strictEqual(yield* attempt(sshd, keyOf(readFileSync(path, "utf8"), "open sesame")), "KeyFormatInvalid")
    })
  )
})

describe("a user certificate", () => {
  for (const type of TYPES) {
    it.live(`of an ${type} key lets in where only its authority is known`, () =>
      Effect.gen(function* () {
        const { authority, sshd } = yield* withAuthority()
        const key = yield* sshd.makeKey("certified", { type })
        const locked = yield* sshd.makeKey("locked", { type, passphrase: "open sesame" })
        const certificate = certify(authority, key.path, { principals: sshd.user, validity: "-1h:+1h" })
        assert.strictEqual(yield* attempt(sshd, keyOf(key.pem)), "AuthenticationFailed")
        assert.strictEqual(yield* attempt(sshd, { ...keyOf(key.pem), certificate }), "connected")
        assert.match(yield* sshd.log, /Accepted publickey for .* ID test id \(serial 7\) CA ED25519/)
        const second = certify(authority, locked.path, { principals: sshd.user })
        assert.strictEqual(
          yield* attempt(sshd, { ...keyOf(locked.pem, "open sesame"), certificate: second }),
          "connected"
        )
      })
    )
  }

  it.live("is decoded as ssh-keygen prints it", () =>
    Effect.gen(function* () {
      const { authority, sshd } = yield* withAuthority()
      for (const type of TYPES) {
        const key = yield* sshd.makeKey(`certified-${type}`, { type })
        const bytes = certify(authority, key.path, {
          principals: "alice,bob",
          validity: "20200101000000Z:20300101000000Z",
          options: ["source-address=127.0.0.0/8", "no-pty"],
          serial: 42
        })
        const printed = execFileSync("ssh-keygen", ["-L", "-f", `${key.path}-cert.pub`], {
          encoding: "utf8",
          env: { ...process.env, TZ: "UTC" }
        })
        const certificate = Result.getOrThrow(decodeCertificate(bytes))
        assert.deepStrictEqual(new Uint8Array(certificate.publicKey), publicKeyOf(key.path))
        assert.include(printed, `Type: ${certificate.type} user certificate`)
        assert.include(printed, `Key ID: "${certificate.keyId}"`)
        assert.include(printed, `Serial: ${certificate.serial}`)
        assert.deepStrictEqual(certificate.principals, ["alice", "bob"])
        assert.deepStrictEqual(certificate.criticalOptions, ["source-address"])
        assert.strictEqual(certificate.validAfter, 1_577_836_800n)
        assert.strictEqual(certificate.validBefore, 1_893_456_000n)
        assert.include(printed, "Valid: from 2020-01-01T00:00:00 to 2030-01-01T00:00:00")
      }
    })
  )

  it.live("that cannot be used is told when nothing else lets in, and is never sent", () =>
    Effect.gen(function* () {
      const { authority, sshd } = yield* withAuthority()
      const key = yield* sshd.makeKey("certified")
      const other = yield* sshd.makeKey("other")
      const rows = [
        ["CertificateExpired", { principals: sshd.user, validity: "20200101:20200102" }],
        ["CertificateInvalid", { principals: sshd.user, validity: "20990101:20990102" }],
        ["CertificateInvalid", { principals: sshd.user, host: true }],
        ["CertificateInvalid", { principals: sshd.user, options: ["force-command=/bin/true"] }]
      ] as const
      for (const [failure, options] of rows) {
        const certificate = certify(authority, key.path, options)
        assert.strictEqual(yield* attempt(sshd, { ...keyOf(key.pem), certificate }), failure)
      }
      const foreign = certify(authority, other.path, { principals: sshd.user })
      assert.strictEqual(yield* attempt(sshd, { ...keyOf(key.pem), certificate: foreign }), "CertificateInvalid")
      assert.notInclude(yield* sshd.log, "CERT")

      yield* sshd.authorize(key.publicKey)
      const expired = certify(authority, key.path, { principals: sshd.user, validity: "20200101:20200102" })
      assert.strictEqual(yield* attempt(sshd, { ...keyOf(key.pem), certificate: expired }), "connected")
    })
  )

  it.live("that the server refuses is followed by its key", () =>
    Effect.gen(function* () {
      const { authority, sshd } = yield* withAuthority()
      const key = yield* sshd.makeKey("certified")
      const certificate = certify(authority, key.path, { principals: "somebody-else" })
      assert.strictEqual(yield* attempt(sshd, { ...keyOf(key.pem), certificate }), "AuthenticationFailed")
      yield* sshd.authorize(key.publicKey)
      assert.strictEqual(yield* attempt(sshd, { ...keyOf(key.pem), certificate }), "connected")
    })
  )
})

describe("several steps", () => {
  it.live("two keys, where sshd wants two", () =>
    Effect.gen(function* () {
      const { authority, sshd } = yield* withAuthority(["AuthenticationMethods publickey,publickey"])
      const agent = yield* startAgent(sshd.directory)
      const key = yield* sshd.makeKey("certified")
      const certificate = certify(authority, key.path, { principals: sshd.user })
      assert.strictEqual(yield* attempt(sshd, keyOf(sshd.key.pem)), "AuthenticationFailed", "one is not enough")
      yield* agent.add(key.path)
      yield* sshd.authorize(key.publicKey)
      assert.strictEqual(yield* attempt(sshd, { ...keyOf(sshd.key.pem), agent }), "connected", "a key, the agent's")
      yield* agent.add(sshd.privateKeyPath)
      assert.strictEqual(yield* attempt(sshd, { agent }), "connected", "both of the agent")
      yield* agent.clear
      yield* agent.add(sshd.privateKeyPath)
      assert.strictEqual(
        yield* attempt(sshd, { ...keyOf(key.pem), certificate, agent }),
        "connected",
        "a certificate, then the agent's key"
      )
    })
  )

  it.live("a key and the password in either order, and prompts", () =>
    Effect.gen(function* () {
      const sshd = yield* Sshd.start()
      const agent = yield* startAgent(sshd.directory)
      yield* agent.add(sshd.privateKeyPath)
      const hostKey = readFileSync(`${sshd.directory}/host_ed25519`)
      const accepted = publicKeyOf(sshd.privateKeyPath)
      const chains: ReadonlyArray<ReadonlyArray<ssh2.AuthenticationType>> = [
        ["publickey", "password"],
        ["password", "publickey"],
        ["publickey", "keyboard-interactive"],
        ["password", "publickey", "keyboard-interactive"]
      ]
      for (const chain of chains) {
        const server = yield* Effect.acquireRelease(
          Effect.callback<ssh2.Server>((resume) => {
            const created: ssh2.Server = new ssh2.Server({ hostKeys: [hostKey] }, (client) => {
              const left = [...chain]
              client.on("error", () => {})
              client.on("authentication", (context) => {
                const refuse = () => context.reject(left.slice(0, 1))
                const pass = () => {
                  left.shift()
                  return left.length === 0 ? context.accept() : context.reject(left.slice(0, 1), true)
                }
                const judge = (right: boolean) => (right ? pass() : refuse())
                if (context.method !== left[0]) return refuse()
                if (context.method === "password") return judge(context.password === "hunter2")
                if (context.method === "keyboard-interactive") {
                  const prompt = { prompt: "Password: ", echo: false }
                  return context.prompt([prompt], (answers) => judge(answers[0] === "hunter2"))
                }
                if (context.method !== "publickey" || !context.key.data.equals(accepted)) return refuse()
                const { blob, key, signature } = context
                if (signature === undefined || blob === undefined) return context.accept()
                const parsed = ssh2.utils.parseKey(`ssh-ed25519 ${key.data.toString("base64")}`)
                return judge(!(parsed instanceof Error) && parsed.verify(blob, signature))
              })
            })
            created.listen(0, "127.0.0.1", () => resume(Effect.succeed(created)))
          }),
          (created) => Effect.sync(() => created.close())
        )
        const { port } = server.address() as { readonly port: number }
        const known = (yield* sshd.knownHosts).replace(`:${sshd.port}`, `:${port}`)
        const password = Redacted.make("hunter2")
        const name = chain.join(",")
        for (const material of [keyOf(sshd.key.pem), { agent }]) {
          assert.strictEqual(yield* attempt({ ...sshd, port }, { ...material, password }, known), "connected", name)
          assert.strictEqual(yield* attempt({ ...sshd, port }, material, known), "AuthenticationFailed", name)
        }
        assert.strictEqual(yield* attempt({ ...sshd, port }, { password }, known), "AuthenticationFailed", name)
      }
    })
  )
})
