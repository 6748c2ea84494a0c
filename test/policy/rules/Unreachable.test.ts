import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { decide } from "../../../src/policy/Policy.ts"
import { checkUnreachable } from "../../../src/policy/rules/Unreachable.ts"
import type { Rule } from "../../../src/policy/rules/Rule.ts"
import { policyOf } from "../corpus.ts"
import { lineOf } from "./Problems.ts"

const told = (rules: ReadonlyArray<Rule>): ReadonlyArray<string> => checkUnreachable(rules).map(lineOf)

const allow = (...commands: ReadonlyArray<string>): Rule => ({ action: "allow", commands })
const deny = (...commands: ReadonlyArray<string>): Rule => ({ action: "deny", commands })

describe("allow rules that deny rules leave nothing", () => {
  const unreachable: ReadonlyArray<readonly [Rule, Rule]> = [
    [allow("systemctl stop nginx"), deny("systemctl stop*")],
    [allow("systemctl stop *", "systemctl stop"), deny("systemctl stop*")],
    [allow("uptime*"), deny("uptime*")],
    [allow("/usr/bin/uptime -p"), deny("uptime*")],
    [allow("df -h*"), deny("df *")],
    [allow("cat /var/log/*"), deny("cat /var/*")],
    [allow("cat /var/log/?.log"), deny("cat /var/log/*")],
    [allow("*"), deny("*")],
    [{ action: "allow", commands_regex: ["uptime"] }, deny("*")],
    [{ action: "allow", simple_binaries: ["uptime"] }, { simple_binaries: ["uptime"] }],
    [{ action: "allow", simple_binaries: ["uptime"] }, deny("upt*")],
    [{ action: "allow", simple_binaries: ["uptime"], simple_max_args: 0 }, deny("uptime")],
    [
      { action: "allow", binary: "systemctl", arg_prefix: ["stop", "x"] },
      { action: "deny", binary: "systemctl", arg_prefix: ["stop"] }
    ],
    [
      { ...allow("uptime"), aliases: ["web-1", "web-2*"], tags: ["prod"] },
      { ...deny("uptime"), aliases: ["web-*"] }
    ],
    [
      { ...allow("uptime"), tags: ["prod-a"] },
      { ...deny("uptime"), tags: ["x", "prod-*"] }
    ],
    [allow("uptime"), { ...deny("uptime"), aliases: ["*"] }]
  ]
  it.each(unreachable.map(([left, right]) => [JSON.stringify(left), JSON.stringify(right), left, right] as const))(
    "%s under %s",
    (_left, _right, left, right) => {
      assert.deepStrictEqual(told([left, right]), [
        "warning rules.0: rules[0] never allows anything: rules[1] denies it"
      ])
      assert.deepStrictEqual(told([right, left]), [
        "warning rules.1: rules[1] never allows anything: rules[0] denies it"
      ])
    }
  )

  const reachable: ReadonlyArray<readonly [Rule, Rule]> = [
    [allow("systemctl *"), deny("systemctl stop*")],
    [allow("systemctl stop x", "systemctl status x"), deny("systemctl stop*")],
    [allow("uptime*"), deny("uptime *")],
    [allow("uptime*"), deny("uptime")],
    [allow("cat *"), deny("cat ?")],
    [allow("cat *"), deny("cat [!a]*")],
    [{ action: "allow", commands_regex: ["uptime"] }, deny("uptime*")],
    [
      { action: "allow", simple_binaries: ["uptime"] },
      { simple_binaries: ["uptime"], simple_max_args: 3 }
    ],
    [
      { action: "allow", binary: "df", arg_prefix: ["-h"] },
      { action: "deny", binary: "df", arg_prefix: ["-h"], allow_extra_args: false }
    ],
    [allow("uptime"), { ...deny("uptime"), aliases: ["web-*"] }],
    [
      { ...allow("uptime"), aliases: ["*"] },
      { ...deny("uptime"), aliases: ["web-?"] }
    ],
    [allow("uptime"), { ...deny("uptime"), tags: ["*"] }],
    [
      { ...allow("uptime"), tags: ["prod", "lab"] },
      { ...deny("uptime"), tags: ["prod"] }
    ],
    [{ action: "allow" }, deny("*")]
  ]
  it.each(reachable.map(([left, right]) => [JSON.stringify(left), JSON.stringify(right), left, right] as const))(
    "not %s under %s",
    (_left, _right, left, right) => assert.deepStrictEqual(told([left, right]), [])
  )

  it("several deny rules may do it together, and are counted", () => {
    assert.deepStrictEqual(told([allow("a x", "b x", "c x"), { id: "no-a", ...deny("a*") }, deny("b*"), deny("c*")]), [
      "warning rules.0: rules[0] never allows anything: no-a and 2 more deny it"
    ])
  })
})

describe("allow rules that an earlier one repeats", () => {
  const first: Rule = {
    id: "first",
    action: "allow",
    commands: ["uptime*", "df  -h"],
    limits: { max_seconds: 5, max_output_bytes: 10 },
    env: ["A", "B"]
  }
  const same: Rule = { ...first, id: "second", commands: ["df -h"], limits: { max_output_bytes: 10, max_seconds: 5 } }

  it("are told with the rule that comes first", () => {
    assert.deepStrictEqual(told([first, same]), ["warning rules.1: second has no effect: first allows the same"])
    assert.deepStrictEqual(told([first, { ...same, aliases: ["web-*"], env: ["B", "A"] }]).length, 1)
    const words: Rule = { action: "allow", simple_binaries: ["a", "b"], binary: "df", arg_prefix: ["-h"] }
    assert.strictEqual(told([words, { ...words, simple_binaries: ["b"] }]).length, 1)
  })

  it("differ by hosts, effects, words, or when they come before", () => {
    for (const change of [
      { limits: { max_seconds: 4 } },
      { redirect_write: ["/tmp/x"] },
      { redirect_read: ["/tmp/x"] },
      { env: ["A"] },
      { unsafe_args: true },
      { commands: ["df -h", "id"] },
      { commands: ["'df -h'"] },
      { commands_regex: ["uptime"] },
      { action: "deny" as const, commands: ["x"] }
    ]) {
      assert.deepStrictEqual(told([first, { ...same, ...change }]), [], JSON.stringify(change))
    }
    assert.deepStrictEqual(told([{ ...first, tags: ["x"] }, same]), [])
    assert.deepStrictEqual(told([same, first]), [])
    const words: Rule = { action: "allow", simple_binaries: ["a"], simple_max_args: 2 }
    assert.deepStrictEqual(told([words, { ...words, simple_max_args: 3 }]), [])
  })
})

const ALIASES = ["*", "a", "a*", "a?", "b", "*b"] as const
const WORDS = ["a", "ab", "b", "-x", "/p/q", "*", "a*", "*b", "/p/*", "?"] as const
const Drawn = Schema.Struct({
  action: Schema.Literals(["allow", "allow", "deny"]),
  aliases: Schema.Array(Schema.Literals(ALIASES)).check(Schema.isMaxLength(2)),
  tags: Schema.Array(Schema.Literals(ALIASES)).check(Schema.isMaxLength(1)),
  commands: Schema.Array(
    Schema.Array(Schema.Literals(WORDS)).check(Schema.isMinLength(1)).check(Schema.isMaxLength(3))
  ).check(Schema.isMinLength(1), Schema.isMaxLength(2))
})

describe("what is told", () => {
  it.prop(
    "is true: without the rule every command is decided as with it",
    [
      Schema.Array(Drawn).check(Schema.isMinLength(2), Schema.isMaxLength(4)),
      Schema.Array(Schema.Literals(["a", "ab", "b", "-x", "/p/q"])).check(Schema.isMinLength(1), Schema.isMaxLength(3)),
      Schema.Literals(["a", "ab", "b", "c"]),
      Schema.Array(Schema.Literals(["a", "b", "ab"])).check(Schema.isMaxLength(2))
    ],
    ([drawn, words, alias, tags]) => {
      const rules = drawn.map((rule) => ({ ...rule, commands: rule.commands.map((each) => each.join(" ")) }))
      const outcome = (list: ReadonlyArray<object>) =>
        decide(policyOf({ limits: { deny_substrings: [] }, rules: list }), { alias, tags }, words.join(" "))._tag
      return checkUnreachable(rules).every(
        ({ path }) => outcome(rules) === outcome(rules.filter((_, index) => index !== path[1]))
      )
    },
    { arbitrary: { runs: 3000, seed: "unreachable" } }
  )
})

describe("the work of comparing", () => {
  it("is bounded for 10,000 rules, and the result says that it is not whole", () => {
    const rules = Array.from({ length: 10_000 }, (_, index): Rule =>
      index % 2 === 0 ? deny(`*${"a".repeat(200)}${index}`) : allow(`${"a".repeat(200)} ${index}`)
    )
    const started = performance.now()
    const problems = told(rules)
    assert.isBelow(performance.now() - started, 3_000)
    assert.match(problems.at(-1) ?? "", /^warning rules: too many patterns to compare/)
  })

  it("is told for at most 50 rules", () => {
    const problems = told([...Array.from({ length: 60 }, () => allow("uptime")), deny("uptime")])
    assert.strictEqual(problems.length, 51)
    assert.match(problems[50] ?? "", /not every rule without an effect is told/)
  })
})
