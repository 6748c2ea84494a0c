import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, Fiber, FileSystem, Option, Redacted, Result, Stream } from "effect"
import { ConfigDirectory } from "../../src/config/ConfigDirectory.ts"
import { findHost, hostsByTag, tagCounts } from "../../src/config/Inventory.ts"
import {
  CREDENTIALS,
  GOOD,
  layerAt,
  loadAt,
  loadFiles,
  NEWER_POLICY,
  RELEASED_POLICY,
  SERVERS,
  writeFiles
} from "./ConfigFiles.ts"

const services = Effect.provide(NodeServices.layer)

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

describe("wrong keys name the right ones", () => {
  const cases: ReadonlyArray<readonly [file: string, text: string, expected: string]> = [
    [
      "policy.yml",
      "network:\n  allow: [10.0.0.0/8]",
      "policy.yml:2:3: network.allow: unknown key (did you mean allow_ips or allow_cidrs?)"
    ],
    [
      "policy.yml",
      "network:\n  deny: []",
      "policy.yml:2:3: network.deny: unknown key (did you mean block_ips or block_cidrs?)"
    ],
    [
      "policy.yml",
      "network: {allowlist: []}",
      "policy.yml:1:11: network.allowlist: unknown key (did you mean allow_ips or allow_cidrs?)"
    ],
    [
      "policy.yml",
      "require_known_host: true",
      "policy.yml:1:1: require_known_host: unknown key (did you mean network.require_known_host?)"
    ],
    ["policy.yml", "max_seconds: 3", "policy.yml:1:1: max_seconds: unknown key (did you mean limits.max_seconds?)"],
    [
      "policy.yml",
      "rules:\n  - {action: deny, comands: [x]}",
      "policy.yml:2:20: rules[0].comands: unknown key (did you mean commands?)"
    ],
    [
      "policy.yml",
      "rules:\n  - action: deny\n    comands:",
      "policy.yml:3:5: rules[0].comands: unknown key (did you mean commands?)"
    ],
    [
      "policy.yml",
      "overrides: {aliases: {a: {max_second: 3}}}",
      "policy.yml:1:27: overrides.aliases.a.max_second: unknown key (did you mean max_seconds?)"
    ],
    ["servers.yml", "entries: []", "servers.yml:1:1: entries: unknown key (did you mean hosts?)"],
    ["servers.yml", "servers:\n  hosts: []", "servers.yml:1:1: servers: unknown key (did you mean hosts?)"],
    [
      "servers.yml",
      "hosts:\n  - alias: a\n    hostname: b",
      "servers.yml:3:5: hosts[0].hostname: unknown key (did you mean host?)"
    ],
    [
      "servers.yml",
      "hosts:\n  - {alias: a, host: b, prot: 22}",
      "servers.yml:2:25: hosts[0].prot: unknown key (did you mean port?)"
    ],
    [
      "servers.yml",
      "hosts:\n  - {alias: a, host: b, proxy_jump: c}",
      "servers.yml:2:25: hosts[0].proxy_jump: unknown key (did you mean jump?)"
    ],
    [
      "servers.yml",
      "hosts:\n  - {alias: a, host: b, forward_agent: true}",
      "servers.yml:2:25: hosts[0].forward_agent: agent forwarding is not supported"
    ],
    [
      "servers.yml",
      "hosts:\n  - {alias: a, host: b, key_path: k}",
      "servers.yml:2:25: hosts[0].key_path: a host holds no login data (did you mean credentials?)"
    ],
    ["credentials.yml", "hosts: []", "credentials.yml:1:1: hosts: unknown key (did you mean entries?)"],
    [
      "credentials.yml",
      "entries:\n  - {name: a, user: b}",
      "credentials.yml:2:15: entries[0].user: unknown key (did you mean username?)"
    ]
  ]
  it.effect.each(cases)("%s: %s", ([file, text, expected]) =>
    Effect.gen(function* () {
      const { problems, snapshot } = yield* loadFiles({ ...GOOD, [`config/${file}`]: text })
      assert.include(problems, expected)
      assert.isFalse(snapshot.usable)
      assert.strictEqual(snapshot.hosts.size, 0)
    }).pipe(services)
  )
})

describe("structural errors", () => {
  const cases: ReadonlyArray<readonly [file: string, text: string, expected: string]> = [
    ["servers.yml", "[]", "servers.yml:1:1: must be a mapping"],
    ["servers.yml", "hosts: {a: 1}", "servers.yml:1:8: hosts: must be a list"],
    ["servers.yml", "hosts: [web1]", "servers.yml:1:9: hosts[0]: must be a mapping"],
    ["servers.yml", "hosts:\n  - host: b", "servers.yml:2:5: hosts[0].alias: alias is required"],
    ["servers.yml", "hosts:\n  - alias: ''\n    host: b", "servers.yml:2:12: hosts[0].alias: alias is required"],
    [
      "servers.yml",
      "hosts:\n  - {alias: -a, host: b}",
      "servers.yml:2:13: hosts[0].alias: alias contains invalid characters (only alphanumeric, dot, dash, underscore allowed)"
    ],
    [
      "servers.yml",
      "hosts:\n  - {alias: 7, host: b}",
      "servers.yml:2:13: hosts[0].alias: must be text (put it in quotes)"
    ],
    [
      "servers.yml",
      "hosts:\n  - {alias: a, host: b, port: 0}",
      "servers.yml:2:31: hosts[0].port: must be a port from 1 to 65535"
    ],
    [
      "servers.yml",
      "hosts:\n  - {alias: a, host: b, port: '70000'}",
      "servers.yml:2:31: hosts[0].port: must be a port from 1 to 65535"
    ],
    [
      "servers.yml",
      "hosts:\n  - {alias: a, host: b, port: [22]}",
      "servers.yml:2:31: hosts[0].port: must be a port from 1 to 65535"
    ],
    ["servers.yml", "hosts:\n  - {alias: a, host: b, tags: web}", "servers.yml:2:31: hosts[0].tags: must be a list"],
    [
      "servers.yml",
      "hosts:\n  - {alias: a, host: b}\n  - {alias: a, host: c}",
      'servers.yml:3:13: hosts[1].alias: duplicate of "a" in line 2'
    ],
    [
      "servers.yml",
      "hosts:\n  - {alias: a, host: b, credentials: prod-admn}",
      'servers.yml:2:38: hosts[0].credentials: no entry of credentials.yml is named "prod-admn" (did you mean prod-admin?)'
    ],
    [
      "servers.yml",
      "hosts:\n  - {alias: a, host: b, jump: c}",
      'servers.yml:2:31: hosts[0].jump: no host has the alias "c"'
    ],
    [
      "servers.yml",
      "hosts:\n  - {alias: a, host: b, jump: c}\n  - {alias: c, host: d, jump: [a]}",
      "servers.yml:2:31: hosts[0].jump: the jump chain leads back to itself"
    ],
    [
      "servers.yml",
      "hosts:\n  - {alias: a, host: b, jump: a}",
      "servers.yml:2:31: hosts[0].jump: the jump chain leads back to itself"
    ],
    [
      "servers.yml",
      `hosts:\n  - {alias: a, host: a, jump: h8}\n  - {alias: h0, host: h}\n${Array.from(
        { length: 8 },
        (_, i) => `  - {alias: h${i + 1}, host: h, jump: h${i}}\n`
      ).join("")}`,
      "servers.yml:2:31: hosts[0].jump: the jump chain is too long (max 8 hosts, those of the jump hosts included)"
    ],
    ["credentials.yml", "entries:\n  - {name: a}", "credentials.yml:2:5: entries[0].username: username is required"],
    [
      "credentials.yml",
      "entries:\n  - {name: a, username: b}\n  - {name: a, username: c}",
      'credentials.yml:3:12: entries[1].name: duplicate of "a" in line 2'
    ],
    [
      "credentials.yml",
      "entries:\n  - {name: a, username: b, password_secret: ../x}",
      "credentials.yml:2:45: entries[0].password_secret: secret name contains invalid characters (only alphanumeric, dash, underscore allowed)"
    ],
    [
      "credentials.yml",
      "entries:\n  - {name: a, username: b, key_path: ../k}",
      "credentials.yml:2:38: entries[0].key_path: path must not contain .."
    ],
    ["policy.yml", "limits: {max_seconds: 1_000}", "policy.yml:1:23: limits.max_seconds: must be a number"],
    ["policy.yml", "limits: {redact_output: 'no'}", "policy.yml:1:25: limits.redact_output: must be true or false"]
  ]
  it.effect.each(cases)("%s: %s", ([file, text, expected]) =>
    Effect.gen(function* () {
      const { problems, snapshot } = yield* loadFiles({ ...GOOD, [`config/${file}`]: text })
      assert.include(problems, expected)
      assert.isFalse(snapshot.usable)
    }).pipe(services)
  )
  it.effect("a syntax error never quotes the file, which can hold a password", () =>
    Effect.gen(function* () {
      for (const password of [
        "!s3cret",
        "*s3cret",
        "%s3cret",
        "@s3cret",
        '"s3\\qcret',
        "s3cret: s3cret",
        "[s3cret",
        "&s3cret"
      ]) {
        const { problems } = yield* loadFiles({
          ...GOOD,
          "config/credentials.yml": `entries:\n  - name: a\n    username: b\n    password: ${password}\n`
        })
        assert.notInclude(problems.join("\n"), "s3", password)
      }
    }).pipe(services)
  )
  it.effect("all problems of all files are told at once, errors first, also those of keys", () =>
    Effect.gen(function* () {
      const { problems } = yield* loadFiles({
        ...GOOD,
        "config/servers.yml": "hosts:\n  - {alias: a, host: b, owner: me, port: 0}\n  - {alias: 'b c', host: 'x y'}",
        "config/credentials.yml": "entries:\n  - {name: a, username: b, key_path: missing}",
        "config/policy.yml": "rules: 7"
      })
      assert.deepStrictEqual(
        problems.map((problem) => problem.split(" ")[1]),
        ["hosts[0].port:", "hosts[1].alias:", "hosts[1].host:", "rules:", "entries[0].key_path:", "hosts[0].owner:"]
      )
    }).pipe(services)
  )
  it.effect("a file with more problems than a person can read says how many there are", () =>
    Effect.gen(function* () {
      const { problems } = yield* loadFiles({
        ...GOOD,
        "config/servers.yml": `hosts:\n${"  - {}\n".repeat(500)}`
      })
      const own = problems.filter((problem) => problem.startsWith("servers.yml"))
      assert.strictEqual(own.length, 100)
      assert.include(own.at(-1), "901 more problems in this file")
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
      assert.strictEqual(without.message, expected)
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

describe("known_hosts", () => {
  const hostKeysOf = (policy: string, files: Record<string, string>) =>
    Effect.gen(function* () {
      const { root } = yield* writeFiles({ "config/policy.yml": policy, ...files })
      const { problems, snapshot } = yield* loadAt(root)
      return {
        paths: snapshot.hostKeys.paths.map((path) => path.slice(root.length)),
        found: snapshot.hostKeys.digest !== "",
        warnings: problems.filter((problem) => problem.includes("known_hosts"))
      }
    }).pipe(services)
  it.effect("is the one in the keys directory, then the user's", () =>
    Effect.gen(function* () {
      const paths = ["/keys/known_hosts", "/home/.ssh/known_hosts"]
      assert.deepStrictEqual(yield* hostKeysOf("rules: []", { "keys/known_hosts": "a" }), {
        paths,
        found: true,
        warnings: []
      })
      assert.deepStrictEqual(yield* hostKeysOf("rules: []", { "home/.ssh/known_hosts": "a" }), {
        paths,
        found: true,
        warnings: []
      })
      assert.deepStrictEqual(yield* hostKeysOf("rules: []", {}), {
        paths,
        found: false,
        warnings: ["policy.yml:1:1: known_hosts_path: warning: known_hosts not found; no host key can be verified"]
      })
    })
  )
  it.effect("that is named is the only one: a missing file is not replaced by another", () =>
    Effect.gen(function* () {
      const { found, paths } = yield* hostKeysOf("known_hosts_path: mine", { "keys/known_hosts": "a" })
      assert.deepStrictEqual({ found, paths }, { found: false, paths: ["/config/mine"] })
      for (const [written, file] of [
        ["mine", "config/mine"],
        ["/app/config/mine", "config/mine"],
        ["/app/keys/mine", "keys/mine"],
        ["~/mine", "home/mine"]
      ] as const) {
        assert.deepStrictEqual(yield* hostKeysOf(`known_hosts_path: ${written}`, { [file]: "a" }), {
          paths: [`/${file}`],
          found: true,
          warnings: []
        })
      }
    })
  )
})

describe("reload", () => {
  const withService = <A, E>(
    body: (parts: {
      readonly config: ConfigDirectory["Service"]
      readonly write: (name: string, text: string) => Effect.Effect<void, unknown>
    }) => Effect.Effect<A, E>
  ) =>
    Effect.gen(function* () {
      const { root, write } = yield* writeFiles(GOOD)
      const context = yield* Effect.context<FileSystem.FileSystem>()
      return yield* Effect.gen(function* () {
        const config = yield* ConfigDirectory
        return yield* body({
          config,
          write: (name, text) => Effect.provideContext(write(name, text) as Effect.Effect<void, unknown>, context)
        })
      }).pipe(Effect.provide(layerAt(root, { MCP_SSH_SECRET_FROM_ENV: "of the start" })))
    }).pipe(services)

  it.effect("tells what changed, login material included", () =>
    withService(({ config, write }) =>
      Effect.gen(function* () {
        assert.deepStrictEqual((yield* config.reload).changed, { added: [], removed: [], modified: [] })
        yield* write("secrets/lab_maint_password", "another")
        assert.deepStrictEqual((yield* config.reload).changed, { added: [], removed: [], modified: ["lab-sensor-1"] })
        yield* write("config/servers.yml", SERVERS.replace("prod-web-1", "prod-web-2").replace("2222", "2223"))
        assert.deepStrictEqual(yield* config.reload, {
          status: "reloaded",
          hosts: 2,
          rules: 2,
          changed: { added: ["prod-web-2"], removed: ["prod-web-1"], modified: ["lab-sensor-1"] }
        })
      })
    )
  )
  it.effect("a bad file set never replaces a good one", () =>
    withService(({ config, write }) =>
      Effect.gen(function* () {
        const before = yield* config.snapshot
        yield* write("config/policy.yml", "rules: [")
        const exit = yield* Effect.exit(config.reload)
        assert.isTrue(Exit.isFailure(exit))
        if (Exit.isFailure(exit)) {
          const error = Option.getOrThrow(Cause.findErrorOption(exit.cause))
          assert.strictEqual(error._tag, "ReloadFailed")
          assert.match(error.problems[0]!, /^policy\.yml:1:9: /)
        }
        assert.strictEqual(yield* config.snapshot, before)
        yield* write("config/policy.yml", NEWER_POLICY)
        assert.strictEqual((yield* config.reload).rules, 3)
        assert.strictEqual(before.policy.ruleCount, 2)
      })
    )
  )
  it.effect("secrets of the environment that the layer was built in are still there", () =>
    withService(({ config, write }) =>
      Effect.gen(function* () {
        yield* write("config/credentials.yml", CREDENTIALS.replace("lab_maint_password", "from_env"))
        yield* config.reload
        const login = Result.getOrThrow(Option.getOrThrow(findHost(yield* config.snapshot, "lab-sensor-1")).login)
        assert.strictEqual(Redacted.value(login.password!), "of the start")
      })
    )
  )
  it.effect("changes are the snapshot in force and each one after", () =>
    withService(({ config }) =>
      Effect.gen(function* () {
        const first = yield* config.snapshot
        const seen = yield* Effect.forkChild(config.changes.pipe(Stream.take(2), Stream.runCollect), {
          startImmediately: true
        })
        yield* config.reload
        const second = yield* config.snapshot
        const [one, two] = yield* Fiber.join(seen)
        assert.strictEqual(one, first)
        assert.strictEqual(two, second)
      })
    )
  )
  it.effect("concurrent reloads run one after the other", () =>
    withService(({ config }) =>
      Effect.gen(function* () {
        const reports = yield* Effect.all([config.reload, config.reload, config.reload], { concurrency: "unbounded" })
        assert.deepStrictEqual(
          reports.map(({ changed }) => changed.added.length),
          [0, 0, 0]
        )
      })
    )
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
