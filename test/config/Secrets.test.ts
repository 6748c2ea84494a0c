import { assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem, Option, Redacted, Result } from "effect"
import { parseDotEnv } from "../../src/config/DotEnv.ts"
import { findHost } from "../../src/config/Inventory.ts"
import { type Files, loadAt, services, writeFiles } from "./ConfigFiles.ts"

/** One host whose credential is `entry`; known_hosts and an empty policy besides, so that nothing else is told. */
const filesFor = (entry: string): Files => ({
  "config/servers.yml": "hosts: [{alias: a, host: b, credentials: c}]",
  "config/credentials.yml": `entries: [{name: c, username: u, ${entry}}]`,
  "config/policy.yml": "version: 1",
  "keys/known_hosts": ""
})

const SETUP = "policy.yml"

/** The login of that host: what password or key it has, or why none. Problems of policy.yml are left out. */
const load = (
  entry: string,
  files: Files = {},
  env: Record<string, string> = {},
  prepare: (root: string) => Effect.Effect<void, unknown, FileSystem.FileSystem> = () => Effect.void
) =>
  Effect.gen(function* () {
    const { root } = yield* writeFiles({ ...filesFor(entry), ...files })
    yield* prepare(root)
    const { problems, snapshot } = yield* loadAt(root, env)
    const { login } = Option.getOrThrow(findHost(snapshot, "a"))
    return {
      problems: problems.filter((problem) => !problem.startsWith(SETUP)),
      text: JSON.stringify([...snapshot.hosts, ...snapshot.problems]),
      outcome: Result.match(login, {
        onSuccess: ({ key, password }) =>
          password !== undefined ? Redacted.value(password) : key === undefined ? undefined : Redacted.value(key.pem),
        onFailure: ({ message }) => `! ${message}`
      })
    }
  }).pipe(services)

const SECRET = "password_secret: my_Secret"
const NOWHERE =
  "! secret is set nowhere; set MCP_SSH_SECRET_MY_SECRET, or my_Secret in secrets/.env, or write the file secrets/my_Secret"

describe("where a secret comes from", () => {
  it.effect("MCP_SSH_SECRET_<NAME>, then .env by name, then .env in capitals, then the file", () =>
    Effect.gen(function* () {
      const env = { MCP_SSH_SECRET_MY_SECRET: "variable" }
      const file = { "secrets/my_Secret": "file\n" }
      const capitals = { ...file, "secrets/.env": "MY_SECRET=capitals\n" }
      const named = { ...file, "secrets/.env": "MY_SECRET=capitals\nmy_Secret=named\n" }
      assert.strictEqual((yield* load(SECRET, named, env)).outcome, "variable")
      assert.strictEqual((yield* load(SECRET, named)).outcome, "named")
      assert.strictEqual((yield* load(SECRET, capitals)).outcome, "capitals")
      assert.strictEqual((yield* load(SECRET, file)).outcome, "file")
      assert.strictEqual((yield* load(SECRET)).outcome, NOWHERE)
    })
  )
  it.effect("a plain variable only when the entry asks for it", () =>
    Effect.gen(function* () {
      const env = { my_Secret: "plain", MCP_SSH_SECRET_MY_SECRET: "variable" }
      assert.strictEqual((yield* load(SECRET, {}, env)).outcome, "variable")
      const asked = yield* load(`${SECRET}, env: true`, {}, env)
      assert.strictEqual(asked.outcome, "plain")
      assert.deepStrictEqual(asked.problems, [])
    })
  )
  it.effect("a plain variable whose name begins with SSH_, with a warning", () =>
    Effect.gen(function* () {
      const { outcome, problems } = yield* load("password_secret: SSH_PASS", {}, { SSH_PASS: "plain" })
      assert.strictEqual(outcome, "plain")
      assert.deepStrictEqual(problems, [
        "credentials.yml:1:51: entries[0].password_secret: warning: read from the environment variable SSH_PASS; prefer MCP_SSH_SECRET_SSH_PASS"
      ])
    })
  )
  it.effect("an empty variable and an empty line are none", () =>
    Effect.gen(function* () {
      const { outcome } = yield* load(
        SECRET,
        { "secrets/.env": "my_Secret=\n", "secrets/my_Secret": "file" },
        { MCP_SSH_SECRET_MY_SECRET: "" }
      )
      assert.strictEqual(outcome, "file")
    })
  )
  it.effect("exactly one trailing newline of a file is dropped", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* load(SECRET, { "secrets/my_Secret": " a \n\n" })).outcome, " a \n")
      assert.strictEqual((yield* load(SECRET, { "secrets/my_Secret": "a\r\n" })).outcome, "a")
    })
  )
  it.effect("is in no text", () =>
    Effect.gen(function* () {
      const { text } = yield* load(SECRET, { "secrets/my_Secret": "hunter2" })
      assert.notInclude(text, "hunter2")
    })
  )
})

describe(".env", () => {
  it("is split at the first =, trimmed and unquoted once; no export, no interpolation", () => {
    const { malformed, secrets } = parseDotEnv(
      [
        "# comment",
        "",
        "a=1",
        "  b =  2 = 3  ",
        'c="x y"',
        "d='\"z\"'",
        'e="$a ${b}"',
        "f=\"unbalanced'",
        "export g=1",
        "no separator",
        "a=last",
        "h = #not a comment",
        "i="
      ].join("\r\n")
    )
    assert.deepStrictEqual(
      [...secrets].map(([name, value]) => [name, Redacted.value(value)]),
      [
        ["a", "last"],
        ["b", "2 = 3"],
        ["c", "x y"],
        ["d", '"z"'],
        ["e", "$a ${b}"],
        ["f", "\"unbalanced'"],
        ["h", "#not a comment"]
      ]
    )
    assert.deepStrictEqual(malformed, [9, 10])
  })
  it.effect("too large, or a link out of the directory, is not used", () =>
    Effect.gen(function* () {
      const large = yield* load(SECRET, { "secrets/.env": `my_Secret=x\n#${"x".repeat(100 * 1024)}` })
      assert.include(large.problems, ".env:1:1: file is not used: too large")
      assert.strictEqual(large.outcome, NOWHERE)
      const linked = yield* load(SECRET, { "home/env": "my_Secret=x" }, {}, (root) =>
        FileSystem.FileSystem.use((fs) => fs.symlink(`${root}/home/env`, `${root}/secrets/.env`))
      )
      assert.include(linked.problems, ".env:1:1: file is not used: outside the directory")
    })
  )
  it.effect("readable by others is a warning, and so is a line that holds nothing", () =>
    Effect.gen(function* () {
      const { outcome, problems } = yield* load(
        SECRET,
        { "secrets/.env": "my_Secret=long enough\nexport y=1\n" },
        {},
        (root) => FileSystem.FileSystem.use((fs) => fs.chmod(`${root}/secrets/.env`, 0o640))
      )
      assert.strictEqual(outcome, "long enough")
      assert.deepStrictEqual(problems, [
        ".env:1:1: warning: file is readable by group or others (chmod 600)",
        ".env:2:1: warning: line is ignored: expected NAME=value"
      ])
    })
  )
})

describe("keys", () => {
  const key = (path: string) => `key_path: ${JSON.stringify(path)}`
  it.effect("relative, absolute inside the directory, and as in the container", () =>
    Effect.gen(function* () {
      const { root } = yield* writeFiles({ ...filesFor(key("k/id")), "keys/k/id": "PEM" })
      for (const written of ["k/id", `${root}/keys/k/id`, "/app/keys/k/id"]) {
        const { outcome } = yield* load(key(written), { "keys/k/id": "PEM" })
        assert.strictEqual(outcome, written.startsWith(root) ? "! key file is outside the keys directory" : "PEM")
      }
      const fs = yield* FileSystem.FileSystem
      yield* fs.writeFileString(
        `${root}/config/credentials.yml`,
        `entries: [{name: c, username: u, ${key(`${root}/keys/k/id`)}}]`
      )
      const { snapshot } = yield* loadAt(root)
      assert.isTrue(Result.isSuccess(Option.getOrThrow(findHost(snapshot, "a")).login))
    }).pipe(services)
  )
  it.effect("a link is followed to a target inside, as Kubernetes projects secrets, and not outside", () =>
    Effect.gen(function* () {
      const link = (target: string) => (root: string) =>
        FileSystem.FileSystem.use((fs) => fs.symlink(target.replace("$ROOT", root), `${root}/keys/id`))
      const files = { "keys/..data/id": "PEM", "home/id": "PEM" }
      assert.strictEqual((yield* load(key("id"), files, {}, link("..data/id"))).outcome, "PEM")
      const outside = "! key file is outside the keys directory"
      assert.strictEqual((yield* load(key("id"), files, {}, link("../home/id"))).outcome, outside)
      assert.strictEqual((yield* load(key("id"), files, {}, link("$ROOT/home/id"))).outcome, outside)
      assert.strictEqual((yield* load(key("/etc/passwd"))).outcome, outside)
    })
  )
  it.effect("a directory and a file over 64 KiB are refused", () =>
    Effect.gen(function* () {
      assert.strictEqual(
        (yield* load(key("d"), { "keys/d/x": "" })).outcome,
        "! key file cannot be read: not a regular file"
      )
      assert.strictEqual(
        (yield* load(key("big"), { "keys/big": "x".repeat(64 * 1024 + 1) })).outcome,
        "! key file is larger than 64 KiB"
      )
    })
  )
  it.effect("readable by others is a warning", () =>
    Effect.gen(function* () {
      const { outcome, problems } = yield* load(key("id"), { "keys/id": "PEM" }, {}, (root) =>
        FileSystem.FileSystem.use((fs) => fs.chmod(`${root}/keys/id`, 0o644))
      )
      assert.strictEqual(outcome, "PEM")
      assert.deepStrictEqual(problems, [
        "credentials.yml:1:44: entries[0].key_path: warning: key file is readable by group or others (chmod 600)"
      ])
    })
  )
})
