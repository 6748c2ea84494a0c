import { assert, describe, it } from "@effect/vitest"
import { isForClients, makeProblem } from "../../src/config/Problem.ts"

const problem = (severity: "error" | "warning", path: ReadonlyArray<PropertyKey>) =>
  makeProblem(severity, "policy.yml", { line: 1, column: 1 }, path, "text")

describe("isForClients", () => {
  it("keeps remarks about rules, which quote patterns, from clients, and nothing else", () => {
    assert.isFalse(isForClients(problem("warning", ["rules", 3, "commands", 0])))
    assert.isFalse(isForClients(problem("warning", ["rules"])))
    assert.isTrue(isForClients(problem("error", ["rules", 3])))
    assert.isTrue(isForClients(problem("warning", ["limits", "deny_substrings", 0])))
    assert.isTrue(isForClients(problem("warning", [])))
  })
})
