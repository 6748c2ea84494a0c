import { assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem, Option, Redacted, Result } from "effect"
import { findHost, hostsByTag, tagCounts } from "../../src/config/Inventory.ts"
import { GOOD, loadAt, loadFiles, NEWER_POLICY, RELEASED_POLICY, services, writeFiles } from "./ConfigFiles.ts"

describe("existing directories", () => {
  it.effect("the released language loads unchanged, with notes where it is stricter than it was", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual((yield* loadFiles(GOOD)).problems, [])
      const { problems, snapshot } = yield* loadFiles({ ...GOOD, "config/policy.yml": RELEASED_POLICY })
      assert.strictEqual(problems.length, 2)
      assert.match(problems[0] ?? "", /^policy\.yml:5:\d+: rules\[0\]\.commands\[0\]: warning: .*\("uptime\*"\)$/)
      assert.match(
        problems[1] ?? "",
        /^policy\.yml:5:\d+: rules\[0\]\.commands\[2\]: warning: .*\("systemctl status \*"\)$/
      )
      assert.isTrue(snapshot.usable)
      assert.strictEqual(snapshot.policy.ruleCount, 2)
      assert.deepStrictEqual([...snapshot.hosts.keys()], ["prod-web-1", "lab-sensor-1"])
      assert.deepStrictEqual(
        [...snapshot.hosts.values()].map(({ host }) => host),
        [
          {
            alias: "prod-web-1",
            host: "10.0.0.11",
            port: 22,
            credentials: "prod-admin",
            tags: ["production", "web"],
            description: "Primary web front-end",
            jump: []
          },
          {
            alias: "lab-sensor-1",
            host: "192.168.1.140",
            port: 2222,
            credentials: "lab-maint",
            tags: ["lab", "longrun"],
            description: "",
            jump: []
          }
        ]
      )
      const login = Result.getOrThrow(Option.getOrThrow(findHost(snapshot, "prod-web-1")).login)
      assert.strictEqual(login.username, "ubuntu")
      assert.strictEqual(Redacted.value(login.key!.passphrase!), "open sesame")
      assert.isUndefined(login.password)
      assert.match(snapshot.hostKeys.paths[0]!, /keys\/known_hosts$/)
      assert.match(snapshot.hostKeys.digest, /^[0-9a-f]{64}$/)
    }).pipe(services)
  )
  it.effect("the newer language loads unchanged and without a problem", () =>
    Effect.gen(function* () {
      const { problems, snapshot } = yield* loadFiles({ ...GOOD, "config/policy.yml": NEWER_POLICY })
      assert.deepStrictEqual(problems, [])
      assert.strictEqual(snapshot.policy.ruleCount, 3)
    }).pipe(services)
  )
  it.effect("missing and empty files are warnings", () =>
    Effect.gen(function* () {
      const missing = yield* loadFiles({ "keys/known_hosts": "" })
      assert.deepStrictEqual(missing.problems, [
        "servers.yml:1:1: warning: file not found: there are no hosts",
        "credentials.yml:1:1: warning: file not found: no host can log in",
        "policy.yml:1:1: warning: file not found: everything is denied"
      ])
      assert.isTrue(missing.snapshot.usable)
      const empty = yield* loadFiles({
        "keys/known_hosts": "",
        "config/servers.yml": "",
        "config/credentials.yml": "# nothing\n",
        "config/policy.yml": "null"
      })
      assert.deepStrictEqual(
        empty.problems,
        missing.problems.map((problem) => problem.replace("not found", "is empty").replace("file is", "file is"))
      )
    }).pipe(services)
  )
  it.effect("a missing directory is an error that does not tell where it is", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const { root } = yield* writeFiles({})
      yield* fs.remove(`${root}/config`, { recursive: true })
      const { problems, snapshot } = yield* loadAt(root)
      assert.deepStrictEqual(problems, ["config:1:1: configuration directory not found"])
      assert.isFalse(snapshot.usable)
    }).pipe(services)
  )
})

describe("tolerated with a warning", () => {
  it.effect("extra keys of a host", () =>
    Effect.gen(function* () {
      const { problems, snapshot } = yield* loadFiles({
        ...GOOD,
        "config/servers.yml":
          'hosts:\n  - {alias: a, host: b, credentials: lab-maint, os: linux, "x-owner": {team: ""}, empty: }',
        "config/policy.yml": "rules: []"
      })
      assert.deepStrictEqual(problems, [
        "servers.yml:2:49: hosts[0].os: warning: extra key is ignored",
        "servers.yml:2:60: hosts[0].x-owner: warning: extra key is ignored",
        "servers.yml:2:83: hosts[0].empty: warning: extra key is ignored"
      ])
      assert.isTrue(snapshot.usable)
    }).pipe(services)
  )
  it.effect("the version of policy.yml, and only a known one", () =>
    Effect.gen(function* () {
      for (const version of [1, 2, 3]) {
        const { problems, snapshot } = yield* loadFiles({
          ...GOOD,
          "config/policy.yml": `version: ${version}\n${NEWER_POLICY}`
        })
        assert.strictEqual(problems.length, 1)
        assert.match(
          problems[0] ?? "",
          /^policy\.yml:1:1: version: warning: .*the keys of the rules tell their language/
        )
        assert.strictEqual(snapshot.policy.ruleCount, 3)
      }
      const { snapshot } = yield* loadFiles({ ...GOOD, "config/policy.yml": "version: 4" })
      assert.isFalse(snapshot.usable)
    }).pipe(services)
  )
  it.effect("anchors within the cap", () =>
    Effect.gen(function* () {
      const { problems, snapshot } = yield* loadFiles({
        ...GOOD,
        "config/servers.yml":
          "hosts:\n  - &base {alias: a, host: b, credentials: lab-maint, tags: [web]}\n  - {<<: *base, alias: c}",
        "config/policy.yml": "rules: []"
      })
      assert.isTrue(snapshot.usable)
      assert.deepStrictEqual(
        [...snapshot.hosts.values()].map(({ host }) => [host.alias, host.host, host.tags]),
        [
          ["a", "b", ["web"]],
          ["c", "b", ["web"]]
        ]
      )
      assert.strictEqual(problems.length, 2)
    }).pipe(services)
  )
})

describe("the inventory", () => {
  it.effect("finds hosts by alias and tag, in order, without touching prototypes", () =>
    Effect.gen(function* () {
      const { snapshot } = yield* loadFiles({
        ...GOOD,
        "config/servers.yml":
          "hosts:\n  - {alias: toString, host: a, tags: [web, valueOf]}\n  - {alias: b, host: b, tags: [web, web]}\n"
      })
      assert.deepStrictEqual(
        hostsByTag(snapshot, "web").map(({ host }) => host.alias),
        ["toString", "b"]
      )
      assert.isTrue(Option.isNone(findHost(snapshot, "valueOf")))
      assert.deepStrictEqual(hostsByTag(snapshot, "constructor"), [])
      assert.deepStrictEqual(Object.entries(tagCounts(snapshot)), [
        ["web", 2],
        ["valueOf", 1]
      ])
    }).pipe(services)
  )
})
