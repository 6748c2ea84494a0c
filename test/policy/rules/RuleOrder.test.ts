import { assert, describe, it } from "@effect/vitest"
import type { Rule } from "../../../src/policy/rules/Rule.ts"
import { checkRuleOrder } from "../../../src/policy/rules/RuleOrder.ts"

const deny: Rule = { action: "deny", commands: ["systemctl *"] }
const allow: Rule = { action: "allow", commands: ["systemctl status *"] }

describe("checkRuleOrder", () => {
  it("names the pair in which the allow rule won by its place in the original", () => {
    const [problem, ...others] = checkRuleOrder([deny, allow])
    assert.deepStrictEqual(problem?.path, ["rules", 0])
    assert.match(problem?.message ?? "", /^rules\[0\] now wins over rules\[1\]/)
    assert.deepStrictEqual(others, [])
    assert.deepStrictEqual(checkRuleOrder([allow, deny]), [])
  })

  it("says so when there are too many patterns to compare", () => {
    const many = Array.from({ length: 1_000 }, (_, index) => `program${index} *`)
    const problems = checkRuleOrder([
      { action: "deny", commands: many },
      { action: "allow", commands: many }
    ])
    assert.deepStrictEqual(
      problems.map(({ message, severity }) => [severity, message.split(":")[0]]),
      [["warning", "too many patterns to compare"]]
    )
  })
})
