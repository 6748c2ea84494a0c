import { assert, describe, it } from "@effect/vitest"
import { DEFAULT_LIMITS } from "../../src/policy/Limits.ts"
import { decide, denyAll, limitsFor } from "../../src/policy/Policy.ts"
import { policyOf } from "./corpus.ts"
import { HOST } from "./Decisions.ts"

describe("limitsFor", () => {
  const policy = policyOf({
    limits: { max_seconds: 60, max_output_bytes: 1000 },
    rules: [
      { action: "allow", commands: ["a*"], limits: { max_seconds: 100, max_output_bytes: 10 } },
      { action: "allow", commands: ["b"], limits: { max_seconds: 0 } }
    ],
    overrides: {
      aliases: { "web-1": { task_result_ttl: 7 }, free: { max_seconds: 0 } },
      tags: { production: { max_seconds: 20, task_result_ttl: 5 }, web: { max_seconds: 40 } }
    }
  })

  it("takes alias before tag before limits before default, and the later of two tags", () => {
    const limits = limitsFor(policy, HOST)
    assert.strictEqual(limits.max_seconds, 40)
    assert.strictEqual(limitsFor(policy, { ...HOST, tags: ["web", "production"] }).max_seconds, 20)
    assert.strictEqual(limits.task_result_ttl, 7)
    assert.strictEqual(limits.max_output_bytes, 1000)
    assert.strictEqual(limits.max_tasks_per_host, 8)
    assert.deepStrictEqual(limitsFor(denyAll, HOST), DEFAULT_LIMITS)
  })

  it("lets a rule only lower them, with 0 as no limit", () => {
    const seconds = (alias: string, command: string) => decide(policy, { alias, tags: [] }, command).limits.max_seconds
    assert.strictEqual(seconds("x", "a"), 60)
    assert.strictEqual(seconds("free", "a"), 100)
    assert.strictEqual(seconds("free", "b"), 0)
    assert.strictEqual(seconds("x", "b"), 60)
    assert.strictEqual(decide(policy, HOST, "a").limits.max_output_bytes, 10)
  })

  it("takes no limits from the prototype of a record", () => {
    for (const name of ["constructor", "toString", "__proto__", "hasOwnProperty"]) {
      assert.deepStrictEqual(limitsFor(denyAll, { alias: name, tags: [name] }), DEFAULT_LIMITS)
    }
  })
})
