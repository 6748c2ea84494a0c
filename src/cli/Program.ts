// Not from the barrel: its dynamic imports would keep the bundler from joining the modules of effect into one scope.
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Cause, Config, Effect, Layer, Logger, LogLevel, Option, References } from "effect"
import { AuditLog } from "../audit/AuditLog.ts"
import * as JsonLogger from "../audit/JsonLogger.ts"
import { Directories } from "../config/Directories.ts"
import { serveStdio } from "../mcp/Server.ts"
import { Orchestrator, VERSION } from "../Orchestrator.ts"
import { ownFailure } from "./CliFailure.ts"
import type { GlobalFlags } from "./GlobalFlags.ts"
import { logLevel } from "./LogLevels.ts"
import { serveArguments } from "./ServeArguments.ts"

/** The level of the environment, `Info` when it is unset or not a level. */
const environmentLevel = Config.String("MCP_SSH_LOG_LEVEL").pipe(
  Effect.map((name) => logLevel(name.toLowerCase()) ?? "Info"),
  Effect.orElseSucceed(() => "Info" as const)
)

/**
 * Errors keep their stacks only under `debug` and `trace`: each named effect and each typed error would capture one, a
 * fifth of what the server spends on a command. A bug is reported with its message in any case.
 */
const keepStacks = (level: LogLevel.LogLevel) =>
  Effect.sync(() => {
    if (LogLevel.isGreaterThan(level, "Debug")) Error.stackTraceLimit = 0
  })

/** JSON lines for machines. */
const machineLogging = (flags: GlobalFlags) =>
  Layer.unwrap(
    Effect.gen(function* () {
      const level = flags.logLevel ?? (yield* environmentLevel)
      yield* keepStacks(level)
      return JsonLogger.layer(level)
    })
  )

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

/** The MCP server. A machine reads stderr, so that a bug is a record there. */
const serve = (flags: GlobalFlags) =>
  serveStdio(services(flags).pipe(Layer.provide(AuditLog.layer))).pipe(
    Effect.catchCause((cause) =>
      Cause.hasDies(cause)
        ? Effect.andThen(Effect.logFatal("crashed", cause), Effect.fail(ownFailure("")))
        : Effect.failCause(cause)
    ),
    Effect.provide(machineLogging(flags))
  )

/** The command line and what only it needs of the platform: not loaded while a client waits for the server's start. */
const commandLine = (args: ReadonlyArray<string>) =>
  Effect.promise(() => Promise.all([import("./Cli.ts"), import("@effect/platform-node/NodeServices")])).pipe(
    Effect.flatMap(([{ runCli }, NodeServices]) =>
      runCli({ version: VERSION, layerFor, serve })(args).pipe(Effect.provide(NodeServices.layer))
    )
  )

/**
 * Runs the whole program with these arguments (without its name): the server, or a command for a person. SIGINT and
 * SIGTERM interrupt it; the process ends once everything it started is stopped.
 */
export const runProgram = (args: ReadonlyArray<string>): void =>
  Option.match(serveArguments(args), { onNone: () => commandLine(args), onSome: serve }).pipe(
    Effect.provide([NodeFileSystem.layer, NodePath.layer]),
    NodeRuntime.runMain({ disableErrorReporting: true })
  )
