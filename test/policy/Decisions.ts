import { assert } from "@effect/vitest"
import { type CompiledPolicy, decide, type HostFacts } from "../../src/policy/Policy.ts"
import { policyOf } from "./corpus.ts"

/** A host of two tags. */
export const HOST: HostFacts = { alias: "web-1", tags: ["production", "web"] }

/** The code of a denial, or `allowed`. */
export const codeOf = (policy: CompiledPolicy, command: string, host = HOST): string => {
  const decision = decide(policy, host, command)
  return decision._tag === "Allowed" ? "allowed" : decision.code
}

/** A policy of one rule that allows `commands`, with no denied texts unless `limits` says so. */
export const allowing = (commands: ReadonlyArray<string>, limits: object = { deny_substrings: [] }): CompiledPolicy =>
  policyOf({ limits, rules: [{ action: "allow", commands }] })

/** Asserts which code each of the commands gets; the keys are the codes. */
export const check = (policy: CompiledPolicy, expected: Readonly<Record<string, ReadonlyArray<string>>>): void => {
  for (const [code, commands] of Object.entries(expected)) {
    for (const command of commands) assert.strictEqual(codeOf(policy, command), code, command)
  }
}
