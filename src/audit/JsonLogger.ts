import { Cause, Layer, Logger, type LogLevel, Predicate, References } from "effect"
import { jsonLine } from "./JsonLine.ts"

/** A plain record: its fields become fields of the log record. An error or another instance is a value. */
const isFields = (value: unknown): value is Record<string, unknown> =>
  Predicate.isObject(value) && Object.getPrototypeOf(value) === Object.prototype

const text = (value: unknown): unknown => (value instanceof Error ? value.message : value)

/** Turns one call of `Effect.logX` into a line. Objects merge, everything else is joined as `message`. */
const formatter = Logger.make<unknown, string>(({ cause, date, fiber, logLevel, message }) => {
  const parts = Array.isArray(message) ? message : [message]
  const fields = Object.assign({}, fiber.getRef(References.CurrentLogAnnotations), ...parts.filter(isFields))
  const texts = parts.filter((part) => !isFields(part)).map(text)
  return jsonLine(
    { time: date, level: logLevel.toLowerCase(), type: typeof fields.type === "string" ? fields.type : "log" },
    {
      ...fields,
      ...(texts.length === 0 ? {} : { message: texts.length === 1 ? texts[0] : texts.map(String).join(" ") }),
      ...(cause.reasons.length === 0 ? {} : { cause: Cause.pretty(cause) })
    }
  )
})

/** One JSON record a line on stderr; stdout carries only the protocol. */
export const logger: Logger.Logger<unknown, void> = Logger.withConsoleError(formatter)

/** Replaces all loggers by `logger`, for records of at least this level. */
export const layer = (minimum: LogLevel.LogLevel): Layer.Layer<never> =>
  Layer.mergeAll(Logger.layer([logger]), Layer.succeed(References.MinimumLogLevel, minimum))
