import { deflateRawSync, inflateRawSync } from "node:zlib"
import { Result, Schema } from "effect"
import { Base64Url } from "effect/encoding"
import { Scenario } from "../workload/Scenario.ts"

/** Begins every token; its number is that of the format. Tokens of another version of the simulation may not decode. */
const PREFIX = "sim1-"

/** Bytes of a scenario as JSON: what a token may expand to. */
const MAX_BYTES = 16 * 1024 * 1024

/** A text that is not a replay token of this version. */
export class InvalidReplayToken extends Schema.TaggedError<InvalidReplayToken>()("InvalidReplayToken", {
  /** What is wrong with it, fit for the person who gave it. */
  detail: Schema.String
}) {
  override get message(): string {
    return `Not a replay token: ${this.detail}`
  }
}

const json = Schema.fromJsonString(Scenario)
const encode = Schema.encodeSync(json)
const decode = Schema.decodeUnknownResult(json, { onExcessProperty: "error" })

/**
 * A scenario as one word of letters, digits, `-` and `_`, to be pasted into a command line: compressed JSON. Which word it is
 * may depend on the machine's zlib; every one of them decodes everywhere.
 */
export const replayToken = (scenario: Scenario): string =>
  PREFIX + Base64Url.encode(deflateRawSync(encode(scenario), { level: 9 }))

/** The scenario of a token. Total, and bounded in memory whatever the token is. */
export const readReplayToken = (token: string): Result.Result<Scenario, InvalidReplayToken> => {
  const refuse = (detail: string) => new InvalidReplayToken({ detail })
  if (!token.startsWith(PREFIX)) return Result.fail(refuse(`it does not begin with ${PREFIX}`))
  return Base64Url.decode(token.slice(PREFIX.length)).pipe(
    Result.mapError(() => refuse("it was not copied in full")),
    Result.flatMap((bytes) =>
      Result.try({
        try: () => inflateRawSync(bytes, { maxOutputLength: MAX_BYTES }).toString("utf8"),
        catch: () => refuse("it was not copied in full")
      })
    ),
    Result.flatMap((text) => Result.mapError(decode(text), () => refuse("it holds no scenario of this version")))
  )
}
