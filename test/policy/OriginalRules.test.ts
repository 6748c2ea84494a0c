import { assert, describe, it } from "@effect/vitest"
import { parse } from "yaml"
import { type CompiledPolicy, decide, type HostFacts, limitsFor } from "../../src/policy/Policy.ts"
import { checkPolicyDocument } from "../../src/policy/PolicyDocument.ts"
import { decodeDocument, policyOf } from "./corpus.ts"

const RELEASED = `
known_hosts_path: "/app/keys/known_hosts"
limits: {max_seconds: 60, max_output_bytes: 1048576, host_key_auto_add: false, require_known_host: true, task_result_ttl: 300, task_progress_interval: 5}
network: {allow_ips: [], allow_cidrs: ["10.0.0.0/8"], block_ips: [], block_cidrs: [], require_known_host: true}
rules:
  - {action: "allow", aliases: ["prod-*"], tags: ["production"], commands: ["uptime*", "df -h*", "systemctl status *"]}
  - {action: "deny",  aliases: ["prod-*"], commands: ["systemctl restart*", "docker *"]}
overrides: {aliases: {prod-web-1: {max_seconds: 30}}, tags: {longrun: {max_seconds: 180, task_result_ttl: 1800}}}
`

const NEWER = `
rules:
  - {action: "allow", aliases: ["*"], tags: [], simple_binaries: [uname, uptime, whoami], simple_max_args: 6}
  - {action: "allow", aliases: ["*"], binary: "df", arg_prefix: ["-h"], allow_extra_args: false}
  - {action: "allow", aliases: ["*"], binary: "cat", allow_extra_args: false, path_args: {indices: [1], patterns: ["/etc/os-release","/etc/*release"]}}
`

const WEB: HostFacts = { alias: "prod-web-1", tags: ["production", "web"] }
const SENSOR: HostFacts = { alias: "lab-sensor-1", tags: ["lab", "longrun"] }

/** What becomes of a command: the rule that allows it, or the code of the denial. */
const outcome = (policy: CompiledPolicy, host: HostFacts, command: string): string => {
  const decision = decide(policy, host, command)
  return decision._tag === "Allowed" ? `allowed by ${decision.rule}` : decision.code
}

type Table = Readonly<Record<string, ReadonlyArray<string>>>

const check = (policy: CompiledPolicy, host: HostFacts, table: Table): void => {
  for (const [expected, commands] of Object.entries(table)) {
    for (const command of commands) assert.strictEqual(outcome(policy, host, command), expected, command)
  }
}

/** Rules of the appendix, each with no other rule beside it. */
const checkRules = (rules: ReadonlyArray<object>, table: Table, host = WEB): void =>
  check(policyOf({ limits: { deny_substrings: [] }, rules }), host, table)

describe("a policy in the released rule language", () => {
  const policy = policyOf(parse(RELEASED))

  it("loads without an error", () => {
    const problems = checkPolicyDocument(decodeDocument(parse(RELEASED)))
    assert.deepStrictEqual(
      problems.filter(({ severity }) => severity === "error"),
      []
    )
  })

  it("decides about a host with both the alias and the tag", () => {
    check(policy, WEB, {
      "allowed by rules[0]": [
        "uptime",
        "uptime -p",
        "df -h",
        "df -h /",
        "df -hT /srv",
        "systemctl status nginx",
        "systemctl status nginx -l"
      ],
      "no-rule": ["df", "df -k", "whoami", "uptimectl", "systemctl status", "systemctl", "docker", "/usr/bin/uptime"],
      "rule-deny": [
        "systemctl restart nginx",
        "systemctl restart",
        "/bin/systemctl restart nginx",
        "docker ps",
        "uptime; docker ps",
        "uptime | docker ps"
      ],
      "deny-substring": ["reboot", "uptime && reboot", "curl http://10.0.0.1/"]
    })
  })

  it("allows nothing where the alias or the tag is another", () => {
    check(policy, SENSOR, { "no-rule": ["uptime", "docker ps", "systemctl restart nginx"] })
    check(policy, { alias: "prod-db-1", tags: ["db"] }, { "no-rule": ["uptime"], "rule-deny": ["docker ps"] })
    check(policy, { alias: "web-prod-1", tags: ["production"] }, { "no-rule": ["uptime", "docker ps"] })
  })

  it("has the limits of the alias before those of the tag before those of the file", () => {
    assert.strictEqual(limitsFor(policy, WEB).max_seconds, 30)
    assert.strictEqual(limitsFor(policy, SENSOR).max_seconds, 180)
    assert.strictEqual(limitsFor(policy, SENSOR).task_result_ttl, 1800)
    assert.strictEqual(limitsFor(policy, { alias: "x", tags: [] }).max_seconds, 60)
  })
})

describe("a policy in the newer rule language", () => {
  it("loads without a problem", () => {
    assert.deepStrictEqual(checkPolicyDocument(decodeDocument(parse(NEWER))), [])
  })

  it("decides by exact words", () => {
    const policy = policyOf(parse(NEWER))
    for (const host of [WEB, SENSOR, { alias: "x", tags: [] }]) {
      check(policy, host, {
        "allowed by rules[0]": ["uname", "uname -a", "uptime -p", "whoami", "uname a b c d e f"],
        "allowed by rules[1]": ["df -h"],
        "allowed by rules[2]": ["cat /etc/os-release", "cat /etc/debian-release"],
        "no-rule": [
          "uname a b c d e f g",
          "/bin/uname",
          "unamex",
          "df",
          "df -h /",
          "df -k",
          "df / -h",
          "cat",
          "cat /etc/shadow",
          "cat /etc/os-release /etc/shadow",
          "cat -n /etc/os-release",
          "cat /etc/../root/release",
          "/bin/cat /etc/os-release",
          "id"
        ]
      })
    }
  })
})

describe("rules of both languages", () => {
  it("deny without an action", () => {
    checkRules([{ action: "allow", commands: ["uptime*"] }, { commands: ["uptime -x*"] }], {
      "allowed by rules[0]": ["uptime", "uptime -p"],
      "rule-deny": ["uptime -x"]
    })
    checkRules([{ action: "allow", simple_binaries: ["uptime"] }, { simple_binaries: ["uptime"] }], {
      "rule-deny": ["uptime", "uptime -p"]
    })
  })

  it("are about every host without aliases and tags, and need any one tag", () => {
    const rules = [
      { id: "all", action: "allow", aliases: [], tags: [], commands: ["a"] },
      { id: "none-given", action: "allow", commands: ["b"] },
      { id: "tag", action: "allow", tags: ["db", "prod*"], commands: ["c"] },
      { id: "alias", action: "allow", aliases: ["db-*", "prod-???-[0-9]"], commands: ["d"] },
      { id: "both", action: "allow", aliases: ["prod-*"], tags: ["db"], commands: ["e"] }
    ]
    checkRules(rules, {
      "allowed by all": ["a"],
      "allowed by none-given": ["b"],
      "allowed by tag": ["c"],
      "allowed by alias": ["d"],
      "no-rule": ["e"]
    })
    checkRules(rules, { "allowed by all": ["a"], "no-rule": ["c", "d", "e"] }, { alias: "x", tags: [] })
    checkRules(rules, { "allowed by both": ["e"] }, { alias: "prod-x", tags: ["web", "db"] })
    checkRules(rules, { "no-rule": ["c", "d"] }, { alias: "PROD-WEB-1", tags: ["PRODUCTION"] })
  })

  it("never match with empty or missing commands", () => {
    const allow = { action: "allow", commands: ["uptime"] }
    checkRules([allow, { action: "deny", commands: [] }, { action: "deny" }], { "allowed by rules[0]": ["uptime"] })
    checkRules([{ action: "allow", commands: [] }, { action: "allow" }], { "no-rule": ["uptime", "id"] })
    checkRules([{ action: "allow", simple_binaries: [] }], { "no-rule": ["uptime"] })
  })
})

describe("rules of the newer language", () => {
  it("take any number of arguments without simple_max_args, and none with 0", () => {
    checkRules([{ action: "allow", simple_binaries: ["who"] }], {
      "allowed by rules[0]": ["who", "who a b c d e f g h i j"]
    })
    checkRules([{ action: "allow", simple_binaries: ["who"], simple_max_args: 0 }], {
      "allowed by rules[0]": ["who"],
      "no-rule": ["who -a"]
    })
  })

  it("never match by binary alone, also when they deny", () => {
    checkRules([{ action: "allow", binary: "df" }], { "no-rule": ["df", "df -h"] })
    checkRules(
      [
        { action: "allow", simple_binaries: ["df"] },
        { action: "deny", binary: "df" }
      ],
      { "allowed by rules[0]": ["df", "df -h"] }
    )
  })

  it("allow more arguments after arg_prefix unless allow_extra_args is false", () => {
    const rule = { action: "allow", binary: "systemctl", arg_prefix: ["status", "nginx"] }
    checkRules([rule], {
      "allowed by rules[0]": ["systemctl status nginx", "systemctl status nginx -l"],
      "no-rule": ["systemctl status", "systemctl status mysql", "systemctl -l status nginx", "systemctl"]
    })
    checkRules([{ ...rule, allow_extra_args: false }], {
      "allowed by rules[0]": ["systemctl status nginx"],
      "no-rule": ["systemctl status nginx -l"]
    })
  })

  it("match each indexed argument against any pattern", () => {
    const paths = { indices: [1, 2], patterns: ["/srv/*", "/etc/hosts"] }
    checkRules([{ action: "allow", binary: "diff", path_args: paths }], {
      "allowed by rules[0]": ["diff /srv/a /etc/hosts", "diff /srv/a /srv/b/c", "diff /srv/a /srv/b -q"],
      "no-rule": ["diff /srv/a", "diff /srv/a /etc/passwd", "diff /etc/passwd /srv/a", "diff /srv/../etc/passwd /srv/a"]
    })
    checkRules([{ action: "allow", binary: "diff", path_args: paths, allow_extra_args: false }], {
      "allowed by rules[0]": ["diff /srv/a /etc/hosts"],
      "no-rule": ["diff /srv/a /srv/b -q", "diff /srv/a"]
    })
  })

  it("count exactly the prefix and the indexed arguments with both and no extra ones", () => {
    checkRules(
      [
        {
          action: "allow",
          binary: "tail",
          arg_prefix: ["-n", "5"],
          path_args: { indices: [3], patterns: ["/var/log/*"] },
          allow_extra_args: false
        }
      ],
      {
        "allowed by rules[0]": ["tail -n 5 /var/log/syslog"],
        "no-rule": ["tail -n 5", "tail -n 5 /etc/shadow", "tail -n 5 /var/log/syslog /etc/shadow", "tail /var/log/x"]
      }
    )
  })

  it("take index 0 as the program", () => {
    checkRules([{ action: "allow", binary: "ls", path_args: { indices: [0, 1], patterns: ["ls", "/srv/*"] } }], {
      "allowed by rules[0]": ["ls /srv/a"],
      "no-rule": ["ls", "ls /etc"]
    })
    checkRules([{ action: "allow", binary: "ls", path_args: { indices: [0], patterns: ["/srv/*"] } }], {
      "no-rule": ["ls", "ls /srv/a"]
    })
  })

  it("never match a program given with a path, in the rule or in the command", () => {
    checkRules(
      [
        { action: "allow", simple_binaries: ["uptime", "/bin/who"] },
        { action: "allow", binary: "/bin/df", arg_prefix: ["-h"] }
      ],
      { "no-rule": ["/usr/bin/uptime", "/bin/who", "who", "/bin/df -h", "df -h"] }
    )
  })

  it("try simple_binaries first within a rule", () => {
    const decision = decide(
      policyOf({
        rules: [{ action: "allow", simple_binaries: ["df"], simple_max_args: 1, binary: "df", arg_prefix: ["-h", "/"] }]
      }),
      WEB,
      "df -h"
    )
    assert.strictEqual(decision._tag === "Allowed" && decision.parts[0]?.pattern, "df")
  })
})
