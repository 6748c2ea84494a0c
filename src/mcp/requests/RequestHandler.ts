import { Effect, Result, Schema } from "effect"
import { argumentProblems } from "../ArgumentProblems.ts"
import { invalidParams, type ProtocolError } from "../ProtocolError.ts"
import type { Session } from "../Session.ts"
import type { JsonObject } from "../WireSchema.ts"

/**
 * Answers one kind of request. `params` is what the client sent, checked by nobody before; notifications through
 * `request` go where this request's answer goes. Interruption is the client's cancel, or the end of the connection.
 */
export type RequestHandler = (params: unknown, request: Session) => Effect.Effect<JsonObject, ProtocolError>

/** The handlers of a family of requests, by method. */
export type RequestTable = ReadonlyMap<string, RequestHandler>

/** Runs what needs the server's services, and has them built first if they are not yet. */
export type WithServices<R> = <A, E>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E>

/** Decodes the params of a request; what its schema does not name, such as `_meta`, is ignored. */
export const decodeParams = <S extends Schema.Codec<unknown, unknown>>(
  schema: S
): ((params: unknown) => Effect.Effect<S["Type"], ProtocolError>) => {
  const decode = Schema.decodeUnknownResult(schema)
  return (params) => {
    const decoded = decode(params ?? {})
    if (Result.isSuccess(decoded)) return Effect.succeed(decoded.success)
    const [problem = "not valid"] = argumentProblems(decoded.failure.issue, [])
    return Effect.fail(invalidParams(problem))
  }
}

/** The params of a list request. */
export const ListParams = Schema.Struct({ cursor: Schema.optionalKey(Schema.String) })

/** Answers a list that is one page: a cursor can only be one that this server never gave. */
export const onePage = (list: () => JsonObject): RequestHandler => {
  const decode = decodeParams(ListParams)
  return (params) =>
    Effect.flatMap(decode(params), ({ cursor }) =>
      cursor === undefined ? Effect.sync(list) : Effect.fail(invalidParams("cursor is not valid"))
    )
}
