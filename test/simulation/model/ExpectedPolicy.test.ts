import { assert, describe, it } from "@effect/vitest"
import { compilePolicy, decide } from "../../../src/policy/Policy.ts"
import { drawPolicy, TAGS } from "../../../src/simulation/workload/DrawPolicy.ts"
import { expectDecision, isForbidden } from "../../../src/simulation/model/ExpectedDecision.ts"
import { expectLimit, highestLimit, type LimitName } from "../../../src/simulation/model/ExpectedLimits.ts"
import { PROGRAM_NAMES } from "../../../src/simulation/workload/Program.ts"
import { seededRandom } from "../../../src/simulation/world/SeededRandom.ts"

const LIMITS: ReadonlyArray<LimitName> = ["max_seconds", "max_output_bytes", "task_result_ttl", "sync_wait_seconds"]

describe("the model of the policy", () => {
  it("decides as the policy does, on drawn policies", () => {
    let denied = 0
    let allowed = 0
    for (let seed = 0; seed < 150; seed++) {
      const random = seededRandom(seed)
      const policy = drawPolicy(random)
      const compiled = compilePolicy(policy)
      const tags = TAGS.filter(() => random.chance(0.5))
      for (const program of PROGRAM_NAMES) {
        const command = `${program}  7  k1`
        const { _tag } = decide(compiled, { alias: "h0", tags }, command)
        const expected = expectDecision(policy, tags, command)
        assert.strictEqual(
          expected,
          _tag === "Allowed" ? "allow" : "deny",
          `seed ${seed}, ${command} on ${tags.join()}`
        )
        if (expected === "deny") denied++
        else allowed++
      }
    }
    assert.isTrue(denied > 200 && allowed > 200)
  })

  it("says that it does not know, for rules that it does not understand", () => {
    assert.strictEqual(
      expectDecision({ rules: [{ action: "allow", binary: "echo", arg_prefix: ["k1"] }] }, [], "echo k1"),
      "unknown"
    )
    assert.strictEqual(
      expectDecision({ rules: [{ action: "allow", commands: ["echo k?"] }] }, [], "echo k1"),
      "unknown"
    )
    assert.strictEqual(expectDecision({ rules: [] }, [], "df -h"), "unknown")
  })

  it("knows the limits as the policy does, exactly where one rule matches", () => {
    for (let seed = 0; seed < 150; seed++) {
      const random = seededRandom(seed)
      const policy = drawPolicy(random)
      const compiled = compilePolicy(policy)
      const tags = TAGS.filter(() => random.chance(0.5))
      const { limits, ...decision } = decide(compiled, { alias: "h0", tags }, "echo k1")
      if (decision._tag === "Denied") continue
      for (const name of LIMITS) {
        const actual = name === "max_seconds" && limits[name] === 0 ? Number.POSITIVE_INFINITY : limits[name]
        const state = { policy, removed: new Set<string>() }
        const { highest, lowest } = expectLimit([state], name, { alias: "h0", tags, command: "echo k1" })
        assert.isTrue(
          lowest <= actual && actual <= highest,
          `seed ${seed}: ${name} ${actual} in ${lowest} to ${highest}`
        )
        if (decision.rule.split(",").length === 1 && (policy.rules ?? []).length === 1)
          assert.strictEqual(lowest, highest)
      }
    }
  })

  it("takes the largest of all configurations and overrides as the bound of a limit", () => {
    const states = [
      { policy: { limits: { max_tasks_per_host: 2 } }, removed: new Set<string>() },
      { policy: { overrides: { tags: { web: { max_tasks_per_host: 11 } } } }, removed: new Set<string>() }
    ]
    assert.strictEqual(highestLimit(states, "max_tasks_per_host"), 11)
    assert.strictEqual(highestLimit(states.slice(0, 1), "max_tasks_per_host"), 2)
  })

  it("forbids what is blocked, and with an allow list what is not on it", () => {
    assert.isTrue(isForbidden({ network: { block_cidrs: ["10.0.0.0/30"] } }, "10.0.0.3"))
    assert.isFalse(isForbidden({ network: { block_cidrs: ["10.0.0.0/30"] } }, "10.0.0.4"))
    assert.isTrue(isForbidden({ network: { allow_cidrs: ["10.0.0.0/8"] } }, "169.254.169.254"))
    assert.isFalse(isForbidden({ network: { allow_cidrs: ["10.0.0.0/8"] } }, "10.255.0.1"))
  })
})
