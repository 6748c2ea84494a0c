import { Config, Console, Context, DateTime, Effect, Layer } from "effect"
import { jsonLine } from "./JsonLine.ts"

/** How an admitted command ended: exactly one for each, whatever its end. */
export interface AuditRecord {
  readonly task_id: string
  readonly alias: string
  /** The first 16 hex digits of SHA-256 of the caller's text. */
  readonly hash: string
  /** SHA-256 of the canonical text that ran. */
  readonly command_sha256: string
  /** The caller's text: written only with `MCP_SSH_LOG_COMMANDS=true`. */
  readonly command: string
  /** -1 when there is none. */
  readonly exit_code: number
  readonly exit_signal?: string
  readonly duration_ms: number
  /** Raw bytes that the host sent. */
  readonly bytes_out: number
  readonly bytes_err: number
  readonly cancelled: boolean
  readonly timeout: boolean
  /** `""` when no connection was made. */
  readonly target_ip: string
  /** The ids of the rules that allowed it, joined by commas. */
  readonly decision_rule: string
  readonly client: string
}

/** One edge of a task's state machine; the states are named as clients see them. */
export interface TransitionRecord {
  readonly task_id: string
  /** `tag.<tag>` for a fan-out. */
  readonly alias: string
  readonly hash: string
  readonly from: string
  readonly to: string
}

/** What the policy said about one command. */
export interface DecisionRecord {
  readonly alias: string
  readonly hash: string
  readonly allowed: boolean
  readonly rule: string
  readonly reason: string
  /** The caller's text: written only with `MCP_SSH_LOG_COMMANDS=true`. */
  readonly command?: string
}

/** Fields of a record without a fixed shape. */
export type AuditFields = Readonly<Record<string, unknown>>

/**
 * The trail of what was decided, run and ended: one JSON object a line on stderr, never filtered by the log level.
 * Command text is in it only when the operator asks with `MCP_SSH_LOG_COMMANDS=true`; output and secrets never are.
 */
export class AuditLog extends Context.Service<
  AuditLog,
  {
    /** The end of an admitted command. */
    readonly task: (record: AuditRecord) => Effect.Effect<void>
    /** A change of a task's state. */
    readonly transition: (record: TransitionRecord) => Effect.Effect<void>
    /** A policy or network decision. */
    readonly decision: (record: DecisionRecord) => Effect.Effect<void>
    /** Something that an operator should look at, such as a host key that does not match. */
    readonly securityEvent: (
      event: string,
      fields: Readonly<Record<string, string | number | boolean>>
    ) => Effect.Effect<void>
    /** A load or reload of the configuration. */
    readonly config: (fields: AuditFields) => Effect.Effect<void>
  }
>()("mcp-ssh-orchestrator/audit/AuditLog") {
  static readonly layer = Layer.effect(
    AuditLog,
    Effect.gen(function* () {
      // A value that is not a boolean must not reveal commands: it counts as false.
      const withCommands = yield* Config.Boolean("MCP_SSH_LOG_COMMANDS").pipe(Effect.orElseSucceed(() => false))

      const write = (level: string, type: string, fields: AuditFields) =>
        Effect.flatMap(DateTime.nowAsDate, (time) => Console.error(jsonLine({ time, level, type }, fields)))

      const withoutCommand = <A extends { readonly command?: string }>({ command, ...others }: A) =>
        withCommands && command !== undefined ? { ...others, command } : others

      return AuditLog.of({
        task: Effect.fn("AuditLog.task")((record) => write("info", "audit", withoutCommand(record))),
        transition: Effect.fn("AuditLog.transition")((record) => write("info", "task", { ...record })),
        decision: Effect.fn("AuditLog.decision")((record) => write("info", "policy_decision", withoutCommand(record))),
        securityEvent: Effect.fn("AuditLog.securityEvent")((event, fields) =>
          write("warn", "security_event", { ...fields, event })
        ),
        config: Effect.fn("AuditLog.config")((fields) => write("info", "config", fields))
      })
    })
  )

  /** Keeps nothing: for a person who runs one command at a terminal and sees its result. */
  static readonly layerSilent = Layer.succeed(
    AuditLog,
    AuditLog.of({
      task: () => Effect.void,
      transition: () => Effect.void,
      decision: () => Effect.void,
      securityEvent: () => Effect.void,
      config: () => Effect.void
    })
  )
}
