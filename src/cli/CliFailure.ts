import { Runtime, Schema } from "effect"
import type { Denial } from "../policy/Denial.ts"

/** Exit codes of the command line; `run` also passes the remote command's own code on. */
export const EXIT = {
  /** The thing asked for failed. */
  failed: 1,
  /** The arguments are wrong; nothing was tried. */
  usage: 2,
  /** Policy, network or a limit refused the command, as a shell says "found but may not be executed". */
  denied: 126,
  /** `run` could not tell how the command ended: no connection, a signal, a timeout (as `ssh` does). */
  own: 255
} as const

/**
 * How a command of the CLI ends when it does not end well. `text` is for the person at the terminal and goes to stderr;
 * it is empty when everything worth saying was printed before. `NodeRuntime.runMain` reads the exit code from here.
 */
export class CliFailure extends Schema.TaggedError<CliFailure>()("CliFailure", {
  exitCode: Schema.Int,
  text: Schema.String
}) {
  override readonly [Runtime.errorExitCode] = this.exitCode
  override readonly [Runtime.errorReported] = false

  override get message(): string {
    return this.text
  }
}

/** A failure with the exit code 1: the thing asked for failed. */
export const failed = (text: string): CliFailure => new CliFailure({ exitCode: EXIT.failed, text })

/** A failure with the exit code 2: the arguments contradict each other. */
export const wrongUsage = (text: string): CliFailure => new CliFailure({ exitCode: EXIT.usage, text })

/** A failure with the exit code 126: the command was denied and never reached the host. */
export const deniedBy = ({ detail, hint, reason }: Denial): CliFailure =>
  new CliFailure({ exitCode: EXIT.denied, text: `Denied (${reason}): ${detail}\n${hint}` })

/** A failure with the exit code 255: this program's own, so that it is not taken for the remote command's. */
export const ownFailure = (text: string): CliFailure => new CliFailure({ exitCode: EXIT.own, text })
