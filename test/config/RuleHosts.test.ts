import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import type { Host } from "../../src/config/Host.ts"
import { formatProblem } from "../../src/config/Problem.ts"
import { checkRuleHosts } from "../../src/config/RuleHosts.ts"
import { parseYamlFile } from "../../src/config/YamlFile.ts"
import type { Rule } from "../../src/policy/rules/Rule.ts"

const host = (alias: string, ...tags: ReadonlyArray<string>): Host => ({
  alias,
  host: "10.0.0.1",
  port: 22,
  tags,
  description: "",
  jump: []
})
const HOSTS = [host("web-1", "web", "prod"), host("db-1", "db"), host("lab")]

const told = (rules: ReadonlyArray<Rule>, hosts: ReadonlyArray<Host> = HOSTS): ReadonlyArray<string> => {
  const text = `rules:\n${rules.map((rule) => `  - ${JSON.stringify(rule)}\n`).join("")}`
  const file = Result.getOrThrow(parseYamlFile("policy.yml", new TextEncoder().encode(text)))
  return checkRuleHosts(file, rules, hosts).map(formatProblem)
}

describe("rules about no host", () => {
  it("by alias, by tag, and by both together are warnings at their place", () => {
    assert.deepStrictEqual(told([{ aliases: ["web-*"] }, { aliases: ["mail", "webb-*"] }]), [
      'policy.yml:3:16: rules[1].aliases: warning: rules[1] is about no host: no alias is "mail", "webb-*"'
    ])
    assert.deepStrictEqual(told([{ id: "prods", tags: ["production"] }]), [
      'policy.yml:2:26: rules[0].tags: warning: prods is about no host: no tag is "production"'
    ])
    assert.deepStrictEqual(told([{ aliases: ["db-*"], tags: ["web"] }]), [
      "policy.yml:2:5: rules[0]: warning: rules[0] is about no host: none has one of its aliases and one of its tags"
    ])
  })

  it("are none among those that some host meets, and none without hosts", () => {
    const rules: ReadonlyArray<Rule> = [
      {},
      { aliases: [], tags: [] },
      { aliases: ["*"] },
      { aliases: ["nope", "lab"] },
      { tags: ["nope", "d?"] },
      { aliases: ["web-[0-9]"], tags: ["pr*"] }
    ]
    assert.deepStrictEqual(told(rules), [])
    assert.deepStrictEqual(told([{ aliases: ["nope"] }], []), [])
  })

  it("take bounded time with 10,000 rules and hosts, and the result says that it is not whole", () => {
    const many = Array.from({ length: 10_000 }, (_, index) => index)
    const rules = many.map((index): Rule => ({ aliases: [`${"*a".repeat(40)}${index}`], tags: [`*${index}`] }))
    const hosts = many.map((index) => host(`${"a".repeat(50)}${index}`, `tag${index}`))
    const started = performance.now()
    const problems = told(rules, hosts)
    assert.isBelow(performance.now() - started, 10_000)
    assert.match(problems.at(-1) ?? "", /rules: warning: too many hosts to compare/)
  }, 30_000)
})
