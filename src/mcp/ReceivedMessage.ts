import {
  ErrorCode,
  InitializeRequestSchema,
  isJSONRPCErrorResponse,
  isJSONRPCNotification,
  isJSONRPCRequest,
  isJSONRPCResultResponse,
  type JSONRPCMessage,
  type RequestId,
  RequestIdSchema
} from "@modelcontextprotocol/sdk/types.js"
import { Predicate, Result } from "effect"

/** What one line of input is. */
export type ReceivedMessage =
  | { readonly _tag: "Message"; readonly message: JSONRPCMessage }
  /** To be answered with an error; `id` is null when the line does not tell which request it is. */
  | { readonly _tag: "Refused"; readonly id: RequestId | null; readonly code: number; readonly text: string }
  /** Not a request, so nothing may be answered. */
  | { readonly _tag: "Ignored"; readonly reason: string }

/** Levels of arrays and objects in one message. Ours need six; deeper ones could exhaust the stack of a parser. */
const MAX_DEPTH = 100

const QUOTE = 0x22
const BACKSLASH = 0x5c
const OPENERS: ReadonlySet<number> = new Set([0x5b, 0x7b])
const CLOSERS: ReadonlySet<number> = new Set([0x5d, 0x7d])

/** Whether brackets outside of strings nest deeper than `MAX_DEPTH`. Decided on the bytes, before anything recurses. */
const nestsTooDeeply = (line: Uint8Array): boolean => {
  let depth = 0
  let quoted = false
  for (let at = 0; at < line.length; at++) {
    const byte = line[at] ?? 0
    if (quoted) {
      if (byte === BACKSLASH) at++
      else if (byte === QUOTE) quoted = false
    } else if (byte === QUOTE) quoted = true
    else if (OPENERS.has(byte)) {
      depth++
      if (depth > MAX_DEPTH) return true
    } else if (CLOSERS.has(byte)) depth--
  }
  return false
}

const utf8 = new TextDecoder("utf-8", { fatal: true })

const parse = (line: Uint8Array): Result.Result<unknown, unknown> =>
  Result.try((): unknown => JSON.parse(utf8.decode(line)))

const refused = (code: number, text: string, id: RequestId | null = null): ReceivedMessage => ({
  _tag: "Refused",
  id,
  code,
  text
})

/** What a JSON value that is no valid message is: how far it is from one decides the answer (JSON-RPC 2.0, section 5.1). */
const diagnose = (value: { readonly [key: PropertyKey]: unknown }): ReceivedMessage => {
  const { id, jsonrpc, method, params } = value
  const knownId = RequestIdSchema.safeParse(id)
  if (!("method" in value) && ("result" in value || "error" in value)) {
    return { _tag: "Ignored", reason: "a response that is not valid" }
  }
  if (!("id" in value) && isJSONRPCNotification({ jsonrpc, method })) {
    return { _tag: "Ignored", reason: "a notification that is not valid" }
  }
  if (params !== undefined && isJSONRPCRequest({ jsonrpc, id, method }) && knownId.success) {
    return refused(ErrorCode.InvalidParams, "Invalid params", knownId.data)
  }
  return refused(ErrorCode.InvalidRequest, "Invalid request", knownId.success ? knownId.data : null)
}

/** Reads one line of input. Total: whatever the bytes are, one of the three comes back. */
export const receiveMessage = (line: Uint8Array): ReceivedMessage => {
  if (nestsTooDeeply(line)) return refused(ErrorCode.InvalidRequest, "Invalid request: nested too deeply")
  const parsed = parse(line)
  if (Result.isFailure(parsed)) return refused(ErrorCode.ParseError, "Parse error")
  const value = parsed.success
  if (!Predicate.isObject(value)) return refused(ErrorCode.InvalidRequest, "Invalid request: one object a line")
  if (isJSONRPCRequest(value)) {
    return value.method === "initialize" && !InitializeRequestSchema.safeParse(value).success
      ? refused(ErrorCode.InvalidParams, "Invalid params", value.id)
      : { _tag: "Message", message: value }
  }
  if (isJSONRPCNotification(value) || isJSONRPCResultResponse(value) || isJSONRPCErrorResponse(value)) {
    return { _tag: "Message", message: value }
  }
  return diagnose(value)
}
