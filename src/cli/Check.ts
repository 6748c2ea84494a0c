import { Effect } from "effect"
import { Command } from "effect/cli"
import { ConfigDirectory } from "../config/ConfigDirectory.ts"
import { Directories } from "../config/Directories.ts"
import { formatProblem } from "../config/Problem.ts"
import { CliFailure, EXIT } from "./CliFailure.ts"
import { printLines, printRemarks } from "./Printer.ts"

const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? "" : "s"}`

/** `check`: prints every problem of the configuration and a summary; fails when one of them is an error. */
export const check = Command.make(
  "check",
  {},
  Effect.fn("cli.check")(function* () {
    const { config } = yield* Directories
    const snapshot = yield* (yield* ConfigDirectory).snapshot
    const errors = snapshot.problems.filter((problem) => problem.severity === "error").length
    yield* printRemarks([`Configuration directory: ${config}`])
    yield* printLines([
      ...snapshot.problems.map(formatProblem),
      [
        counted(errors, "error"),
        counted(snapshot.problems.length - errors, "warning"),
        counted(snapshot.hosts.size, "host"),
        counted(snapshot.policy.ruleCount, "rule")
      ].join(", ")
    ])
    if (errors > 0 || !snapshot.usable) return yield* new CliFailure({ exitCode: EXIT.failed, text: "" })
  })
).pipe(Command.withDescription("Check the configuration directory and print every problem"))
