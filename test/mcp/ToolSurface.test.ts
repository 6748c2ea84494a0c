import { Ajv2020 } from "ajv/dist/2020.js"
import { assert, describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { INSTRUCTIONS } from "../../src/mcp/Instructions.ts"
import { findTool } from "../../src/mcp/ProductTools.ts"
import { toolListing } from "../../src/mcp/ToolListing.ts"
import type { JsonObject } from "../../src/mcp/WireSchema.ts"
import { scripted, TASK_ID } from "./ScriptedOrchestrator.ts"
import { initializedSession } from "./Session.ts"

/** What a client reads of the tools, at most: a kilobyte less than the 24 KiB that are promised. */
const MAX_BYTES = 23 * 1024

const tools = toolListing()

const propertiesOf = (schema: JsonObject): ReadonlyArray<readonly [string, JsonObject]> =>
  Object.entries(Object(schema["properties"]))

const descriptionOf = (schema: JsonObject): string => String(schema["description"])

/** Arguments whose description shows no example: a name of a page, a number with a default, an id of a task. */
const WITHOUT_EXAMPLE = new Set(["cursor", "max_lines", "concurrency", "task_id", "only"])

/** The values that a description gives as examples: the JSON text after "e.g.". */
const examplesOf = (description: string): ReadonlyArray<unknown> =>
  [...description.matchAll(/e\.g\. (\[.*?\]|"(?:[^"\\]|\\.)*"|\d+)(?: or ("[^"]*"|\d+))?/g)].flatMap(([, ...texts]) =>
    texts.flatMap((text): ReadonlyArray<unknown> => (text === undefined ? [] : [JSON.parse(text)]))
  )

const ajv = new Ajv2020({ strict: true, allowUnionTypes: true })

describe("the tools that a model reads", () => {
  it("stay what they were decided to be", async () => {
    await expect(`${JSON.stringify(tools, null, 2)}\n`).toMatchFileSnapshot("./toolsList.snap")
  })

  it.live(`reach a client as they are here, in at most ${MAX_BYTES} bytes`, () =>
    Effect.gen(function* () {
      const session = yield* initializedSession(scripted({}))
      yield* session.send({ jsonrpc: "2.0", id: 1, method: "tools/list" })
      const answer = yield* session.receive
      assert.deepStrictEqual(answer.result?.["tools"], tools)
      assert.isAtMost(Buffer.byteLength(JSON.stringify(answer)), MAX_BYTES)
    })
  )

  it("each have a title, a description, all four annotations and both schemas", () => {
    for (const tool of tools) {
      assert.match(tool.title ?? "", /^[A-Z][A-Za-z' ]{4,40}$/)
      assert.isAtLeast(tool.description.length, 200, tool.name)
      assert.isAtMost(tool.description.length, 700, tool.name)
      assert.deepStrictEqual(Object.keys(tool.annotations ?? {}), [
        "readOnlyHint",
        "destructiveHint",
        "idempotentHint",
        "openWorldHint"
      ])
      for (const schema of [tool.inputSchema, tool.outputSchema]) {
        assert.strictEqual(schema?.["type"], "object")
        assert.strictEqual(schema?.["additionalProperties"], false)
      }
    }
  })

  it("say in their first words what they do, and point to at least one sibling", () => {
    for (const { description, name } of tools) {
      assert.match(
        description,
        /^(Check|List|Show|Explain|Run|Start|Read|Get|Stop|Load) /,
        `${name} begins with its verb`
      )
      const siblings = [...description.matchAll(/ssh_[a-z_]+/g)].map(([sibling]) => sibling)
      assert.isTrue(
        siblings.some((sibling) => sibling !== name && findTool(sibling) !== undefined),
        name
      )
    }
  })

  it("can be called as a task where a command is run and waited for, and nowhere else", () => {
    assert.deepStrictEqual(
      tools.filter(({ execution }) => execution?.taskSupport === "optional").map(({ name }) => name),
      ["ssh_run", "ssh_run_on_tag"]
    )
  })

  it("have schemas that a strict validator accepts", () => {
    for (const { inputSchema, outputSchema } of tools) {
      ajv.compile({ ...inputSchema })
      ajv.compile({ ...outputSchema })
    }
  })

  it("describe every argument with an example or a default, and no example is refused by its schema", () => {
    for (const { inputSchema, name } of tools) {
      for (const [field, schema] of propertiesOf(inputSchema)) {
        const description = descriptionOf(schema)
        assert.match(description, /^[A-Z].*\.$/, `${name}.${field}`)
        const examples = examplesOf(description)
        if (examples.length === 0) assert.isTrue(WITHOUT_EXAMPLE.has(field), `${name}.${field} has an example`)
        const validate = ajv.compile({ ...schema })
        const given = "default" in schema ? [...examples, schema["default"]] : examples
        for (const example of given) assert.isTrue(validate(example), `${name}.${field} ${JSON.stringify(example)}`)
      }
    }
  })

  it("say of every argument that may be left out what then holds", () => {
    for (const { inputSchema, name } of tools) {
      const required: unknown = inputSchema["required"] ?? []
      for (const [field, schema] of propertiesOf(inputSchema)) {
        if (Array.isArray(required) && required.includes(field)) continue
        assert.isTrue("default" in schema || /Default/.test(descriptionOf(schema)), `${name}.${field}`)
      }
    }
  })

  it("bound every argument: what is larger than any use is refused by the schema", () => {
    const huge: ReadonlyArray<unknown> = ["a".repeat(100_000), 1e12, Array.from({ length: 100_000 }, () => "a")]
    for (const { inputSchema, name } of tools) {
      for (const [field, schema] of propertiesOf(inputSchema)) {
        const validate = ajv.compile({ ...schema })
        for (const value of huge) assert.isFalse(validate(value), `${name}.${field}`)
      }
    }
  })

  const calls: ReadonlyArray<readonly [tool: string, args: JsonObject, accepted: boolean]> = [
    ["ssh_ping", {}, true],
    ["ssh_ping", { alias: "" }, false],
    ["ssh_list_hosts", { tag: "web", cursor: "abc" }, true],
    ["ssh_list_hosts", { tag: "web*" }, false],
    ["ssh_plan", { alias: "web-1", command: "uptime" }, true],
    ["ssh_plan", { alias: "web-1" }, false],
    ["ssh_run", { alias: "web-1", command: "df -h | tail -n 5", timeout_seconds: 30 }, true],
    ["ssh_run", { alias: "-oProxyCommand=id", command: "uptime" }, false],
    ["ssh_run", { alias: "web-1", command: " \n" }, false],
    ["ssh_run", { alias: "web-1", command: "uptime", timeout_seconds: "30" }, false],
    ["ssh_run", { alias: "web-1", command: "uptime", cwd: "/" }, false],
    ["ssh_run_on_tag", { tag: "web", command: "uptime", batch: [1, "10%", "100%"], max_failures: 0 }, true],
    ["ssh_run_on_tag", { tag: "web", command: "uptime", batch: [] }, false],
    ["ssh_run_on_tag", { tag: "web", command: "uptime", batch: ["0%"] }, false],
    ["ssh_run_on_tag", { tag: "web", command: "uptime", max_failures: "101%" }, false],
    ["ssh_get_task_result", { task_id: TASK_ID, wait_seconds: 45 }, true],
    ["ssh_get_task_result", { task_id: "web-1" }, false],
    ["ssh_list_tasks", { status: "running", alias: "web-1" }, true],
    ["ssh_list_tasks", { status: "done" }, false],
    ["ssh_reload_config", {}, true],
    ["ssh_reload_config", { force: true }, false]
  ]
  for (const [name, args, accepted] of calls) {
    it(`${name} ${accepted ? "takes" : "refuses"} ${JSON.stringify(args)} by its schema`, () => {
      const schema = findTool(name)?.inputSchema()
      assert.isDefined(schema)
      assert.strictEqual(ajv.validate({ ...schema }, args), accepted)
    })
  }

  it("say of a result that holds text of a host, and in the instructions, that it is untrusted", () => {
    const holdsHostText = ["ssh_run", "ssh_run_on_tag", "ssh_get_task_output", "ssh_get_task_result"]
    assert.deepStrictEqual(
      tools.filter(({ description }) => description.includes("untrusted data, never")).map(({ name }) => name),
      holdsHostText
    )
    assert.include(INSTRUCTIONS, "untrusted data")
  })
})
