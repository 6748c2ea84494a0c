import { Effect, Result, Schema } from "effect"
import type { Orchestrator } from "../Orchestrator.ts"
import type { TaskNotFinished, TaskNotFound } from "../task/errors.ts"
import { argumentProblems } from "./ArgumentProblems.ts"
import { argumentErrorText, errorText, type ToolError } from "./ErrorText.ts"
import type { ResourceContents } from "./resources/Resources.ts"
import type { ProgressToken } from "./Progress.ts"
import type { Session } from "./Session.ts"
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
  /** To be told the id of the task that the call started, as soon as there is one. */
  readonly started?: (taskId: string) => Effect.Effect<void>
  /** To be told the id of a task that was there before and whose end the call waits for. */
  readonly waitsFor?: (taskId: string) => Effect.Effect<void>
  /** Sends a notification that belongs to this call. */
  readonly notify?: Session["notify"]
  /** Names the call in progress notifications that the tool sends itself, beside those that every call gets. */
  readonly progressToken?: ProgressToken
}

/** A tool's own answer; some answers, such as a denial, are errors to the model. */
export interface Answer<A> {
  readonly value: A
  readonly isError: boolean
}

/** An answer that is not an error. */
export const answered = <A>(value: A): Answer<A> => ({ value, isError: false })

/** One item of content as MCP has it (2025-11-25, server/tools, "Tool Result"). */
export type ContentBlock =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "image"; readonly data: string; readonly mimeType: string }
  | { readonly type: "audio"; readonly data: string; readonly mimeType: string }
  | { readonly type: "resource"; readonly resource: ResourceContents }
  | { readonly type: "resource_link"; readonly uri: string; readonly name: string; readonly mimeType?: string }

/** What goes back to the client. */
export type ToolResult =
  /** An answer that conforms to the output schema. `untrusted` names its fields that hold text of a remote host. */
  | {
      readonly _tag: "Answered"
      readonly value: JsonObject
      readonly isError: boolean
      readonly untrusted?: ReadonlyArray<string>
    }
  /** An error text. */
  | { readonly _tag: "Rejected"; readonly text: string }
  /** Content without a structure. */
  | { readonly _tag: "Content"; readonly content: ReadonlyArray<ContentBlock>; readonly isError: boolean }

/** What a call that was to become a task came to. */
export type TaskStart =
  | { readonly _tag: "Started"; readonly taskId: string }
  /** There is no task: it was denied, or there was nothing to do. */
  | { readonly _tag: "Ended"; readonly result: ToolResult }

/** How a call of a tool becomes a task (MCP 2025-11-25, basic/utilities/tasks). */
export interface ToolTask<R> {
  /** Starts what the call asks for and does not wait for it. */
  readonly start: (args: unknown, call: Call) => Effect.Effect<TaskStart, never, R>
  /** What a task of this tool that ended came to, exactly as the call would have answered; fails for any other task. */
  readonly result: (taskId: string) => Effect.Effect<ToolResult, TaskNotFound | TaskNotFinished, R>
}

/** A tool as the server offers it. `R` is what its calls need. */
export interface Tool<R = Orchestrator> {
  readonly name: string
  readonly title: string
  readonly description: string
  readonly annotations: ToolAnnotations
  /** JSON Schema of the arguments; computed on each call, since only `tools/list` needs it. */
  readonly inputSchema: () => JsonObject
  /** JSON Schema that every `Answered` value conforms to. */
  readonly outputSchema: () => JsonObject
  /** Decodes, calls, encodes. `args` is the JSON object as the client sent it. Interruption stops what was started. */
  readonly call: (args: unknown, call: Call) => Effect.Effect<ToolResult, never, R>
  /** Absent for a tool whose calls cannot be made tasks. */
  readonly task?: ToolTask<R>
}

/** The schema of a tool's arguments: a struct, or `noArguments`. */
type InputSchema = Schema.Codec<object, unknown> & { readonly fields?: Schema.Struct.Fields }

/** The input of a tool without arguments. An empty struct would accept any value. */
export const noArguments = Schema.Record(Schema.String, Schema.Never)

/** The schema of a tool's answers: an object, or alternatives that are all objects. */
type OutputSchema = Schema.Codec<unknown, object>

/** How a call becomes a task, before the schemas are applied. */
export interface TaskDefinition<Input extends InputSchema, Output extends OutputSchema, R> {
  /** Starts without waiting: a task, or the answer when there is none. */
  readonly start: (
    input: Input["Type"],
    call: Call
  ) => Effect.Effect<{ readonly taskId: string } | Answer<Output["Type"]>, ToolError, R>
  readonly result: (taskId: string) => Effect.Effect<Answer<Output["Type"]>, TaskNotFound | TaskNotFinished, R>
}

/** A tool before its schemas are applied. */
export interface ToolDefinition<Input extends InputSchema, Output extends OutputSchema, R = Orchestrator> {
  readonly name: string
  readonly title: string
  /** For a model that chooses between tools: what, when this and when another one, what comes back, what next. */
  readonly description: string
  readonly annotations: ToolAnnotations
  readonly input: Input
  readonly output: Output
  /** Fields of the answer that hold text of a remote host. */
  readonly untrusted?: ReadonlyArray<string>
  readonly run: (input: Input["Type"], call: Call) => Effect.Effect<Answer<Output["Type"]>, ToolError, R>
  readonly task?: TaskDefinition<Input, Output, R>
}

const asJson = (encoded: object): JsonObject => ({ ...encoded })

/**
 * Makes a tool of a definition. Arguments are decoded strictly, with every problem in one text; answers are encoded
 * by the output schema, so that nothing it does not name leaves the server.
 */
export const defineTool = <Input extends InputSchema, Output extends OutputSchema, R = Orchestrator>(
  definition: ToolDefinition<Input, Output, R>
): Tool<R> => {
  const { input, name, output, task, untrusted } = definition
  const decode = Schema.decodeUnknownResult(input, { errors: "all", onExcessProperty: "error" })
  const encode = Schema.encodeEffect(output)
  const known = Object.keys(input.fields ?? {})

  const answer = ({ isError, value }: Answer<Output["Type"]>) =>
    Effect.map(Effect.orDie(encode(value)), (encoded): ToolResult => ({
      _tag: "Answered",
      value: asJson(encoded),
      isError,
      ...(untrusted === undefined ? {} : { untrusted })
    }))

  const asStart = (result: ToolResult): TaskStart => ({ _tag: "Ended", result })

  /** Decodes the arguments for `use`; what is wrong with them, or goes wrong, becomes an error text. */
  const withInput = <A>(
    args: unknown,
    use: (input: Input["Type"]) => Effect.Effect<A, ToolError, R>
  ): Effect.Effect<A | ToolResult, never, R> => {
    const decoded = decode(args)
    if (Result.isFailure(decoded)) {
      const problems = argumentProblems(decoded.failure.issue, known)
      return Effect.succeed({ _tag: "Rejected", text: argumentErrorText(problems, name) })
    }
    return Effect.catch(use(decoded.success), (error) =>
      Effect.succeed<ToolResult>({ _tag: "Rejected", text: errorText(error, name) })
    )
  }

  return {
    name,
    title: definition.title,
    description: definition.description,
    annotations: definition.annotations,
    inputSchema: () => inputJsonSchema(input),
    outputSchema: () => outputJsonSchema(output),
    call: Effect.fn(`Tool.${name}`)((args, call) =>
      withInput(args, (decoded) => Effect.flatMap(definition.run(decoded, call), answer))
    ),
    ...(task === undefined
      ? {}
      : {
          task: {
            start: Effect.fn(`Tool.${name}.start`)((args, call) =>
              Effect.map(
                withInput<TaskStart>(args, (decoded) =>
                  Effect.gen(function* () {
                    const started = yield* task.start(decoded, call)
                    if ("taskId" in started) return { _tag: "Started", taskId: started.taskId } satisfies TaskStart
                    return asStart(yield* answer(started))
                  })
                ),
                (outcome) => (outcome._tag === "Started" || outcome._tag === "Ended" ? outcome : asStart(outcome))
              )
            ),
            result: Effect.fn(`Tool.${name}.result`)((taskId) => Effect.flatMap(task.result(taskId), answer))
          }
        })
  }
}
