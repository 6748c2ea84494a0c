import { NodeServices } from "@effect/platform-node"
import { Cause, Effect, Exit, Fiber, FileSystem, Layer, Ref, Sink, Stdio, Stream } from "effect"
import { TestConsole } from "effect/testing"
import { CliFailure } from "../../src/cli/CliFailure.ts"
import { runCli } from "../../src/cli/Cli.ts"
import type { GlobalFlags } from "../../src/cli/GlobalFlags.ts"
import { ConfigDirectory } from "../../src/config/ConfigDirectory.ts"
import { Directories } from "../../src/config/Directories.ts"
import { Orchestrator } from "../../src/Orchestrator.ts"

/** What one invocation printed and came to. */
export interface Outcome {
  /** 130 after an interruption. */
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
  /** The flags of each time that the services were built for a command, or that the server was started. */
  readonly built: ReadonlyArray<readonly [GlobalFlags, "serve" | "command"]>
}

export interface HarnessOptions {
  /** Answers of the orchestrator; a member that is not given dies when it is used. */
  readonly orchestrator?: Partial<Orchestrator["Service"]>
  /** Files of the configuration directory. */
  readonly files?: Readonly<Record<string, string>>
  readonly stderrIsTerminal?: boolean
  /** What stdin holds; nothing when absent. */
  readonly stdin?: string
  /** Replaces stdout; what is written to it is not in the outcome. */
  readonly stdout?: Stdio.Stdio["stdout"]
  readonly serve?: Effect.Effect<void>
  /** Interrupts the command, as Ctrl-C does, once this completes. */
  readonly interruptAfter?: Effect.Effect<void>
}

const exitCodeOf = (exit: Exit.Exit<void, CliFailure>): number => {
  if (Exit.isSuccess(exit)) return 0
  if (Cause.hasInterruptsOnly(exit.cause)) return 130
  const error = Cause.squash(exit.cause)
  if (error instanceof CliFailure) return error.exitCode
  throw error
}

const decoder = new TextDecoder()

/** A test's own process: arguments in; exit code and what was printed out. Configuration is read from real files. */
export const invoke = Effect.fnUntraced(
  function* (args: ReadonlyArray<string>, options: HarnessOptions = {}) {
    const fs = yield* FileSystem.FileSystem
    const config = yield* fs.makeTempDirectoryScoped({ prefix: "cli-test-" })
    for (const [name, text] of Object.entries(options.files ?? {})) yield* fs.writeFileString(`${config}/${name}`, text)
    const out = yield* Ref.make("")
    const err = yield* Ref.make("")
    const built: Array<readonly [GlobalFlags, "serve" | "command"]> = []
    const into = (ref: Ref.Ref<string>) => () =>
      Sink.forEach((chunk: string | Uint8Array) =>
        Ref.update(ref, (text) => text + (typeof chunk === "string" ? chunk : decoder.decode(chunk)))
      )
    const stdio = Stdio.layerTest({
      stdout: options.stdout ?? into(out),
      stderr: into(err),
      stdin: Stream.make(new TextEncoder().encode(options.stdin ?? "")),
      stderrIsTerminal: Effect.succeed(options.stderrIsTerminal ?? false)
    })
    const run = runCli<never>({
      version: "9.9.9",
      serve: (flags) => {
        built.push([flags, "serve"])
        return options.serve ?? Effect.die("serve is not expected")
      },
      layerFor: (flags) => {
        built.push([flags, "command"])
        return Layer.mergeAll(Layer.mock(Orchestrator, options.orchestrator ?? {}), ConfigDirectory.layer).pipe(
          Layer.provideMerge(Directories.layer({ configDir: config, ...flags }))
        )
      }
    })
    const fiber = yield* Effect.forkChild(run(args).pipe(Effect.provide(stdio)))
    if (options.interruptAfter !== undefined) {
      yield* options.interruptAfter
      yield* Fiber.interrupt(fiber)
    }
    const exit = yield* Fiber.await(fiber)
    const printed = (yield* TestConsole.logLines).map((line) => `${String(line)}\n`).join("")
    const complained = (yield* TestConsole.errorLines).map((line) => `${String(line)}\n`).join("")
    const outcome: Outcome = {
      exitCode: exitCodeOf(exit),
      stdout: (yield* Ref.get(out)) + printed,
      stderr: (yield* Ref.get(err)) + complained,
      built
    }
    return outcome
  },
  Effect.provide(NodeServices.layer),
  Effect.scoped
)
