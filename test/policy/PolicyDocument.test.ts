import { assert, describe, it } from "@effect/vitest"
import { Option, Schema } from "effect"
import { parseDocument } from "yaml"
import { checkPolicyDocument, PolicyDocument } from "../../src/policy/PolicyDocument.ts"
import { decodeDocument, readBadInputs } from "./corpus.ts"
import { lineOf } from "./rules/Problems.ts"

const decode = Schema.decodeUnknownOption(PolicyDocument, { onExcessProperty: "error" })

const problemsOf = (document: unknown): ReadonlyArray<string> =>
  checkPolicyDocument(decodeDocument(document)).map(lineOf)

const oneProblem = (document: unknown, expected: RegExp): void => {
  const problems = problemsOf(document)
  assert.strictEqual(problems.length, 1, problems.join("\n"))
  assert.match(problems[0] ?? "", expected)
}

describe("PolicyDocument", () => {
  it("decodes the shapes that users of the original have", () => {
    const documents = [
      {},
      { version: 1, rules: [], limits: {}, network: {}, overrides: {} },
      {
        known_hosts_path: "/app/keys/known_hosts",
        limits: {
          max_seconds: 60,
          max_output_bytes: 1048576,
          host_key_auto_add: false,
          require_known_host: true,
          task_result_ttl: 300,
          task_progress_interval: 5
        },
        network: {
          allow_ips: [],
          allow_cidrs: ["10.0.0.0/8"],
          block_ips: [],
          block_cidrs: [],
          require_known_host: true
        },
        rules: [
          {
            action: "allow",
            aliases: ["prod-*"],
            tags: ["production"],
            commands: ["uptime*", "df -h*", "systemctl status *"]
          },
          { action: "deny", aliases: ["prod-*"], commands: ["systemctl restart*", "docker *"] }
        ],
        overrides: {
          aliases: { "prod-web-1": { max_seconds: 30 } },
          tags: { longrun: { max_seconds: 180, task_result_ttl: 1800 } }
        }
      },
      {
        rules: [
          {
            action: "allow",
            aliases: ["*"],
            tags: [],
            simple_binaries: ["uname", "uptime", "whoami"],
            simple_max_args: 6
          },
          { action: "allow", aliases: ["*"], binary: "df", arg_prefix: ["-h"], allow_extra_args: false },
          {
            action: "allow",
            aliases: ["*"],
            binary: "cat",
            allow_extra_args: false,
            path_args: { indices: [1], patterns: ["/etc/os-release", "/etc/*release"] }
          }
        ]
      },
      { limits: { max_seconds: 0 }, network: { block_ips: ["169.254.0.0/16"] } }
    ]
    for (const document of documents) {
      const problems = problemsOf(document)
      assert.deepStrictEqual(
        problems.filter((problem) => !problem.includes("stricter than in the original")),
        []
      )
    }
  })

  it("refuses unknown keys and wrong types anywhere", () => {
    const documents = [
      [],
      "x",
      { rule: [] },
      { version: 4 },
      { version: "1" },
      { rules: {} },
      { rules: ["uptime"] },
      { rules: [{ action: "alow" }] },
      { rules: [{ action: "ALLOW" }] },
      { rules: [{ action: "ask" }] },
      { rules: [{ aliases: "prod-*" }] },
      { rules: [{ comands: ["x"] }] },
      { rules: [{ commands: [null] }] },
      { rules: [{ commands: [""] }] },
      { rules: [{ allow_extra_args: "no" }] },
      { rules: [{ path_args: { indices: [], patterns: ["x"] } }] },
      { rules: [{ path_args: { indices: [-1], patterns: ["x"] } }] },
      { rules: [{ limits: { max_second: 1 } }] },
      { limits: { max_seconds: -1 } },
      { limits: { max_seconds: 1.5 } },
      { limits: { max_seconds: "60" } },
      { limits: { max_output_bytes: 1e20 } },
      { limits: { deny_substrings: [""] } },
      { network: { allow: [] } },
      { network: { require_known_host: 0 } },
      { network: { allow_cidrs: "10.0.0.0/8" } },
      { network: { allow_cidrs: ["10.0.0.0/8 "] } },
      { network: { allow_cidrs: ["example.com"] } },
      { network: { block_cidrs: ["169.254.0.0/16x"] } },
      { network: { block_ips: ["010.0.0.1"] } },
      { overrides: { aliases: { a: { max_seconds: "x" } } } },
      { overrides: { hosts: {} } }
    ]
    for (const document of documents) assert.isTrue(Option.isNone(decode(document)), JSON.stringify(document))
  })

  it("decides the hostile files that are a matter of shape", () => {
    // Decided by the YAML reader or before it, or otherwise by the contract: 0 seconds is no limit, a block may stand in block_ips.
    const notShape = /-(?:002|003|021|040|044|045|046|047|048|050|051|052|053|054|055|057|058|059|060)$/
    for (const each of readBadInputs("config.policy")) {
      if (notShape.test(each.id)) continue
      const yaml = parseDocument(String(each.input))
      const decoded = yaml.errors.length > 0 ? Option.none() : decode(yaml.toJS())
      const problems = Option.isSome(decoded) ? checkPolicyDocument(decoded.value) : []
      const refused = Option.isNone(decoded) || problems.some((problem) => problem.severity === "error")
      if (each.expect === "reject:config") assert.isTrue(refused, each.id)
      if (each.expect.startsWith("accept")) assert.isFalse(refused, each.id)
      if (each.expect === "accept+warn") assert.isAtLeast(problems.length, 1, each.id)
    }
  })
})

describe("checkPolicyDocument", () => {
  it("refuses two rule languages in one file, naming both rules", () => {
    oneProblem(
      {
        rules: [
          { id: "old", action: "allow", commands: ["a"] },
          { action: "allow", simple_binaries: ["b"] }
        ]
      },
      /^error rules\.1: old uses commands and rules\[1\] uses simple_binaries or binary/
    )
    oneProblem(
      { rules: [{ action: "allow", commands: ["a"], binary: "b", arg_prefix: ["c"] }] },
      /^error rules\.0: rules\[0\] mixes/
    )
  })

  it("warns of host key flags that have no effect", () => {
    oneProblem({ limits: { host_key_auto_add: true } }, /^warning limits\.host_key_auto_add/)
    oneProblem({ network: { require_known_host: false } }, /^warning network\.require_known_host/)
    oneProblem(
      { overrides: { tags: { x: { require_known_host: false } } } },
      /^warning overrides\.tags\.x\.require_known_host/
    )
  })

  it("warns of texts, patterns and blocks that mean something else than they seem to", () => {
    oneProblem({ limits: { deny_substrings: ["rm*"] } }, /^warning limits\.deny_substrings\.0: .*literal/)
    oneProblem({ network: { allow_cidrs: ["10.0.0.5/8"] } }, /^warning network\.allow_cidrs\.0: .*10\.0\.0\.0\/8/)
  })

  it("refuses two rules of one id", () => {
    oneProblem(
      {
        rules: [
          { id: "a", action: "allow", commands: ["x"] },
          { id: "a", action: "allow", commands: ["y"] }
        ]
      },
      /^error rules\.1\.id: rules\[0\] has the same id a/
    )
  })

  it("warns where an allow rule won by its place in the original", () => {
    const allow = { action: "allow", commands: ["program *"] }
    const deny = { action: "deny", commands: ["program stop*"] }
    assert.deepStrictEqual(problemsOf({ rules: [allow, deny] }), [])
    oneProblem({ rules: [deny, allow] }, /^warning rules\.0: rules\[0\] now wins over rules\[1\]/)
    assert.deepStrictEqual(
      problemsOf({
        rules: [
          { ...deny, aliases: ["db-*"] },
          { ...allow, aliases: ["web-*"] }
        ]
      }),
      []
    )
    const words = { action: "allow", binary: "program" }
    oneProblem(
      {
        rules: [
          { ...words, arg_prefix: ["a"] },
          { ...words, action: "deny", arg_prefix: ["a", "b"] }
        ]
      },
      /^warning rules\.1: rules\[1\] now wins over rules\[0\]/
    )
  })
})
