import type { Effect, Stream } from "effect"
import type { Completion } from "../Completion.ts"
import type { ProtocolError } from "../ProtocolError.ts"
import type { JsonObject } from "../WireSchema.ts"

/** What a client may use to choose among resources (MCP 2025-11-25, server/resources, "Annotations"). */
export interface ResourceAnnotations {
  /** For whom the content is. */
  readonly audience: ReadonlyArray<"user" | "assistant">
  /** From 0, optional, to 1, needed. */
  readonly priority: number
}

/** A resource as `resources/list` shows it. */
export interface Resource {
  readonly uri: string
  readonly name: string
  readonly title: string
  readonly description: string
  readonly mimeType: string
  readonly annotations?: ResourceAnnotations
}

/** A family of resources; the template is of level 1 of RFC 6570. */
export interface ResourceTemplate {
  readonly uriTemplate: string
  readonly name: string
  readonly title: string
  readonly description: string
  readonly mimeType: string
  readonly annotations?: ResourceAnnotations
}

/** What a resource holds: text, or bytes in base 64. */
export type ResourceContents = (
  | { readonly uri: string; readonly mimeType: string; readonly text: string }
  | { readonly uri: string; readonly mimeType: string; readonly blob: string }
) & { readonly _meta?: JsonObject }

/** One page of `resources/list`. */
export interface ResourcePage {
  readonly resources: ReadonlyArray<Resource>
  /** Where the next page begins; absent on the last one. */
  readonly nextCursor?: string
}

/** One page of `resources/templates/list`. */
export interface TemplatePage {
  readonly resourceTemplates: ReadonlyArray<ResourceTemplate>
  /** Where the next page begins; absent on the last one. */
  readonly nextCursor?: string
}

/**
 * The resources that a server offers. A cursor that was not given out, a malformed uri and an unknown template are
 * -32602; a well-formed uri that names nothing is -32002 with the data `{uri}`.
 */
export interface Resources<R> {
  readonly list: (cursor?: string) => Effect.Effect<ResourcePage, ProtocolError, R>
  readonly templates: (cursor?: string) => Effect.Effect<TemplatePage, ProtocolError, R>
  readonly read: (uri: string) => Effect.Effect<ReadonlyArray<ResourceContents>, ProtocolError, R>
  /** Values of a template's variable that begin with `value`. */
  readonly complete: (
    uriTemplate: string,
    variable: string,
    value: string
  ) => Effect.Effect<Completion, ProtocolError, R>
  /**
   * Emits when the resource changed, at most once a second, and ends when it can change no more. Fails when the uri
   * cannot be subscribed to. To be run by whoever keeps the subscription.
   */
  readonly changes: (uri: string) => Effect.Effect<Stream.Stream<void, never, R>, ProtocolError, R>
  /** Emits when the list of resources may have changed, at most once a second. */
  readonly listChanges: Stream.Stream<void, never, R>
}
