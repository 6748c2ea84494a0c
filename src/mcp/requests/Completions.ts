import { Effect, Schema } from "effect"
import type { Catalogue } from "../Catalogue.ts"
import { noCompletion } from "../Completion.ts"
import { invalidParams } from "../ProtocolError.ts"
import { shown } from "../SafeText.ts"
import { decodeParams, type RequestTable, type WithServices } from "./RequestHandler.ts"

const CompleteParams = Schema.Struct({
  ref: Schema.Union([
    Schema.Struct({ type: Schema.Literal("ref/prompt"), name: Schema.String }),
    Schema.Struct({ type: Schema.Literal("ref/resource"), uri: Schema.String })
  ]),
  argument: Schema.Struct({ name: Schema.String, value: Schema.String })
})

/** `completion/complete`, for the arguments of prompts and the variables of resource templates. */
export const completionRequests = <R>(
  { prompts, resources }: Pick<Catalogue<R>, "prompts" | "resources">,
  withServices: WithServices<R>
): RequestTable => {
  const decode = decodeParams(CompleteParams)
  return new Map([
    [
      "completion/complete",
      Effect.fn("completion/complete")(function* (params: unknown) {
        const { argument, ref } = yield* decode(params)
        if (ref.type === "ref/resource") {
          if (resources === undefined) return yield* invalidParams("there are no resources")
          return { completion: yield* withServices(resources.complete(ref.uri, argument.name, argument.value)) }
        }
        const prompt = prompts.find(({ name }) => name === ref.name)
        if (prompt === undefined) return yield* invalidParams(`unknown prompt ${shown(ref.name)}`)
        if (prompt.complete === undefined) return { completion: noCompletion }
        return { completion: yield* withServices(prompt.complete(argument.name, argument.value)) }
      })
    ]
  ])
}
