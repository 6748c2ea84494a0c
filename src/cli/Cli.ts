import { Cause, Console, Effect, Layer, Option } from "effect"
import { CliConfig, CliError, CliOutput, Command, GlobalFlag } from "effect/cli"
import type { ConfigDirectory } from "../config/ConfigDirectory.ts"
import type { Directories } from "../config/Directories.ts"
import type { Orchestrator } from "../Orchestrator.ts"
import { check } from "./Check.ts"
import { CliFailure, EXIT, failed, ownFailure, wrongUsage } from "./CliFailure.ts"
import { demo } from "./Demo.ts"
import { doctor } from "./Doctor.ts"
import { type GlobalFlags, givenFlags, root } from "./GlobalFlags.ts"
import { hosts } from "./Hosts.ts"
import { init } from "./Init.ts"
import { plan } from "./PlanCommand.ts"
import { policy } from "./PolicyTest.ts"
import { printRemarks } from "./Printer.ts"
import { run } from "./Run.ts"
import { makeServe } from "./Serve.ts"
import { simulate } from "./Simulate.ts"
import { trust } from "./Trust.ts"

/** What the commands are made of. A layer builds all of it from the flags of one invocation. */
export type CliServices = Orchestrator | ConfigDirectory | Directories

/** What the command line needs from the program that it is part of. */
export interface CliOptions<E extends { readonly message: string }> {
  /** Printed by `--version`. */
  readonly version: string
  /** The services for these flags, for a command that a person reads the answer of. */
  readonly layerFor: (flags: GlobalFlags) => Layer.Layer<CliServices, E, Command.Environment>
  /** The MCP server on stdin and stdout, its services included; succeeds when stdin ends. Logs its own bugs. */
  readonly serve: (flags: GlobalFlags) => Effect.Effect<void, E, Command.Environment>
}

/** The root command with all others below it. Without a command's name it serves. */
const makeCommand = <E extends { readonly message: string }>({ layerFor, serve }: CliOptions<E>) => {
  const services = Layer.unwrap(Effect.map(root, (flags) => layerFor(givenFlags(flags))))
  return root.pipe(
    Command.withHandler((flags) => serve(givenFlags(flags))),
    Command.withSubcommands([
      makeServe(Effect.flatMap(root, (flags) => serve(givenFlags(flags)))),
      check.pipe(Command.provide(services)),
      hosts.pipe(Command.provide(services)),
      plan.pipe(Command.provide(services)),
      policy.pipe(Command.provide(services)),
      run.pipe(Command.provide(services)),
      trust.pipe(Command.provide(services)),
      init.pipe(Command.provide(services)),
      doctor.pipe(Command.provide(services)),
      simulate,
      demo
    ])
  )
}

/** Help that was asked for is a result and goes to stdout; help because of wrong usage goes to stderr. */
const presenter: CliOutput.Presenter = {
  present: Effect.fnUntraced(function* (event) {
    if (event._tag !== "InvalidInvocation") return yield* CliOutput.defaultPresenter.present(event)
    const formatter = CliOutput.defaultFormatter({ colors: false })
    yield* Console.error(formatter.formatHelpDoc(event.helpDoc))
    yield* Console.error(formatter.formatErrors(event.errors))
  })
}

const toFailure = (error: CliFailure | CliError.CliError | { readonly message: string }): CliFailure => {
  if (error instanceof CliFailure) return error
  if (!CliError.isCliError(error)) return failed(error.message)
  if (error._tag !== "ShowHelp") return wrongUsage(error.message)
  return new CliFailure({ exitCode: error.errors.length === 0 ? 0 : EXIT.usage, text: "" })
}

/**
 * Runs the command line with these arguments (without the program's name). Whatever is to be said about a failure, a
 * bug included, has been printed when it fails; the failure carries the exit code, and `NodeRuntime.runMain` with
 * `disableErrorReporting: true` needs nothing else. Interruption stays interruption.
 */
export const runCli =
  <E extends { readonly message: string }>(options: CliOptions<E>) =>
  (args: ReadonlyArray<string>): Effect.Effect<void, CliFailure, Command.Environment> =>
    Command.runWith(makeCommand(options), { version: options.version })(args).pipe(
      Effect.catchCause((cause) =>
        Effect.gen(function* () {
          if (Cause.hasDies(cause)) {
            yield* printRemarks([`Internal error: ${Cause.pretty(cause)}`])
            return yield* ownFailure("")
          }
          const error = Cause.findErrorOption(cause)
          if (Option.isNone(error)) return yield* Effect.interrupt
          const failure = toFailure(error.value)
          if (failure.exitCode === 0) return
          if (failure.text !== "") yield* printRemarks([failure.text])
          return yield* failure
        })
      ),
      Effect.provideService(CliOutput.Presenter, presenter),
      Effect.provideService(
        CliConfig.CliConfig,
        // --log-level is ours: its levels are those of MCP_SSH_LOG_LEVEL.
        CliConfig.make({ builtIns: [GlobalFlag.Help, GlobalFlag.Version, GlobalFlag.Completions] })
      )
    )
