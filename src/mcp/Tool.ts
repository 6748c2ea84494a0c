import { Effect, Result, Schema } from "effect"
import type { Orchestrator } from "../Orchestrator.ts"
import { argumentProblems } from "./ArgumentProblems.ts"
import { argumentErrorText, errorText, type ToolError } from "./ErrorText.ts"
import { inputJsonSchema, type JsonObject, outputJsonSchema } from "./WireSchema.ts"

/** Hints for a client that asks its user before a call. Never the security boundary: policy is. */
export interface ToolAnnotations {
  /** Changes nothing, here or on a host. */
  readonly readOnlyHint: boolean
  /** May destroy something. */
  readonly destructiveHint: boolean
  /** Calling it twice does what calling it once does. */
  readonly idempotentHint: boolean
  /** Talks to remote hosts. */
  readonly openWorldHint: boolean
}

/** What a tool knows about the call besides its arguments. */
export interface Call {
  /** Who asks, for the audit record: `mcp:` and the client's name. */
  readonly client: string
}

/** A tool's own answer; some answers, such as a denial, are errors to the model. */
export interface Answer<A> {
  readonly value: A
  readonly isError: boolean
}

/** An answer that is not an error. */
export const answered = <A>(value: A): Answer<A> => ({ value, isError: false })

/** What goes back to the client: an answer that conforms to the output schema, or an error text without one. */
export type ToolResult =
  | { readonly _tag: "Answered"; readonly value: JsonObject; readonly isError: boolean }
  | { readonly _tag: "Rejected"; readonly text: string }

/** A tool as the server offers it. */
export interface Tool {
  readonly name: string
  readonly title: string
  readonly description: string
  readonly annotations: ToolAnnotations
  /** JSON Schema of the arguments; computed on each call, since only `tools/list` needs it. */
  readonly inputSchema: () => JsonObject
  /** JSON Schema that every `Answered` value conforms to. */
  readonly outputSchema: () => JsonObject
  /** Decodes, calls, encodes. `args` is the JSON object as the client sent it. Interruption stops what was started. */
  readonly call: (args: unknown, call: Call) => Effect.Effect<ToolResult, never, Orchestrator>
}

/** The schema of a tool's arguments: a struct, or `noArguments`. */
type InputSchema = Schema.Codec<object, unknown> & { readonly fields?: Schema.Struct.Fields }

/** The input of a tool without arguments. An empty struct would accept any value. */
export const noArguments = Schema.Record(Schema.String, Schema.Never)

/** The schema of a tool's answers: an object, or alternatives that are all objects. */
type OutputSchema = Schema.Codec<unknown, object>

/** A tool before its schemas are applied. */
export interface ToolDefinition<Input extends InputSchema, Output extends OutputSchema> {
  readonly name: string
  readonly title: string
  /** For a model that chooses between tools: what, when this and when another one, what comes back, what next. */
  readonly description: string
  readonly annotations: ToolAnnotations
  readonly input: Input
  readonly output: Output
  readonly run: (input: Input["Type"], call: Call) => Effect.Effect<Answer<Output["Type"]>, ToolError, Orchestrator>
}

const asJson = (encoded: object): JsonObject => ({ ...encoded })

/**
 * Makes a tool of a definition. Arguments are decoded strictly, with every problem in one text; answers are encoded
 * by the output schema, so that nothing it does not name leaves the server.
 */
export const defineTool = <Input extends InputSchema, Output extends OutputSchema>(
  definition: ToolDefinition<Input, Output>
): Tool => {
  const { input, name, output } = definition
  const decode = Schema.decodeUnknownResult(input, { errors: "all", onExcessProperty: "error" })
  const encode = Schema.encodeEffect(output)
  const known = Object.keys(input.fields ?? {})
  return {
    name,
    title: definition.title,
    description: definition.description,
    annotations: definition.annotations,
    inputSchema: () => inputJsonSchema(input),
    outputSchema: () => outputJsonSchema(output),
    call: Effect.fn(`Tool.${name}`)(function* (args, call) {
      const decoded = decode(args)
      if (Result.isFailure(decoded)) {
        return {
          _tag: "Rejected" as const,
          text: argumentErrorText(argumentProblems(decoded.failure.issue, known), name)
        }
      }
      return yield* definition.run(decoded.success, call).pipe(
        Effect.flatMap(({ isError, value }) =>
          Effect.map(Effect.orDie(encode(value)), (encoded): ToolResult => ({
            _tag: "Answered",
            value: asJson(encoded),
            isError
          }))
        ),
        Effect.catch((error) => Effect.succeed<ToolResult>({ _tag: "Rejected", text: errorText(error, name) }))
      )
    })
  }
}
