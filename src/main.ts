// Not from the barrel: its dynamic imports would keep the bundler from joining the modules of effect into one scope.
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Config, Effect, Layer, Logger, type LogLevel, References } from "effect"
import { AuditLog } from "./audit/AuditLog.ts"
import * as JsonLogger from "./audit/JsonLogger.ts"
import { runCli } from "./cli/Cli.ts"
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

/** JSON lines for machines. */
const machineLogging = (flags: GlobalFlags) =>
  Layer.unwrap(Effect.map(environmentLevel, (level) => JsonLogger.layer(flags.logLevel ?? level)))

/** Text for a person: only warnings and worse, unless the flag asks for more. */
const personLogging = (flags: GlobalFlags) =>
  Layer.mergeAll(
    Logger.layer([Logger.consolePretty()]),
    Layer.succeed(References.MinimumLogLevel, flags.logLevel ?? "Warn"),
    Layer.succeed(Logger.LogToStderr, true)
  )

const services = (flags: GlobalFlags) =>
  Orchestrator.layerWithoutAudit.pipe(Layer.provideMerge(Directories.layer(flags)))

/** A person at a terminal gets the result of a command; the audit trail joins in when a log level was asked for. */
const layerFor = (flags: GlobalFlags) =>
  services(flags).pipe(
    Layer.provide(flags.logLevel === undefined ? AuditLog.layerSilent : AuditLog.layer),
    Layer.provideMerge(personLogging(flags))
  )

const serve = (flags: GlobalFlags) =>
  serveStdio(services(flags).pipe(Layer.provide(AuditLog.layer))).pipe(Effect.provide(machineLogging(flags)))

runCli({ version: VERSION, layerFor, serve })(process.argv.slice(2)).pipe(
  Effect.provide(NodeServices.layer),
  NodeRuntime.runMain({ disableErrorReporting: true })
)
