import type { Effect } from "effect"
import type { Completion } from "../Completion.ts"
import type { ProtocolError } from "../ProtocolError.ts"
import type { ContentBlock } from "../Tool.ts"

/** An argument of a prompt as `prompts/list` shows it. */
export interface PromptArgument {
  readonly name: string
  readonly title?: string
  readonly description: string
  readonly required: boolean
}

/** A message that a prompt puts into the conversation. */
export interface PromptMessage {
  readonly role: "user" | "assistant"
  readonly content: ContentBlock
}

/** A prompt as a server offers it. */
export interface Prompt<R> {
  readonly name: string
  readonly title: string
  readonly description: string
  readonly arguments: ReadonlyArray<PromptArgument>
  /** The messages for these arguments. A required argument that is missing is -32602; one it does not know is ignored. */
  readonly get: (
    args: Readonly<Record<string, string>>
  ) => Effect.Effect<ReadonlyArray<PromptMessage>, ProtocolError, R>
  /** Values of an argument that begin with `value`; none for one that has no completion. */
  readonly complete?: (argument: string, value: string) => Effect.Effect<Completion, never, R>
}
