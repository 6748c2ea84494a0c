import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { decide } from "../../src/policy/Policy.ts"
import { GOOD, loadFiles, services } from "./ConfigFiles.ts"

const load = (policy: string) => loadFiles({ ...GOOD, "config/policy.yml": policy })

describe("regular expressions in policy.yml", () => {
  it.effect("decide by the engine that the file was loaded with", () =>
    Effect.gen(function* () {
      const { problems, snapshot } = yield* load(
        [
          "rules:",
          "  - action: allow",
          '    commands_regex: ["tail -n [0-9]{1,4} /var/log/[a-z.]+"]',
          "  - action: deny",
          '    commands_regex: [".*secret.*"]'
        ].join("\n")
      )
      assert.deepStrictEqual(problems, [])
      const host = { alias: "prod-web-1", tags: [] }
      const tagOf = (command: string) => decide(snapshot.policy, host, command)._tag
      assert.strictEqual(tagOf("tail -n 50 /var/log/syslog"), "Allowed")
      assert.strictEqual(tagOf("tail -n 50000 /var/log/syslog"), "Denied")
      assert.strictEqual(tagOf("tail -n 50 /var/log/secret.log"), "Denied")
    }).pipe(services)
  )

  it.effect("that RE2 refuses refuse the file, with place and reason", () =>
    Effect.gen(function* () {
      const { problems, snapshot } = yield* load('rules:\n  - action: allow\n    commands_regex: ["(?=a)b"]')
      assert.isFalse(snapshot.usable)
      assert.match(
        problems[0] ?? "",
        /^policy\.yml:3:22: rules\[0\]\.commands_regex\[0\]: is no regular expression of RE2: .*\(\?=/
      )
    }).pipe(services)
  )
})

describe("rules about hosts that are not there", () => {
  it.effect("are warnings, since a deny rule of this kind protects nothing", () =>
    Effect.gen(function* () {
      const { problems, snapshot } = yield* load("rules:\n  - {action: deny, aliases: [prod-wep-1], commands: [x]}")
      assert.isTrue(snapshot.usable)
      assert.deepStrictEqual(problems, [
        'policy.yml:2:29: rules[0].aliases: warning: rules[0] is about no host: no alias is "prod-wep-1"'
      ])
    }).pipe(services)
  )
})

describe("values of a wrong kind refuse the file at their place", () => {
  const rule = (text: string) => `rules:\n  - {action: allow, commands: [uptime], ${text}}`
  const cases: ReadonlyArray<readonly [name: string, text: string, key: string]> = [
    ...["yes", "no", "on", "off", "y", "n", "True ", "'true'", "1", "0", "1.0"].flatMap((text) =>
      text === "True " ? [] : [[`${text} for a boolean`, rule(`unsafe_args: ${text}`), "rules[0].unsafe_args"] as const]
    ),
    [
      "no for allow_extra_args",
      "rules: [{binary: df, arg_prefix: [-h], allow_extra_args: no}]",
      "rules[0].allow_extra_args"
    ],
    ["off for a limit's boolean", "limits: {redact_output: off}", "limits.redact_output"],
    ...[
      "-1",
      "1.5",
      ".nan",
      ".inf",
      "-.inf",
      "1e400",
      "1e20",
      "99999999999999999999",
      "0x1_0",
      "1_000",
      "'60'",
      "60s",
      "1:30",
      "true",
      "[60]",
      "{a: 1}"
    ].map((text) => [`${text} for a number`, `limits: {max_seconds: ${text}}`, "limits.max_seconds"] as const),
    [
      "NaN for a count of arguments",
      "rules: [{simple_binaries: [a], simple_max_args: .nan}]",
      "rules[0].simple_max_args"
    ],
    [
      "a negative count of arguments",
      "rules: [{simple_binaries: [a], simple_max_args: -1}]",
      "rules[0].simple_max_args"
    ],
    [
      "a negative index",
      "rules: [{binary: a, path_args: {indices: [-1], patterns: [b]}}]",
      "rules[0].path_args.indices[0]"
    ],
    [
      "a fraction of an index",
      "rules: [{binary: a, path_args: {indices: [0.5], patterns: [b]}}]",
      "rules[0].path_args.indices[0]"
    ],
    [
      "a huge index",
      "rules: [{binary: a, path_args: {indices: [1e9], patterns: [b]}}]",
      "rules[0].path_args.indices[0]"
    ],
    ["null in a list", rule("redirect_write: [null]"), "rules[0].redirect_write[0]"],
    ["an empty text in a list", rule("env: ['']"), "rules[0].env[0]"],
    ["a number in a list of texts", rule("aliases: [1]"), "rules[0].aliases[0]"],
    ["a boolean in a list of texts", "rules: [{action: allow, commands: [true]}]", "rules[0].commands[0]"],
    ["a list in a list", "rules: [{action: allow, commands: [[uptime]]}]", "rules[0].commands[0]"],
    ["a mapping in a list", "rules: [{action: allow, commands: [{cmd: uptime}]}]", "rules[0].commands[0]"],
    ["a mapping for a list", "rules: [{action: allow, commands: {a: b}}]", "rules[0].commands"],
    ["a text for redirect_write", rule("redirect_write: /tmp/x"), "rules[0].redirect_write"],
    ["a text for env", rule("env: LC_ALL"), "rules[0].env"],
    ["a mapping for env", rule("env: {LC_ALL: C}"), "rules[0].env"],
    ["a text for commands_regex", rule("commands_regex: a.*"), "rules[0].commands_regex"],
    ["a text for match", rule("match: uptime"), "rules[0].match"],
    ["a list for limits", "limits: [1]", "limits"],
    ["a text for overrides", "overrides: none", "overrides"],
    ["a list of overrides", "overrides: {aliases: [{a: 1}]}", "overrides.aliases"],
    ["a wrong type deep in overrides", "overrides: {tags: {a: {max_seconds: no}}}", "overrides.tags.a.max_seconds"],
    ["an unknown key in a rule's limits", rule("limits: {max_second: 1}"), "rules[0].limits.max_second"],
    ["a limit of a rule of a wrong type", rule("limits: {max_seconds: off}"), "rules[0].limits.max_seconds"],
    ["an action that is a boolean", "rules: [{action: on, commands: [a]}]", "rules[0].action"],
    ["an id with blanks", rule("id: a b"), "rules[0].id"],
    ["a look-behind", rule('commands_regex: ["(?<!a)b"]'), "rules[0].commands_regex[0]"],
    ["a back-reference", rule('commands_regex: ["(a)\\\\1"]'), "rules[0].commands_regex[0]"],
    ["too much repetition", rule('commands_regex: ["a{1001}"]'), "rules[0].commands_regex[0]"],
    ["a set that is not closed", rule('commands_regex: ["[a"]'), "rules[0].commands_regex[0]"],
    [
      "513 characters of a regular expression",
      rule(`commands_regex: ["${"a".repeat(513)}"]`),
      "rules[0].commands_regex[0]"
    ],
    ["1,001 entries", rule(`env: [${Array.from({ length: 1_001 }, (_, n) => `A${n}`).join(",")}]`), "rules[0].env"],
    ["1,001 characters", rule(`redirect_write: [/${"a".repeat(1_000)}]`), "rules[0].redirect_write[0]"],
    ["10,001 rules", `rules:\n${"  - {}\n".repeat(10_001)}`, "rules"]
  ]
  it.effect.each(cases)("%s", ([, text, key]) =>
    Effect.gen(function* () {
      const { snapshot } = yield* load(text)
      assert.isFalse(snapshot.usable)
      const errors = snapshot.problems.filter(({ severity }) => severity === "error")
      assert.deepStrictEqual(
        errors.map((problem) => problem.key),
        [key]
      )
      assert.isTrue(errors.every(({ line, message }) => line <= 2 && message !== ""))
    }).pipe(services)
  )

  it.effect("unset keys are no values of a wrong kind", () =>
    Effect.gen(function* () {
      const { problems, snapshot } = yield* load(
        "limits:\nnetwork: null\nrules:\n  - action: allow\n    commands: [uptime]\n    env:\n    redirect_write: null\n    tags: ''\n"
      )
      assert.deepStrictEqual(problems, [])
      assert.strictEqual(snapshot.policy.ruleCount, 1)
    }).pipe(services)
  )
})
