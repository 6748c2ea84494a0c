import { Schema } from "effect"

/** The codes of error answers: those of JSON-RPC 2.0 (section 5.1), and one that MCP adds (server/resources). */
export const ErrorCodes = {
  invalidRequest: -32600,
  methodNotFound: -32601,
  invalidParams: -32602,
  internalError: -32603,
  resourceNotFound: -32002
} as const

/** What a handler fails with to answer a request with a JSON-RPC error instead of a result. */
export class ProtocolError extends Schema.TaggedError<ProtocolError>()("ProtocolError", {
  code: Schema.Int,
  message: Schema.String,
  data: Schema.optionalKey(Schema.Unknown)
}) {}

/** A request that does not fit its method; `problem` begins with the name of what is wrong. */
export const invalidParams = (problem: string): ProtocolError =>
  new ProtocolError({ code: ErrorCodes.invalidParams, message: `Invalid params: ${problem}` })

/** A resource that does not exist, with its address in `data` (MCP 2025-11-25, server/resources, "Error Handling"). */
export const resourceNotFound = (uri: string): ProtocolError =>
  new ProtocolError({ code: ErrorCodes.resourceNotFound, message: "Resource not found", data: { uri } })
