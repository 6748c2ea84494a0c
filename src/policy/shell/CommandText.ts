import { Option, Schema } from "effect"

/** Characters that a command text may have, at most (contract of the tools). */
export const MAX_COMMAND_LENGTH = 10_000

/** Substitution and group openers that a text may have, at most: parse time grows with them, quadratically at worst. */
export const MAX_OPENERS = 64

const OPENERS = /\$\(|\$\{|\$\[|[<>]\(|`|\(/g

/**
 * What no command text may hold: C0 controls but newline and tab, DEL and C1, line and paragraph separators, format
 * characters (bidi controls, zero-width, BOM, tags), blanks that only look like a space, and unpaired surrogates.
 */
const FORBIDDEN = /[\0-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]|\p{Cf}|(?! )\p{Zs}|\p{Cs}/u

/** Brings a caller's text to the form that is decided on: `\r\n` becomes `\n`, blanks around are trimmed. */
export const trimCommand = (text: string): string => text.replaceAll("\r\n", "\n").trim()

/** Most texts are plain ASCII, which costs less to see than the Unicode classes. */
const PLAIN_ASCII = /^[\t\n\x20-\x7e]*$/

/** Whether a decoded word or a text holds a character that is refused everywhere. */
export const hasForbiddenCharacter = (text: string): boolean => !PLAIN_ASCII.test(text) && FORBIDDEN.test(text)

/** The contract's text for a command that may not even be parsed, or none. */
export const checkCommandText = (text: string): Option.Option<string> => {
  if (text.length > MAX_COMMAND_LENGTH) {
    return Option.some(`command too long (max ${MAX_COMMAND_LENGTH} characters)`)
  }
  if (text.includes("\0")) return Option.some("command contains invalid characters (null bytes not allowed)")
  const unified = text.replaceAll("\r\n", "\n")
  if (hasForbiddenCharacter(unified)) return Option.some("command contains invalid control characters")
  if (unified.trim() === "") return Option.some("command is required")
  if ((unified.match(OPENERS)?.length ?? 0) > MAX_OPENERS) {
    return Option.some(`command nests too deeply (max ${MAX_OPENERS} openers)`)
  }
  return Option.none()
}

/** A command as a tool takes it: not blank, of bounded length, free of control and invisible characters. */
export const CommandText = Schema.String.check(
  Schema.isMinLength(1, { message: "command is required" }),
  Schema.isMaxLength(MAX_COMMAND_LENGTH, { message: `command too long (max ${MAX_COMMAND_LENGTH} characters)` }),
  Schema.makeFilter((text) =>
    text === "" || text.length > MAX_COMMAND_LENGTH ? undefined : Option.getOrUndefined(checkCommandText(text))
  )
).pipe(Schema.brand("CommandText"))
export type CommandText = typeof CommandText.Type
