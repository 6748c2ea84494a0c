import { hash } from "node:crypto"
import { Option, Result } from "effect"
import { checkCommandText, trimCommand } from "./CommandText.ts"
import { type Refusal, refuse } from "./Refusal.ts"
import { type ParsedCommand, parseShell } from "./ShellParser.ts"
import { quoteCommand } from "./Quote.ts"

export type { Refusal } from "./Refusal.ts"

/** One simple command: a program and its arguments, decoded. */
export interface SimpleCommand {
  /** The words after quote removal; the first is the program. */
  readonly argv: readonly [string, ...Array<string>]
  /** The same as canonical shell text. */
  readonly text: string
  /** Its place in the requested text: UTF-16 offsets, half open. */
  readonly span: readonly [number, number]
}

/** A parsed text. What is decided on, shown, audited and executed is `canonical`, never the caller's own text. */
export interface CheckedCommand {
  /** The caller's text, trimmed, with `\r\n` as `\n`. */
  readonly requested: string
  /** `commandHash` of it. */
  readonly hash: string
  /** The text to execute: re-rendered from the decoded words, so that no shell can read it differently. */
  readonly canonical: string
  /** The simple commands in it, in order; for now exactly one. */
  readonly commands: ReadonlyArray<SimpleCommand>
}

/** Names a command in task ids and logs: the first 16 hexadecimal digits of SHA-256 of its trimmed text. */
export const commandHash = (requested: string): string => hash("sha256", trimCommand(requested), "hex").slice(0, 16)

/** Makes a simple command from words; its text follows from them. */
export const simpleCommand = (
  argv: readonly [string, ...ReadonlyArray<string>],
  span: readonly [number, number]
): SimpleCommand => ({ argv: [argv[0], ...argv.slice(1)], text: quoteCommand(argv), span })

/** Makes a checked command from simple commands, whose canonical texts are joined as a list. */
export const checkedCommand = (requested: string, commands: ReadonlyArray<SimpleCommand>): CheckedCommand => ({
  requested,
  hash: commandHash(requested),
  canonical: commands.map((command) => command.text).join("; "),
  commands
})

/** zsh reads `-` and `=` before a name as its own, job control `%`; odd path segments only serve to hide a name. */
const BAD_NAME = /^$|^[-=%]|(?:^|\/)\.{1,2}(?:\/|$)|\/\//

/** Whether a word may name the program of a command. */
export const isProgramName = (word: string): boolean => !BAD_NAME.test(word)

const checkName = (text: string, command: ParsedCommand): Result.Result<SimpleCommand, Refusal> =>
  isProgramName(command.argv[0])
    ? Result.succeed(simpleCommand(command.argv, command.span))
    : Result.fail(refuse("command-name", text, { pos: command.span[0], end: command.span[1] }))

/**
 * Parses what a caller wants to run. Accepted is one simple command of static words; anything else, and anything that is
 * not certain, is refused with a code and a reason.
 */
export const parseCommand = (requested: string): Result.Result<CheckedCommand, Refusal> => {
  const invalid = checkCommandText(requested)
  if (Option.isSome(invalid)) {
    const code = requested.length > 0 && invalid.value.startsWith("command too long") ? "too-long" : "invalid-text"
    return Result.fail({ code, reason: invalid.value })
  }
  const text = trimCommand(requested)
  return Result.flatMap(parseShell(text), (parsed) =>
    Result.map(Result.all(parsed.map((command) => checkName(text, command))), (commands) =>
      checkedCommand(text, commands)
    )
  )
}
