import { assert, describe, it } from "@effect/vitest"
import { Effect, Ref, Result, Schema } from "effect"
import { readFileSync } from "node:fs"
import { findTool } from "../../src/mcp/ProductTools.ts"
import { recording } from "./ScriptedOrchestrator.ts"

const Line = Schema.Struct({
  id: Schema.String,
  surface: Schema.String,
  input: Schema.optionalKey(Schema.Unknown),
  input_gen: Schema.optionalKey(
    Schema.Struct({ prefix: Schema.String, repeat: Schema.String, times: Schema.Int, suffix: Schema.String })
  ),
  raw_json: Schema.optionalKey(Schema.String),
  expect: Schema.String
})
type Line = typeof Line.Type

const lines = readFileSync(new URL("../corpus/bad-inputs.jsonl", import.meta.url), "utf8")
  .split("\n")
  .filter((line) => line !== "")
  .flatMap((line) => {
    const decoded = Schema.decodeResult(Schema.fromJsonString(Line))(line)
    return Result.isSuccess(decoded) && decoded.success.surface.startsWith("tool.") ? [decoded.success] : []
  })

/** Lines that describe their input in words, or ask for more than this boundary decides. */
const ELSEWHERE = new Set([
  // Placeholders for ids that only a running server has.
  "tool-task_id-012",
  "tool-task_id-013",
  "tool-task_id-015",
  // Allowed as an alias and unknown: decided by the inventory.
  "tool-alias-012",
  "tool-alias-025",
  "tool-tag-005",
  // The contract counts characters, not bytes, and this text has fewer than 10,000.
  "tool-command-033"
])

/** The call that a line stands for. */
const callOf = ({ input, input_gen, raw_json, surface }: Line): { readonly tool: string; readonly args: unknown } => {
  const value = input_gen ? input_gen.prefix + input_gen.repeat.repeat(input_gen.times) + input_gen.suffix : input
  switch (surface) {
    case "tool.alias":
      return { tool: "ssh_run", args: { alias: value, command: "uptime" } }
    case "tool.command":
      return { tool: "ssh_run", args: { alias: "web1", command: value } }
    case "tool.tag":
      return { tool: "ssh_run_on_tag", args: { tag: value, command: "uptime" } }
    case "tool.task_id":
      return { tool: "ssh_get_task_result", args: { task_id: value } }
    default:
      return {
        tool: "ssh_run",
        args: raw_json === undefined ? { alias: "web1", command: "uptime", ...Object(value) } : JSON.parse(raw_json)
      }
  }
}

describe("the corpus of bad inputs", () => {
  it("has lines for every surface of the tools", () => {
    assert.sameMembers(
      [...new Set(lines.map(({ surface }) => surface))],
      ["tool.alias", "tool.args", "tool.command", "tool.tag", "tool.task_id"]
    )
  })

  for (const line of lines) {
    if (ELSEWHERE.has(line.id) || !/validation|not_found/.test(line.expect)) continue
    it.effect(`${line.id}: refused before it reaches anything`, () =>
      Effect.gen(function* () {
        const reached = yield* Ref.make<ReadonlyArray<string>>([])
        const { args, tool } = callOf(line)
        const result = yield* (findTool(tool)?.call(args, { client: "mcp:test" }) ?? Effect.die("no tool")).pipe(
          Effect.provide(recording(reached))
        )
        assert.deepStrictEqual(yield* Ref.get(reached), [])
        if (result._tag !== "Rejected") return assert.fail(JSON.stringify(result))
        assert.match(result.text, /^Error: [\x20-\x7e]{1,600}$/)
        if (line.expect === "not_found:uniform" && line.input !== "") {
          assert.include(result.text, "Task not found or expired: ")
        }
      })
    )
  }
})
