import { assert, describe, it } from "@effect/vitest"
import { findTool, TOOLS } from "../../src/mcp/ProductTools.ts"
import { isObjectSchema, walk } from "./JsonSchemas.ts"

const listed = () =>
  TOOLS.map(({ annotations, description, inputSchema, name, outputSchema, title }) => ({
    name,
    title,
    description,
    inputSchema: inputSchema(),
    outputSchema: outputSchema(),
    annotations
  }))

describe("Catalogue", () => {
  it("lists the tools in a fixed order", () => {
    assert.deepStrictEqual(
      TOOLS.map(({ name }) => name),
      [
        "ssh_ping",
        "ssh_list_hosts",
        "ssh_describe_host",
        "ssh_plan",
        "ssh_run",
        "ssh_run_on_tag",
        "ssh_run_async",
        "ssh_get_task_status",
        "ssh_get_task_output",
        "ssh_get_task_result",
        "ssh_list_tasks",
        "ssh_cancel_task",
        "ssh_reload_config"
      ]
    )
  })

  it("takes less than 24 KB for the whole list", () => {
    const size = Buffer.byteLength(JSON.stringify({ jsonrpc: "2.0", id: 1, result: { tools: listed() } }))
    assert.isBelow(size, 24_000)
  })

  it("answers the original's two names for cancelling, unlisted, and nothing that is merely inherited", () => {
    for (const name of ["ssh_cancel", "ssh_cancel_async_task"]) {
      assert.strictEqual(findTool(name), findTool("ssh_cancel_task"))
    }
    for (const name of ["__proto__", "constructor", "toString", "", "SSH_RUN"]) assert.isUndefined(findTool(name))
  })

  it("states every input: a description, bounds, and nothing else accepted", () => {
    for (const { inputSchema, name } of listed()) {
      assert.strictEqual(inputSchema["type"], "object", name)
      assert.strictEqual(inputSchema["additionalProperties"], false, name)
      const properties = Object.entries(inputSchema["properties"] ?? {})
      for (const [field, schema] of properties) {
        assert.isString(schema.description, `${name}.${field}`)
        walk(schema, (node) => {
          if (node["type"] === "string") assert.isTrue("pattern" in node || "enum" in node, `${name}.${field} pattern`)
          if (node["type"] === "integer")
            assert.isTrue("minimum" in node && "maximum" in node, `${name}.${field} bounds`)
          if (node["type"] === "array") assert.isTrue("maxItems" in node, `${name}.${field} items`)
        })
      }
    }
  })

  it("states every output as one object without references or prose, requiring only state and identity", () => {
    for (const { name, outputSchema } of listed()) {
      assert.strictEqual(outputSchema["type"], "object", name)
      assert.strictEqual(outputSchema["additionalProperties"], false, name)
      assert.isFalse("anyOf" in outputSchema, name)
      const text = JSON.stringify(outputSchema)
      assert.notInclude(text, "$ref")
      assert.notInclude(text, '"description":"')
      walk(outputSchema, (node) => {
        if (!isObjectSchema(node)) return
        for (const key of node.required) {
          assert.include(["task_id", "alias", "tag", "hash", "status"], key, name)
        }
      })
    }
  })

  it("has every property an object schema and names a client accepts", () => {
    for (const { inputSchema, name, outputSchema } of listed()) {
      assert.match(name, /^[a-z_]{1,64}$/)
      for (const schema of [inputSchema, outputSchema]) {
        for (const property of Object.values(schema["properties"] ?? {})) assert.isObject(property, name)
      }
    }
  })

  it("marks what only reads as read-only and never destructive", () => {
    const readOnly = TOOLS.filter(({ annotations }) => annotations.readOnlyHint)
    assert.deepStrictEqual(
      TOOLS.filter(({ annotations }) => annotations.destructiveHint).map(({ name }) => name),
      ["ssh_run", "ssh_run_on_tag", "ssh_run_async", "ssh_cancel_task"]
    )
    assert.isTrue(readOnly.every(({ annotations }) => !annotations.destructiveHint && annotations.idempotentHint))
  })

  it("names in its descriptions only tools that exist", () => {
    for (const { description } of TOOLS) {
      for (const [name] of description.matchAll(/ssh_[a-z_]+/g)) assert.isDefined(findTool(name), name)
    }
  })
})
