import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { GOOD, loadFiles, services } from "./ConfigFiles.ts"

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
