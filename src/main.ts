import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { Config, Effect, Layer, Logger, type LogLevel, References } from "effect"
import { AuditLog } from "./audit/AuditLog.ts"
import * as JsonLogger from "./audit/JsonLogger.ts"
import { type CliServices, runCli } from "./cli/Cli.ts"
import type { GlobalFlags } from "./cli/GlobalFlags.ts"
import { Directories } from "./config/Directories.ts"
import { serveStdio } from "./mcp/Server.ts"
import { Orchestrator, VERSION } from "./Orchestrator.ts"

/** The levels of `MCP_SSH_LOG_LEVEL`. */
const LEVELS: Readonly<Record<string, LogLevel.LogLevel>> = {
  trace: "Trace",
  debug: "Debug",
  info: "Info",
  warn: "Warn",
  error: "Error"
}

/** The level of the environment, `Info` when it is unset or not a level. */
const environmentLevel = Config.String("MCP_SSH_LOG_LEVEL").pipe(
  Effect.map((name) => LEVELS[name.toLowerCase()] ?? "Info"),
  Effect.orElseSucceed(() => "Info" as const)
)

/** JSON lines for machines while serving; for a person only warnings, unless the flag asks for more. */
const logging = (flags: GlobalFlags, purpose: "serve" | "command") =>
  Layer.unwrap(
    Effect.map(environmentLevel, (level) =>
      purpose === "serve"
        ? JsonLogger.layer(flags.logLevel ?? level)
        : Layer.mergeAll(
            Logger.layer([Logger.consolePretty()]),
            Layer.succeed(References.MinimumLogLevel, flags.logLevel ?? "Warn"),
            Layer.succeed(Logger.LogToStderr, true)
          )
    )
  )

/** A person at a terminal gets the result of a command; the audit trail joins in when a log level was asked for. */
const audit = (flags: GlobalFlags, purpose: "serve" | "command") =>
  purpose === "serve" || flags.logLevel !== undefined ? AuditLog.layer : AuditLog.layerSilent

const layerFor = (flags: GlobalFlags, purpose: "serve" | "command") =>
  Orchestrator.layerWithoutAudit.pipe(
    Layer.provide(audit(flags, purpose)),
    Layer.provideMerge(Directories.layer(flags)),
    Layer.provideMerge(logging(flags, purpose))
  ) satisfies Layer.Layer<CliServices, never, unknown>

runCli({ version: VERSION, layerFor, serve: serveStdio })(process.argv.slice(2)).pipe(
  Effect.provide(NodeServices.layer),
  NodeRuntime.runMain({ disableErrorReporting: true })
)
