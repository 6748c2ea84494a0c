import type { ToolResult } from "./Tool.ts"
import { untrusted } from "./Untrusted.ts"
import type { JsonObject } from "./WireSchema.ts"

/** A tool's result as `tools/call` and `tasks/result` answer it; an answer's structure stands in a text as well. */
export const callResult = (result: ToolResult, meta: JsonObject = {}): JsonObject => {
  const withMeta = (all: JsonObject): JsonObject => (Object.keys(all).length === 0 ? {} : { _meta: all })
  switch (result._tag) {
    case "Rejected":
      return { content: [{ type: "text", text: result.text }], isError: true, ...withMeta(meta) }
    case "Content":
      return { content: result.content, isError: result.isError, ...withMeta(meta) }
    case "Answered": {
      return {
        content: [{ type: "text", text: JSON.stringify(result.value) }],
        structuredContent: result.value,
        isError: result.isError,
        ...withMeta({ ...untrusted(result.untrusted ?? []), ...meta })
      }
    }
  }
}
