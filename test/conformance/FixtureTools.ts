import { Duration, Effect } from "effect"
import type { ListedTool } from "../../src/mcp/ListedTool.ts"
import type { Call, ContentBlock, Tool, ToolResult } from "../../src/mcp/Tool.ts"
import type { JsonObject } from "../../src/mcp/WireSchema.ts"

/** A red pixel as PNG, and a moment of silence as WAV. */
export const PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg=="
const WAV = "UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAAB9AAACABAAZGF0YQIAAAAAAA=="

const PAUSE = Duration.millis(50)

const NO_ARGUMENTS: JsonObject = { type: "object", properties: {}, additionalProperties: false }

/** The schema whose keywords the suite wants to find in `tools/list` as they are (SEP-1613, SEP-2106). */
const SCHEMA_2020_12: JsonObject = {
  $schema: "https://json-schema.org/draft/2020-12/schema",
  type: "object",
  $defs: {
    address: {
      $anchor: "addressDef",
      type: "object",
      properties: { street: { type: "string" }, city: { type: "string" } }
    }
  },
  properties: {
    name: { type: "string" },
    address: { $ref: "#/$defs/address" },
    contactMethod: { type: "string", enum: ["phone", "email"] },
    phone: { type: "string" },
    email: { type: "string" }
  },
  allOf: [{ anyOf: [{ required: ["phone"] }, { required: ["email"] }] }],
  if: { properties: { contactMethod: { const: "phone" } }, required: ["contactMethod"] },
  then: { required: ["phone"] },
  else: { required: ["email"] },
  additionalProperties: false
}

const content = (...blocks: ReadonlyArray<ContentBlock>): ToolResult => ({
  _tag: "Content",
  content: blocks,
  isError: false
})

const text = (value: string): ContentBlock => ({ type: "text", text: value })

const tool = (
  name: string,
  call: (call: Call) => Effect.Effect<ToolResult>,
  inputSchema: JsonObject = NO_ARGUMENTS
): Tool<never> => ({
  name,
  title: name,
  description: `What the conformance suite expects of ${name}.`,
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  inputSchema: () => inputSchema,
  outputSchema: () => ({ type: "object" }),
  call: (_, about) => call(about)
})

const constant = (name: string, ...blocks: ReadonlyArray<ContentBlock>): Tool<never> =>
  tool(name, () => Effect.succeed(content(...blocks)))

/** Sends one notification each 50 ms, then answers. */
const notifying = (
  { notify }: Call,
  method: string,
  params: ReadonlyArray<JsonObject>,
  result: ToolResult
): Effect.Effect<ToolResult> =>
  Effect.as(
    Effect.forEach(params, (each) => Effect.andThen(notify?.(method, each) ?? Effect.void, Effect.sleep(PAUSE))),
    result
  )

const log = (message: string): JsonObject => ({ level: "info", logger: "conformance", data: message })

/** The tools that the suite calls by name. */
export const TOOLS: ReadonlyArray<Tool<never>> = [
  constant("test_simple_text", text("This is a simple text response for testing.")),
  constant("test_image_content", { type: "image", data: PNG, mimeType: "image/png" }),
  constant("test_audio_content", { type: "audio", data: WAV, mimeType: "audio/wav" }),
  constant("test_embedded_resource", {
    type: "resource",
    resource: { uri: "test://embedded-resource", mimeType: "text/plain", text: "This is an embedded resource content." }
  }),
  constant(
    "test_multiple_content_types",
    text("Multiple content types test:"),
    { type: "image", data: PNG, mimeType: "image/png" },
    {
      type: "resource",
      resource: {
        uri: "test://mixed-content-resource",
        mimeType: "application/json",
        text: JSON.stringify({ test: "data", value: 123 })
      }
    }
  ),
  tool("test_tool_with_logging", (call) =>
    notifying(
      call,
      "notifications/message",
      [log("Tool execution started"), log("Tool processing data"), log("Tool execution completed")],
      content(text("Three messages were logged."))
    )
  ),
  tool("test_tool_with_progress", (call) =>
    notifying(
      call,
      "notifications/progress",
      call.progressToken === undefined
        ? []
        : [0, 50, 100].map((progress) => ({ progressToken: call.progressToken, progress, total: 100 })),
      content(text("Progress was reported."))
    )
  ),
  tool("test_error_handling", () =>
    Effect.succeed({ _tag: "Rejected", text: "This tool intentionally returns an error for testing" })
  ),
  tool("json_schema_2020_12_tool", () => Effect.succeed(content(text("The schema is in the list."))), SCHEMA_2020_12)
]

/** The tools as `tools/list` shows them: without output schemas, since their answers have no structure. */
export const listedTools: ReadonlyArray<ListedTool> = TOOLS.map(
  ({ annotations, description, inputSchema, name, title }) => ({
    name,
    title,
    description,
    annotations,
    inputSchema: inputSchema()
  })
)
