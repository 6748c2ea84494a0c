import type { LogLevel } from "effect"

/** The levels of `--log-level` and `MCP_SSH_LOG_LEVEL`, by the name that a person writes. */
export const LOG_LEVELS = {
  trace: "Trace",
  debug: "Debug",
  info: "Info",
  warn: "Warn",
  error: "Error"
} as const satisfies Readonly<Record<string, LogLevel.LogLevel>>

/** The level of this name; undefined when it is none. */
export const logLevel = (name: string): LogLevel.LogLevel | undefined =>
  Object.entries(LOG_LEVELS).find(([known]) => known === name)?.[1]
