import { assert, describe, it } from "@effect/vitest"
import { Effect, Option, Redacted, Result } from "effect"
import { findHost } from "../../src/config/Inventory.ts"
import { CREDENTIALS, GOOD, loadFiles, services } from "./ConfigFiles.ts"

describe("hosts that cannot be used", () => {
  const failureOf = (files: Record<string, string>, alias: string) =>
    Effect.gen(function* () {
      const { problems, snapshot } = yield* loadFiles({ ...GOOD, ...files })
      assert.isTrue(snapshot.usable)
      const { login } = Option.getOrThrow(findHost(snapshot, alias))
      if (Result.isSuccess(login)) return assert.fail("the host can be used")
      assert.isTrue(snapshot.problems.includes(login.failure))
      return { message: login.failure.message, problems, snapshot }
    })
  it.effect("a key file that is missing disables only the hosts that use it", () =>
    Effect.gen(function* () {
      const { problems, snapshot } = yield* failureOf(
        { "config/credentials.yml": CREDENTIALS.replace("prod/id_ed25519", "prod/gone") },
        "prod-web-1"
      )
      assert.deepStrictEqual(problems, [
        "credentials.yml:2:56: entries[0].key_path: SSH key file not found: Check key path configuration"
      ])
      assert.isTrue(Result.isSuccess(Option.getOrThrow(findHost(snapshot, "lab-sensor-1")).login))
    }).pipe(services)
  )
  it.effect("a secret that does not resolve is not an empty password", () =>
    Effect.gen(function* () {
      for (const text of ["", "\n"]) {
        const { message } = yield* failureOf({ "secrets/lab_maint_password": text }, "lab-sensor-1")
        assert.strictEqual(message, "secret file is empty")
      }
      const renamed = CREDENTIALS.replace("lab_maint_password", "no_such_secret")
      const { message } = yield* failureOf({ "config/credentials.yml": renamed }, "lab-sensor-1")
      assert.match(message, /^secret is set nowhere; set MCP_SSH_SECRET_NO_SUCH_SECRET, /)
    }).pipe(services)
  )
  it.effect("no authentication method", () =>
    Effect.gen(function* () {
      const expected = "Host 'a' has no authentication method configured (neither key_path nor password)"
      const without = yield* failureOf({ "config/servers.yml": "hosts: [{alias: a, host: b}]" }, "a")
      assert.isTrue(without.message.startsWith(`${expected}; `), without.message)
      for (const key of ["key_path", "certificate_path", "agent: true", "password_secret"]) {
        assert.include(without.message.slice(expected.length), key)
      }
    }).pipe(services)
  )
  it.effect("a host behind a jump host that is disabled, which its own login does not change", () =>
    Effect.gen(function* () {
      const { message, problems, snapshot } = yield* failureOf(
        {
          "config/servers.yml": `hosts:
  - {alias: bastion, host: a, credentials: none}
  - {alias: middle, host: b, credentials: lab-maint, jump: bastion}
  - {alias: inner, host: c, credentials: lab-maint, jump: [middle]}
  - {alias: direct, host: d, credentials: lab-maint}`,
          "config/credentials.yml": `${CREDENTIALS}  - {name: none, username: u}\n`
        },
        "inner"
      )
      assert.include(message, "Host 'bastion' has no authentication method configured")
      assert.strictEqual(problems.filter((problem) => problem.includes("bastion")).length, 1)
      assert.deepStrictEqual(
        [...snapshot.hosts].map(([alias, { login }]) => [alias, Result.isSuccess(login)]),
        [
          ["bastion", false],
          ["middle", false],
          ["inner", false],
          ["direct", true]
        ]
      )
      assert.deepStrictEqual(Option.getOrThrow(findHost(snapshot, "inner")).host.jump, ["middle"])
    }).pipe(services)
  )
  it.effect("a password in the file is used, with a warning", () =>
    Effect.gen(function* () {
      const { problems, snapshot } = yield* loadFiles({
        ...GOOD,
        "config/credentials.yml": CREDENTIALS.replace('password_secret: "lab_maint_password"', 'password: "s3cret"')
      })
      assert.deepStrictEqual(problems, [
        "credentials.yml:3:95: entries[1].password: warning: a password in a file; prefer password_secret"
      ])
      const login = Result.getOrThrow(Option.getOrThrow(findHost(snapshot, "lab-sensor-1")).login)
      assert.strictEqual(Redacted.value(login.password!), "s3cret")
      assert.notInclude(JSON.stringify([...snapshot.hosts]), "s3cret")
    }).pipe(services)
  )
})
