import { Effect, Option, Schema } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { wrongUsage } from "./CliFailure.ts"
import { runOnHost } from "./RunOnHost.ts"
import { runOnTag } from "./RunOnTag.ts"
import { joinWords } from "./ShellWords.ts"

const list = (name: string, metavar: string, description: string) =>
  Flag.String(name).pipe(
    Flag.withMetavar(metavar),
    Flag.withDescription(description),
    Flag.between(0, 256),
    Flag.map((values) =>
      values
        .flatMap((value) => value.split(","))
        .map((value) => value.trim())
        .filter(Boolean)
    )
  )

const flags = {
  tag: Flag.String("tag").pipe(
    Flag.withMetavar("TAG"),
    Flag.withDescription("Run on all hosts with this tag instead of one host"),
    Flag.optional
  ),
  timeout: Flag.Int("timeout").pipe(
    Flag.withMetavar("SECONDS"),
    Flag.withDescription("Seconds the command may run; the host's max_seconds is the upper limit"),
    Flag.withSchema(Schema.Int.check(Schema.isGreaterThan(0))),
    Flag.optional
  ),
  json: Flag.Boolean("json").pipe(
    Flag.withDescription("Print the result as one JSON object at the end instead of live output"),
    Flag.withDefault(false)
  ),
  concurrency: Flag.Int("concurrency").pipe(
    Flag.withMetavar("N"),
    Flag.withDescription("With --tag: hosts at the same time, 1 to 256 (32)"),
    Flag.withSchema(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 256 }))),
    Flag.optional
  ),
  batch: list("batch", "SIZE", "With --tag: sizes of successive batches, counts or percentages: --batch 1,10%,100%"),
  maxFailures: Flag.String("max-failures").pipe(
    Flag.withMetavar("N|N%"),
    Flag.withDescription("With --tag: start no further host once more than this many failed"),
    Flag.withSchema(Schema.String.check(Schema.isPattern(/^\d+%?$/))),
    Flag.optional
  ),
  only: list("only", "ALIAS", "With --tag: only these hosts of the tag, comma-separated or repeated")
}

const SIZE = /^[1-9]\d*%?$/

/** `run`: runs a command on one host or on a tag's hosts under the same policy as the tools, with live output. */
export const run = Command.make(
  "run",
  {
    ...flags,
    words: Argument.String("HOST COMMAND").pipe(
      Argument.withDescription("Alias (not with --tag) and the command: one argument, or several words after --"),
      Argument.variadic()
    )
  },
  Effect.fn("cli.run")(function* ({ batch, concurrency, json, maxFailures, only, tag, timeout, words }) {
    const timeoutSeconds = Option.isSome(timeout) ? { timeoutSeconds: timeout.value } : {}
    if (Option.isSome(tag)) {
      const [first, ...rest] = words
      if (first === undefined) return yield* wrongUsage("run needs a command: run --tag TAG COMMAND")
      const badSize = batch.find((size) => !SIZE.test(size))
      if (badSize !== undefined) return yield* wrongUsage(`--batch: ${badSize} is neither a count nor a percentage`)
      return yield* runOnTag({
        tag: tag.value,
        command: joinWords([first, ...rest]),
        json,
        ...timeoutSeconds,
        ...(Option.isSome(concurrency) ? { concurrency: concurrency.value } : {}),
        ...(batch.length > 0 ? { batch } : {}),
        ...(Option.isSome(maxFailures) ? { maxFailures: maxFailures.value } : {}),
        ...(only.length > 0 ? { only } : {})
      })
    }
    if (Option.isSome(concurrency) || batch.length > 0 || Option.isSome(maxFailures) || only.length > 0) {
      return yield* wrongUsage("--concurrency, --batch, --max-failures and --only belong to --tag TAG")
    }
    const [alias, first, ...rest] = words
    if (alias === undefined || first === undefined) {
      return yield* wrongUsage("run needs a host and a command: run HOST COMMAND, or run --tag TAG COMMAND")
    }
    return yield* runOnHost({ alias, command: joinWords([first, ...rest]), json, ...timeoutSeconds })
  })
).pipe(
  Command.withDescription("Run a command on one host or on all hosts of a tag"),
  Command.withExamples([
    { command: "mcp-ssh-orchestrator run web-1 'df -h'", description: "One argument is the command text" },
    { command: "mcp-ssh-orchestrator run web-1 -- df -h", description: "Several words are quoted as needed" },
    {
      command: "mcp-ssh-orchestrator run --tag web --batch 1,50% --max-failures 0 uptime",
      description: "One host first, then half of them at a time; stop at the first failure"
    }
  ])
)
