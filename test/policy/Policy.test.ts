import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { decide, denyAll } from "../../src/policy/Policy.ts"
import { policyOf } from "./corpus.ts"
import { allowing, check, codeOf, HOST } from "./Decisions.ts"

describe("decide", () => {
  it("denies everything without rules", () => {
    check(denyAll, { "no-rule": ["uptime", "ls -l", "a | b", "x=1", "exit 0", "for i in 1; do break; done"] })
  })

  it("shows the rule, the pattern, the words and the text that runs", () => {
    const policy = policyOf({
      rules: [
        { id: "base", action: "allow", commands: ["df *"] },
        { action: "allow", commands: ["df -h *"], limits: { max_seconds: 5 } }
      ]
    })
    const decision = decide(policy, HOST, " 'df'  -h /srv")
    assert.strictEqual(decision._tag, "Allowed")
    if (decision._tag === "Denied") return
    assert.strictEqual(decision.rule, "rules[1]")
    assert.strictEqual(decision.command.requested, "'df'  -h /srv")
    assert.strictEqual(decision.command.canonical, "df -h /srv")
    assert.deepStrictEqual(decision.parts, [
      { text: "df -h /srv", argv: ["df", "-h", "/srv"], allowed: true, rule: "rules[1]", pattern: "df -h *" }
    ])
    assert.strictEqual(decision.limits.max_seconds, 5)
  })

  it("explains a denial with the closest rules of this host, never those of another or a deny rule", () => {
    const policy = policyOf({
      rules: [
        { action: "allow", commands: ["systemctl status *", "systemctl restart nginx", "journalctl *"] },
        { action: "allow", aliases: ["db-*"], commands: ["systemctl restart *"] },
        { action: "deny", commands: ["systemctl restart secret*"] },
        { action: "allow", commands: ["systemctl show *", "systemctl cat *"] }
      ]
    })
    const decision = decide(policy, HOST, "systemctl restart redis")
    assert.strictEqual(decision._tag, "Denied")
    if (decision._tag === "Allowed") return
    assert.strictEqual(decision.why, "Policy blocked this command.")
    assert.strictEqual(decision.detail, 'No rule on this host allows this use of "systemctl".')
    assert.strictEqual(decision.deniedCommand, "systemctl restart redis")
    assert.strictEqual(decision.normalized, "systemctl restart redis")
    assert.strictEqual(decision.nearest.length, 3)
    assert.deepStrictEqual(decision.nearest[0], { rule: "rules[0]", pattern: "systemctl restart nginx" })
    assert.isFalse(decision.nearest.some((each) => each.rule === "rules[1]" || each.rule === "rules[2]"))
    const typo = decide(policy, HOST, "systemclt status x")
    assert.strictEqual(typo._tag === "Denied" && typo.nearest[0]?.rule, "rules[0]")
  })

  it("lets deny win whatever the order, and names both rules", () => {
    for (const rules of [
      [
        { action: "allow", commands: ["systemctl *"] },
        { action: "deny", commands: ["systemctl stop*"] }
      ],
      [{ commands: ["systemctl stop*"] }, { action: "allow", commands: ["systemctl *"] }]
    ]) {
      const decision = decide(policyOf({ rules }), HOST, "systemctl stop nginx")
      assert.strictEqual(decision._tag, "Denied")
      if (decision._tag === "Allowed") continue
      assert.strictEqual(decision.code, "rule-deny")
      assert.include(decision.detail, "rules[0]")
      assert.include(decision.detail, "rules[1]")
    }
  })

  it("applies a rule by alias and by any one tag", () => {
    const policy = policyOf({
      rules: [
        { action: "allow", aliases: ["web-*"], commands: ["a"] },
        { action: "allow", tags: ["db", "prod*"], commands: ["b"] },
        { action: "allow", aliases: ["web-*"], tags: ["db"], commands: ["c"] },
        { action: "allow", aliases: [], tags: [], commands: ["d"] }
      ]
    })
    check(policy, { allowed: ["a", "b", "d"], "no-rule": ["c"] })
    assert.strictEqual(codeOf(policy, "a", { alias: "db-1", tags: [] }), "no-rule")
    assert.strictEqual(codeOf(policy, "b", { alias: "db-1", tags: [] }), "no-rule")
  })

  it("decides the newer language by exact words", () => {
    const policy = policyOf({
      limits: { deny_substrings: [] },
      rules: [
        { action: "allow", simple_binaries: ["uname", "uptime"], simple_max_args: 2 },
        { action: "allow", simple_binaries: ["who"] },
        { action: "allow", binary: "df", arg_prefix: ["-h"], allow_extra_args: false },
        { action: "allow", binary: "systemctl", arg_prefix: ["status"] },
        {
          action: "allow",
          binary: "cat",
          allow_extra_args: false,
          path_args: { indices: [1], patterns: ["/etc/os-release", "/etc/*release"] }
        },
        {
          action: "allow",
          binary: "tail",
          arg_prefix: ["-n", "5"],
          allow_extra_args: false,
          path_args: { indices: [3], patterns: ["/var/log/*"] }
        },
        { action: "allow", binary: "alone" },
        { action: "deny", binary: "systemctl", arg_prefix: ["stop"] },
        { action: "deny", simple_binaries: ["rm"] }
      ]
    })
    check(policy, {
      allowed: [
        "uname",
        "uname -a",
        "uptime a b",
        "who a b c d",
        "df -h",
        "systemctl status",
        "systemctl status x -l",
        "cat /etc/os-release",
        "cat /etc/debian-release",
        "tail -n 5 /var/log/x"
      ],
      "no-rule": [
        "uname a b c",
        "/bin/uname",
        "df",
        "df -h /",
        "df -k",
        "cat",
        "cat /etc/shadow",
        "cat /etc/os-release /etc/shadow",
        "cat /etc/../x/release",
        "tail -n 5",
        "tail -n 5 /var/log/x /etc/shadow",
        "tail -n 5 /etc/shadow",
        "alone",
        "alone x"
      ],
      "rule-deny": ["systemctl stop x", "systemctl --now stop x", "/bin/systemctl stop x", "rm x", "/usr/bin/rm"]
    })
  })

  it.prop("is total", [Schema.String, Schema.String, Schema.Array(Schema.String)], ([command, alias, tags]) => {
    const decision = decide(allowing(["*"]), { alias, tags }, command)
    return decision._tag === "Allowed" || decision.code !== ""
  })
})
