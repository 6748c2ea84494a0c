import { assert, describe, it } from "@effect/vitest"
import { type CompiledPolicy, compilePolicy, decide, type Decision } from "../../src/policy/Policy.ts"
import { checkPolicyDocument } from "../../src/policy/PolicyDocument.ts"
import { decodeDocument, type PolicyCase, policyDocuments, readCases } from "./corpus.ts"

const documents = Object.entries(policyDocuments()).map(([name, document]) => [name, decodeDocument(document)] as const)
const policies = new Map<string, CompiledPolicy>(documents.map(([name, document]) => [name, compilePolicy(document)]))

const decideCase = (each: PolicyCase): Decision => {
  const policy = policies.get(each.policy)
  if (policy === undefined) throw new Error(`no policy ${each.policy}`)
  return decide(policy, { alias: each.host, tags: each.tags }, each.command)
}

const cases = [...readCases("policy-cases.jsonl"), ...readCases("design-cases.jsonl")]

describe("the corpus of decisions", () => {
  it("has no false allow", () => {
    const wrong = cases.filter((each) => each.expect === "deny" && decideCase(each)._tag === "Allowed")
    assert.deepStrictEqual(
      wrong.map((each) => each.id),
      []
    )
  })

  it("has no false deny", () => {
    const wrong = cases.flatMap((each) => {
      const decision = decideCase(each)
      return each.expect === "allow" && decision._tag === "Denied"
        ? [`${each.id}: ${decision.code}: ${decision.detail}`]
        : []
    })
    assert.deepStrictEqual(wrong, [])
  })

  it("names a code and a reason for every denied part", () => {
    for (const each of cases) {
      const decision = decideCase(each)
      if (decision._tag === "Allowed") continue
      assert.notStrictEqual(decision.detail, "")
      assert.isTrue(
        decision.parts.some((part) => !part.allowed && part.code !== undefined && part.reason !== undefined)
      )
    }
  })

  it("allows a canonical text again, unchanged", () => {
    for (const each of cases) {
      const decision = decideCase(each)
      if (decision._tag === "Denied") continue
      const again = decideCase({ ...each, command: decision.command.canonical })
      assert.strictEqual(again._tag, "Allowed", each.id)
      if (again._tag === "Allowed") assert.strictEqual(again.command.canonical, decision.command.canonical)
    }
  })

  it("loads its policies without an error", () => {
    for (const [name, document] of documents) {
      const errors = checkPolicyDocument(document).filter((problem) => problem.severity === "error")
      assert.deepStrictEqual(errors, [], name)
    }
  })
})
