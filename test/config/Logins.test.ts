import { assert, describe, it } from "@effect/vitest"
import { Effect, Option, Redacted, Result } from "effect"
import { TestClock } from "effect/testing"
import type { Login } from "../../src/config/Credential.ts"
import { findHost } from "../../src/config/Inventory.ts"
import { certificateBytes, keyLine, newEd25519 } from "../support/Certificate.ts"
import { type Files, loadFiles, services } from "./ConfigFiles.ts"

/** Loads one host `a` whose credential has these keys; yields its login or what disables it, and all problems. */
const loadEntry = (entry: string, files: Files = {}, env: Readonly<Record<string, string>> = {}) =>
  Effect.gen(function* () {
    const { problems, snapshot } = yield* loadFiles(
      {
        "config/servers.yml": "hosts: [{alias: a, host: b, credentials: c}]",
        "config/credentials.yml": `entries: [{name: c, username: u, ${entry}}]`,
        "config/policy.yml": "rules: []",
        "keys/known_hosts": "b ssh-ed25519 AAAA\n",
        ...files
      },
      env
    )
    const login: Result.Result<Login, { readonly message: string }> = Option.getOrThrow(findHost(snapshot, "a")).login
    return {
      login: Result.getOrUndefined(login),
      disabled: Result.match(login, { onSuccess: () => "", onFailure: ({ message }) => message }),
      problems: problems.filter((problem) => problem.startsWith("credentials.yml"))
    }
  })

const SOCKET = { SSH_AUTH_SOCK: "/run/agent.sock" }
const key = newEd25519()
const KEY: Files = { "keys/id": key.pem }
const CERTIFIED = "key_path: id, certificate_path: id-cert.pub"

describe("an agent", () => {
  it.effect("is found through SSH_AUTH_SOCK and is method enough", () =>
    Effect.gen(function* () {
      const { login, problems } = yield* loadEntry("agent: true", {}, SOCKET)
      assert.deepStrictEqual(problems, [])
      assert.deepStrictEqual(login?.agent, { socket: "/run/agent.sock" })
    }).pipe(services)
  )
  it.effect("that our environment does not name is a warning that says how to pass it", () =>
    Effect.gen(function* () {
      const { login, problems } = yield* loadEntry("agent: true")
      assert.deepStrictEqual(login?.agent, { socket: undefined })
      assert.lengthOf(problems, 1)
      assert.match(problems[0] ?? "", /entries\[0\]\.agent: warning: SSH_AUTH_SOCK is not set; .* env$/)
    }).pipe(services)
  )
  it.effect("is not used unless asked for", () =>
    Effect.gen(function* () {
      for (const entry of ["key_path: id", "key_path: id, agent: false"]) {
        assert.isUndefined((yield* loadEntry(entry, KEY, SOCKET)).login?.agent)
      }
    }).pipe(services)
  )
  it.effect("is asked first for the public key beside key_path, whose private key may then be missing", () =>
    Effect.gen(function* () {
      const publicKey: Files = { "keys/id.pub": keyLine(key.wire) }
      const both = yield* loadEntry("key_path: id, agent: true", { ...KEY, ...publicKey }, SOCKET)
      assert.deepStrictEqual(both.login?.agent?.preferred, key.wire)
      assert.strictEqual(Redacted.value(both.login!.key!.pem), key.pem)
      const publicOnly = yield* loadEntry("key_path: id, agent: true", publicKey, SOCKET)
      assert.deepStrictEqual(publicOnly.problems, [])
      assert.deepStrictEqual(publicOnly.login?.agent?.preferred, key.wire)
      assert.isUndefined(publicOnly.login?.key)
      const neither = yield* loadEntry("key_path: id, agent: true", {}, SOCKET)
      assert.include(neither.disabled, "SSH key file not found")
      const noAgent = yield* loadEntry("key_path: id", publicKey, SOCKET)
      assert.include(noAgent.disabled, "SSH key file not found")
      const large: Files = { ...publicKey, "keys/id": "x".repeat(65_537) }
      const damaged = yield* loadEntry("key_path: id, agent: true", large, SOCKET)
      assert.strictEqual(damaged.disabled, "key file is larger than 64 KiB")
      const garbled = yield* loadEntry("key_path: id, agent: true", { ...KEY, "keys/id.pub": "?" }, SOCKET)
      assert.deepStrictEqual(garbled.login?.agent, { socket: "/run/agent.sock" })
    }).pipe(services)
  )
})

describe("a certificate", () => {
  const withCertificate = (options: Parameters<typeof certificateBytes>[0] = {}): Files => ({
    ...KEY,
    "keys/id-cert.pub": keyLine(certificateBytes({ key: [key.point], ...options }))
  })

  it.effect("is read from the keys directory, in its wire form", () =>
    Effect.gen(function* () {
      const bytes = certificateBytes({ key: [key.point] })
      const { login, problems } = yield* loadEntry(CERTIFIED, { ...KEY, "keys/id-cert.pub": keyLine(bytes) })
      assert.deepStrictEqual(problems, [])
      assert.deepStrictEqual(login?.certificate, bytes)
    }).pipe(services)
  )
  it.effect("that cannot be used disables its hosts and says why", () =>
    Effect.gen(function* () {
      const rows: ReadonlyArray<readonly [entry: string, files: Files, message: string]> = [
        [CERTIFIED, KEY, "certificate file not found"],
        ["key_path: id, certificate_path: /etc/passwd", KEY, "certificate file is outside the keys directory"],
        [CERTIFIED, { ...KEY, "keys/id-cert.pub": "x".repeat(65_537) }, "certificate file is larger than 64 KiB"],
        [CERTIFIED, { ...KEY, "keys/id-cert.pub": key.pem }, "not an OpenSSH certificate"],
        [CERTIFIED, { ...KEY, "keys/id-cert.pub": keyLine(key.wire) }, "not an OpenSSH certificate"],
        [CERTIFIED, withCertificate({ kind: 2 }), "a host certificate"],
        [CERTIFIED, withCertificate({ criticalOptions: [["force-command", "id"]] }), "forces a command"],
        ["certificate_path: id-cert.pub", withCertificate(), "needs its private key: set key_path"],
        ["agent: true, certificate_path: id-cert.pub", withCertificate(), "needs its private key: set key_path"]
      ]
      for (const [entry, files, message] of rows) {
        const { disabled, problems } = yield* loadEntry(entry, files, SOCKET)
        assert.include(disabled, message)
        assert.isTrue(problems.some((problem) => problem.includes("].certificate_path: ") && problem.includes(message)))
      }
    }).pipe(services)
  )
  it.effect("that is not valid now is kept, with a warning that holds the date", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(1_700_000_000_000)
      const expired = yield* loadEntry(CERTIFIED, withCertificate({ validBefore: 1_700_000_000n }))
      assert.include(expired.problems[0], "warning: certificate expired at 2023-11-14T22:13:20Z")
      assert.isDefined(expired.login?.certificate)
      const early = yield* loadEntry(CERTIFIED, withCertificate({ validAfter: 1_700_000_001n }))
      assert.include(early.problems[0], "warning: certificate is not valid before 2023-11-14T22:13:21Z")
      assert.isDefined(early.login?.certificate)
    }).pipe(services)
  )
})

describe("a secret of less than 4 bytes", () => {
  const short = /: warning: shorter than 4 bytes: it is not masked in output$/
  it.effect("is used, with a warning at each key that gives one", () =>
    Effect.gen(function* () {
      const secrets = { MCP_SSH_SECRET_PW: "abc", MCP_SSH_SECRET_LONG: "abcd" }
      const shortOnes = Effect.fnUntraced(function* (entry: string) {
        const { login, problems } = yield* loadEntry(entry, KEY, secrets)
        assert.isDefined(login)
        return problems.filter((problem) => short.test(problem)).map((problem) => /\]\.(\w+):/.exec(problem)?.[1])
      })
      assert.deepStrictEqual(yield* shortOnes("password_secret: pw"), ["password_secret"])
      assert.deepStrictEqual(yield* shortOnes("key_path: id, key_passphrase_secret: pw"), ["key_passphrase_secret"])
      assert.deepStrictEqual(yield* shortOnes("password: xyz"), ["password"])
      assert.deepStrictEqual(yield* shortOnes("password_secret: long"), [])
    }).pipe(services)
  )
})

describe("the digest of a login", () => {
  it.effect("changes with each of its parts", () =>
    Effect.gen(function* () {
      const certificate = (): Files => ({ "keys/id-cert.pub": keyLine(certificateBytes({ key: [key.point] })) })
      const variants = [
        loadEntry("key_path: id", KEY),
        loadEntry("key_path: id, password: x", KEY),
        loadEntry(CERTIFIED, { ...KEY, ...certificate() }),
        loadEntry(CERTIFIED, { ...KEY, ...certificate() }),
        loadEntry("key_path: id, agent: true", KEY),
        loadEntry("key_path: id, agent: true", KEY, SOCKET),
        loadEntry("key_path: id, agent: true", KEY, { SSH_AUTH_SOCK: "/other" }),
        loadEntry("key_path: id, agent: true", { ...KEY, "keys/id.pub": keyLine(key.wire) }, SOCKET)
      ]
      const digests = yield* Effect.forEach(variants, (load) => Effect.map(load, ({ login }) => login?.digest))
      assert.strictEqual(new Set(digests).size, variants.length)
      assert.isFalse(digests.includes(undefined))
      assert.strictEqual((yield* loadEntry("key_path: id", KEY)).login?.digest, digests[0])
    }).pipe(services)
  )
})
