import { Cause, Effect, Logger, Predicate } from "effect"
import type { AuditLog } from "../../audit/AuditLog.ts"
import type { EventLog } from "./EventLog.ts"

/** An audit log whose records are events of a simulation. */
export const recordingAudit = (log: EventLog): AuditLog["Service"] => ({
  task: (record) => Effect.sync(() => log.append({ _tag: "Audit", record })),
  transition: ({ alias, from, hash, task_id, to }) =>
    Effect.sync(() => log.append({ _tag: "Transition", task_id, alias, hash, from, to })),
  decision: ({ alias, allowed, hash, reason, rule }) =>
    Effect.sync(() => log.append({ _tag: "Decision", alias, hash, allowed, rule, reason })),
  securityEvent: (event, fields) => Effect.sync(() => log.append({ _tag: "SecurityEvent", event, fields })),
  config: (fields) => Effect.sync(() => log.append({ _tag: "Config", fields }))
})

/** What is plain data in a message; an error comes without its stack, which differs between machines. */
const plain = (value: unknown): unknown => {
  if (value instanceof Error) return { error: value.name, message: value.message }
  return typeof value === "object" && value !== null && !Cause.isCause(value) ? value : undefined
}

/** A logger whose records are events of a simulation: the name of the event or the text, and the fields. */
export const recordingLogger = (log: EventLog): Logger.Logger<unknown, void> =>
  Logger.make(({ cause, logLevel, message }) => {
    const parts: ReadonlyArray<unknown> = Array.isArray(message) ? message : [message]
    const fields = parts.map(plain).find((part) => part !== undefined)
    const field = (name: "event" | "type") => (Predicate.hasProperty(fields, name) ? fields[name] : undefined)
    const names = [field("event"), ...parts, field("type")]
    log.append({
      _tag: "Log",
      level: logLevel,
      event: names.find((name) => typeof name === "string") ?? "",
      fields: fields ?? {},
      defect: Cause.hasDies(cause) || parts.some((part) => Cause.isCause(part) && Cause.hasDies(part))
    })
  })
