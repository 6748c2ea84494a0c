import { Effect, Ref, Schema } from "effect"
import { decodeParams, type RequestTable } from "./RequestHandler.ts"

/** The levels of RFC 5424, section 6.2.1, from the least to the most severe. */
export const LogLevel = Schema.Literals([
  "debug",
  "info",
  "notice",
  "warning",
  "error",
  "critical",
  "alert",
  "emergency"
])
export type LogLevel = typeof LogLevel.Type

const SEVERITY: ReadonlyMap<unknown, number> = new Map(LogLevel.literals.map((level, severity) => [level, severity]))

/** Whether a client that asked for `threshold` gets a message of this level; one of no known level always. */
export const isLogged = (level: unknown, threshold: LogLevel): boolean =>
  (SEVERITY.get(level) ?? Infinity) >= (SEVERITY.get(threshold) ?? 0)

const SetLevelParams = Schema.Struct({
  level: LogLevel.annotate({ expected: `one of ${LogLevel.literals.join(", ")}` })
})

/** `logging/setLevel`: the level of one session, kept in `level`. */
export const loggingRequests = (level: Ref.Ref<LogLevel>): RequestTable => {
  const decode = decodeParams(SetLevelParams)
  return new Map([
    [
      "logging/setLevel",
      (params: unknown) => Effect.flatMap(decode(params), (asked) => Effect.as(Ref.set(level, asked.level), {}))
    ]
  ])
}
