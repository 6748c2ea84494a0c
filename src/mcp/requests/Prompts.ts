import { Effect, Schema } from "effect"
import type { Prompt } from "../prompts/Prompt.ts"
import { invalidParams } from "../ProtocolError.ts"
import { shown } from "../SafeText.ts"
import { decodeParams, onePage, type RequestTable, type WithServices } from "./RequestHandler.ts"

const GetParams = Schema.Struct({
  name: Schema.String,
  arguments: Schema.optionalKey(Schema.Record(Schema.String, Schema.String))
})

/** `prompts/list` and `prompts/get`. */
export const promptRequests = <R>(prompts: ReadonlyArray<Prompt<R>>, withServices: WithServices<R>): RequestTable => {
  const decode = decodeParams(GetParams)
  return new Map([
    [
      "prompts/list",
      onePage(() => ({
        prompts: prompts.map(({ arguments: args, description, name, title }) => ({
          name,
          title,
          description,
          arguments: args
        }))
      }))
    ],
    [
      "prompts/get",
      Effect.fn("prompts/get")(function* (params: unknown) {
        const { arguments: args, name } = yield* decode(params)
        const prompt = prompts.find((one) => one.name === name)
        if (prompt === undefined) return yield* invalidParams(`unknown prompt ${shown(name)}`)
        const messages = yield* withServices(prompt.get(args ?? {}))
        return { description: prompt.description, messages }
      })
    ]
  ])
}
