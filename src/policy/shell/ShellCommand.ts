import { hash } from "node:crypto"
import { Option, Result } from "effect"
import { unwrap } from "../guards/Wrapper.ts"
import { checkCommandText, trimCommand } from "./CommandText.ts"
import type { Refusal } from "./Refusal.ts"
import { type ParsedScript, parseShell } from "./ShellParser.ts"
import type { SimpleCommand } from "./SimpleCommand.ts"
import { staticWord, type Word, type Words } from "./Word.ts"

export type { Refusal } from "./Refusal.ts"
export { type FileRedirection, type SimpleCommand, wordsText } from "./SimpleCommand.ts"

/** A parsed text. What is decided on, shown, audited and executed is `canonical`, never the caller's own text. */
export interface CheckedCommand {
  /** The caller's text, trimmed, with `\r\n` as `\n`. */
  readonly requested: string
  /** `commandHash` of it. */
  readonly hash: string
  /** The text to execute: re-rendered from what was read, so that no shell can read it differently. */
  readonly canonical: string
  /** The simple commands in it, in the order of the text, those in substitutions included. At most 256. */
  readonly commands: ReadonlyArray<SimpleCommand>
}

/** Names a command in task ids and logs: the first 16 hexadecimal digits of SHA-256 of its trimmed text. */
export const commandHash = (requested: string): string => hash("sha256", trimCommand(requested), "hex").slice(0, 16)

/** Scripts in scripts (`sh -c "sh -c ..."`), at most. */
const MAX_SCRIPT_DEPTH = 6

const asWords = (words: ReadonlyArray<Word>): Words => [words[0] ?? staticWord(""), ...words.slice(1)]

/** Puts what became of the inner command's words back in their places. */
const replaceInner = (outer: Words, from: number, inner: Words, rewritten: Words): Words => {
  if (rewritten === inner) return outer
  if (rewritten.length !== inner.length) {
    return from + inner.length === outer.length ? asWords([...outer.slice(0, from), ...rewritten]) : outer
  }
  return asWords(
    outer.map((word, index) => {
      const place = index - from
      const replaced = rewritten[place]
      return replaced !== undefined && replaced !== inner[place] ? replaced : word
    })
  )
}

/**
 * Brings the shell text that a command runs (`sh -c`, `eval`, also behind `sudo` or `timeout`) to its canonical form. What
 * cannot be parsed stays, and so does what lies behind more wrappers than are followed: the check denies both.
 */
const rewriteScripts =
  (depth: number, wrappers = 0) =>
  (words: Words): Words => {
    if (wrappers > MAX_SCRIPT_DEPTH) return words
    const wrapped = unwrap(words)
    switch (wrapped._tag) {
      case "Plain":
      case "Unknown":
        return words
      case "Inner":
        return wrapped.commands.reduce(
          (outer, { from, words: inner }) =>
            replaceInner(outer, from, inner, rewriteScripts(depth, wrappers + 1)(inner)),
          words
        )
      case "Script": {
        const parsed = parseScript(wrapped.text, depth + 1)
        return Result.isFailure(parsed)
          ? words
          : asWords([...words.slice(0, wrapped.index), staticWord(parsed.success.canonical)])
      }
    }
  }

const parseScript = (text: string, depth: number): Result.Result<ParsedScript, Refusal> => {
  const invalid = checkCommandText(text)
  if (Option.isSome(invalid)) {
    const code = text.length > 0 && invalid.value.startsWith("command too long") ? "too-long" : "invalid-text"
    return Result.fail({ code, reason: invalid.value })
  }
  const trimmed = trimCommand(text)
  return depth > MAX_SCRIPT_DEPTH
    ? Result.fail({ code: "too-many-commands", reason: "Scripts run one another too deeply." })
    : parseShell(trimmed, rewriteScripts(depth))
}

/**
 * Reads the text of a script that is in its canonical form already, as the words of a parsed command have it. Fails for
 * what could not be brought to it.
 */
export const parseCanonicalScript = (text: string): Result.Result<ParsedScript, Refusal> => {
  const invalid = checkCommandText(text)
  return Option.isSome(invalid)
    ? Result.fail({ code: "invalid-text", reason: invalid.value })
    : parseShell(text, (words) => words)
}

/**
 * Parses what a caller wants to run: a POSIX shell text of pipelines, lists, groups, conditions, loops, here-documents,
 * variables and substitutions. Anything else, and anything that is not certain, is refused with a code and a reason.
 */
export const parseCommand = (requested: string): Result.Result<CheckedCommand, Refusal> =>
  Result.map(parseScript(requested, 0), ({ canonical, commands }) => {
    const text = trimCommand(requested)
    return { requested: text, hash: commandHash(text), canonical, commands }
  })
