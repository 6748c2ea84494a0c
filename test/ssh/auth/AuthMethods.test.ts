import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { TestClock } from "effect/testing"
import type { AnyAuthMethod, Prompt } from "ssh2"
import ssh2 from "ssh2"
import type { Login } from "../../../src/config/Credential.ts"
import { type Authentication, makeAuthentication } from "../../../src/ssh/auth/AuthMethods.ts"
import { type SshError, sshError } from "../../../src/ssh/errors.ts"
import { Target } from "../../../src/ssh/Target.ts"
import { certificateBytes, newEd25519 } from "../../support/Certificate.ts"

const targetOf = (login: Omit<Login, "digest" | "username">): Target =>
  new Target({
    alias: "web1",
    hostname: "web1",
    address: "192.0.2.1",
    port: 22,
    login: { username: "u", digest: "d", ...login },
    hostKeys: { paths: [], digest: "" }
  })

/** The library, counting the keys that it parses. */
const countingLibrary = () => {
  let parsed = 0
  const parseKey: typeof ssh2.utils.parseKey = (text, passphrase) => {
    parsed++
    return ssh2.utils.parseKey(text, passphrase)
  }
  return { library: { utils: { parseKey }, OpenSSHAgent: ssh2.OpenSSHAgent }, parsed: () => parsed }
}

const authenticate = makeAuthentication(ssh2)

/** Everything that is offered to a server that refuses all and accepts every method. */
const offered = ({ next }: Authentication): ReadonlyArray<AnyAuthMethod> => {
  const methods: Array<AnyAuthMethod> = []
  for (let method = next(null, null); method !== false; method = next(null, false)) methods.push(method)
  return methods
}

const typesOf = (login: Omit<Login, "digest" | "username">) =>
  Effect.scoped(authenticate(targetOf(login))).pipe(
    Effect.map((authentication) =>
      offered(authentication).map((method) =>
        method.type === "publickey" && typeof method.key === "object" && "type" in method.key
          ? method.key.type
          : method.type
      )
    )
  )

const failureOf = (login: Omit<Login, "digest" | "username">) =>
  Effect.flip(Effect.scoped(authenticate(targetOf(login))))

const keyOf = (pem: string, passphrase?: string) => ({
  key: {
    pem: Redacted.make(pem),
    ...(passphrase === undefined ? {} : { passphrase: Redacted.make(passphrase) })
  }
})

const ed25519 = newEd25519()
const certificate = certificateBytes({ key: [ed25519.point] })
const password = Redacted.make("hunter2")
const NO_AGENT = { agent: { socket: undefined } }
const CERTIFIED = "ssh-ed25519-cert-v01@openssh.com"

describe("the methods of a login", () => {
  it.effect("are tried in the order certificate, key, password, keyboard-interactive", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* typesOf({ ...keyOf(ed25519.pem), certificate, password }), [
        CERTIFIED,
        "ssh-ed25519",
        "password",
        "keyboard-interactive"
      ])
      assert.deepStrictEqual(yield* typesOf({ password }), ["password", "keyboard-interactive"])
      assert.deepStrictEqual(yield* typesOf(keyOf(ed25519.locked("x"), "x")), ["ssh-ed25519"])
    })
  )

  it.effect("that cannot be tried are left out while there is another", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(1_700_000_000_000)
      const expired = certificateBytes({ key: [ed25519.point], validBefore: 1_600_000_000n })
      assert.deepStrictEqual(yield* typesOf({ ...keyOf(ed25519.pem), certificate: expired }), ["ssh-ed25519"])
      assert.deepStrictEqual(yield* typesOf({ ...keyOf(ed25519.locked("x")), ...NO_AGENT, password }), [
        "password",
        "keyboard-interactive"
      ])
    })
  )

  it.effect("that cannot be tried are the reason when there is no other", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(1_700_000_000_000)
      const locked = keyOf(ed25519.locked("x"))
      const rows: ReadonlyArray<readonly [login: Omit<Login, "digest" | "username">, failure: SshError["failure"]]> = [
        [{}, "NoAuthenticationMethod"],
        [locked, "KeyPassphraseRequired"],
        [keyOf(ed25519.locked("x"), "y"), "KeyPassphraseRequired"],
        [keyOf("not a key"), "KeyFormatInvalid"],
        [NO_AGENT, "AgentUnavailable"],
        [{ ...locked, ...NO_AGENT }, "KeyPassphraseRequired"],
        [{ certificate, ...NO_AGENT }, "CertificateInvalid"],
        [{ ...locked, certificate }, "KeyPassphraseRequired"],
        [{ certificate: certificateBytes({ validBefore: 1n }) }, "CertificateExpired"]
      ]
      for (const [login, failure] of rows) {
        const error = yield* failureOf(login)
        assert.strictEqual(error.failure, failure)
        assert.strictEqual(error.alias, "web1")
      }
    })
  )

  it.effect("that could not be tried explain a refusal of the others, and nothing else", () =>
    Effect.gen(function* () {
      const refused = sshError("web1", "AuthenticationFailed", "all methods failed")
      const lost = sshError("web1", "ConnectTimeout", "")
      const skipped = yield* Effect.scoped(authenticate(targetOf({ ...NO_AGENT, password })))
      assert.strictEqual(skipped.explain(refused).failure, "AgentUnavailable")
      assert.strictEqual(skipped.explain(lost), lost)
      const all = yield* Effect.scoped(authenticate(targetOf({ password })))
      assert.deepStrictEqual(all.explain(refused), refused)
      const certified = yield* Effect.scoped(authenticate(targetOf({ ...keyOf(ed25519.pem), certificate })))
      const { detail, failure } = certified.explain(refused)
      assert.strictEqual(failure, "AuthenticationFailed")
      assert.strictEqual(detail, "all methods failed; the certificate does not name the user among its principals")
    })
  )
})

describe("a certificate", () => {
  it.effect("has to be a user certificate of the key, valid now by the clock; the detail holds the date", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(1_700_000_000_000)
      const point = [ed25519.point]
      const rows: ReadonlyArray<readonly [bytes: Uint8Array, failure: string, detail: string]> = [
        [certificateBytes(), "CertificateInvalid", "of another key"],
        [certificateBytes({ key: point, kind: 2 }), "CertificateInvalid", "host certificate"],
        [certificateBytes({ key: point, criticalOptions: [["force-command", "x"]] }), "CertificateInvalid", "forces"],
        [certificateBytes({ key: point, validAfter: 1_700_000_001n }), "CertificateInvalid", "2023-11-14T22:13:21Z"],
        [certificateBytes({ key: point, validBefore: 1_700_000_000n }), "CertificateExpired", "2023-11-14T22:13:20Z"],
        [new Uint8Array(8), "CertificateInvalid", "not an OpenSSH certificate"]
      ]
      for (const [bytes, failure, detail] of rows) {
        const skipped = yield* Effect.scoped(authenticate(targetOf({ ...keyOf(ed25519.pem), certificate: bytes })))
        const reason = skipped.explain(sshError("web1", "AuthenticationFailed", ""))
        assert.strictEqual(reason.failure, failure)
        assert.include(reason.detail, detail)
        assert.notMatch(reason.message, /[0-9]{4}-/)
      }
    })
  )
})

describe("a key", () => {
  it.effect("is parsed once, by whichever hosts and credentials it is used", () =>
    Effect.gen(function* () {
      const { library, parsed } = countingLibrary()
      const counted = makeAuthentication(library)
      for (const login of [keyOf(ed25519.pem), { ...keyOf(ed25519.pem), password }, keyOf(ed25519.pem)]) {
        yield* Effect.scoped(counted(targetOf(login)))
      }
      assert.strictEqual(parsed(), 1)
      yield* Effect.scoped(counted(targetOf(keyOf(newEd25519().pem))))
      assert.strictEqual(parsed(), 2)
    })
  )

  it.effect("that a passphrase does not open is tried once, and again with another passphrase", () =>
    Effect.gen(function* () {
      const { library, parsed } = countingLibrary()
      const counted = makeAuthentication(library)
      const attempt = (passphrase: string) =>
        Effect.exit(Effect.scoped(counted(targetOf(keyOf("-----BEGIN OPENSSH PRIVATE KEY-----", passphrase)))))
      yield* attempt("one")
      yield* attempt("one")
      assert.strictEqual(parsed(), 1)
      yield* attempt("two")
      assert.strictEqual(parsed(), 2)
    })
  )
})

describe("prompts", () => {
  it.effect("get the password once, where nothing is echoed, and nothing otherwise", () =>
    Effect.gen(function* () {
      const methods = offered(yield* Effect.scoped(authenticate(targetOf({ password }))))
      const method = methods.find((each) => each.type === "keyboard-interactive")
      if (method?.type !== "keyboard-interactive") return assert.fail("offered")
      const ask = (...prompts: ReadonlyArray<Prompt>): ReadonlyArray<string> => {
        let answers: ReadonlyArray<string> = []
        method.prompt("", "", "", [...prompts], (given) => (answers = given))
        return answers
      }
      const hidden = { prompt: "Password: ", echo: false }
      const shown = { prompt: "Name: ", echo: true }
      assert.deepStrictEqual(ask(shown), [""])
      assert.deepStrictEqual(ask(shown, hidden), ["", "hunter2"])
      assert.deepStrictEqual(ask({ prompt: "New password: ", echo: false }), [""])
    })
  )
})
