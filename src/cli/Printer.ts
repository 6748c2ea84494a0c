import { Deferred, Effect, Stdio, Stream } from "effect"

/**
 * Writes text to the process's own streams, each call after the one before and only once the stream has taken it, so
 * that a slow reader slows the remote command down.
 */
export interface Printer {
  /** A command's own result. After the reader went away (`| head`) it does nothing. */
  readonly out: (text: string) => Effect.Effect<void>
  /** Everything else: remarks, progress, summaries. Never fails. */
  readonly err: (text: string) => Effect.Effect<void>
  /** Completes when nobody reads stdout any more. */
  readonly closed: Effect.Effect<void>
  /** Whether a person watches stderr; only then it may hold a line that is rewritten. */
  readonly interactive: boolean
}

/** The printer of this process's `Stdio`. */
export const makePrinter: Effect.Effect<Printer, never, Stdio.Stdio> = Effect.gen(function* () {
  const stdio = yield* Stdio.Stdio
  const closed = yield* Deferred.make<void>()
  return {
    out: (text) =>
      text === ""
        ? Effect.void
        : Stream.run(Stream.make(text), stdio.stdout()).pipe(
            Effect.catch(() => Effect.asVoid(Deferred.succeed(closed, undefined)))
          ),
    err: (text) => (text === "" ? Effect.void : Effect.ignore(Stream.run(Stream.make(text), stdio.stderr()))),
    closed: Deferred.await(closed),
    interactive: yield* stdio.stderrIsTerminal
  }
})

/** Prints a command's result: lines on stdout, each ended. */
export const printLines = Effect.fnUntraced(function* (lines: ReadonlyArray<string>) {
  const printer = yield* makePrinter
  yield* printer.out(lines.map((line) => `${line}\n`).join(""))
})

/** Prints a command's result as one line of compact JSON on stdout. */
export const printJson = (value: unknown): Effect.Effect<void, never, Stdio.Stdio> =>
  printLines([JSON.stringify(value)])

/** Prints remarks: lines on stderr, each ended. */
export const printRemarks = Effect.fnUntraced(function* (lines: ReadonlyArray<string>) {
  const printer = yield* makePrinter
  yield* printer.err(lines.map((line) => `${line}\n`).join(""))
})
