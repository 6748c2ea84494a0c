import { Result } from "effect"

/** A line of ssh_config(5) that says something: a keyword and its arguments. */
export interface ConfigLine {
  /** In lower case: keywords are case-insensitive, arguments are not. */
  readonly keyword: string
  /** The keyword as it is written, for a person. */
  readonly written: string
  /** The arguments without quotes and escapes, up to a comment. At least one. */
  readonly words: readonly [string, ...ReadonlyArray<string>]
  /** The text after the keyword as it is written: what the keywords that take a command take. */
  readonly rest: string
}

/** A quoted or escaped character of a word: what it stands for, and where the next one is. */
const escaped = (text: string, at: number, quote: string): string | undefined => {
  if (text[at] !== "\\") return undefined
  const next = text[at + 1]
  return next === "'" || next === '"' || next === "\\" || (quote === "" && next === " ") ? next : undefined
}

/**
 * Splits arguments as OpenSSH's `argv_split` (misc.c) does: blanks and tabs separate, both quotes group, a backslash
 * escapes a quote, itself and a blank outside of quotes, `#` at the start of a word begins a comment. Fails on an open
 * quote.
 */
export const splitWords = (text: string): Result.Result<ReadonlyArray<string>, string> => {
  const words: Array<string> = []
  let word: string | undefined
  let quote = ""
  for (let at = 0; at < text.length; at++) {
    const char = text[at] ?? ""
    if (quote === "" && (char === " " || char === "\t")) {
      if (word !== undefined) words.push(word)
      word = undefined
      continue
    }
    if (word === undefined && char === "#") break
    word ??= ""
    const literal = escaped(text, at, quote)
    if (literal !== undefined) {
      word += literal
      at++
    } else if (quote === "" && (char === "'" || char === '"')) quote = char
    else if (char === quote) quote = ""
    else word += char
  }
  if (quote !== "") return Result.fail("a quote is not closed")
  if (word !== undefined) words.push(word)
  return Result.succeed(words)
}

/**
 * Reads one line: nothing for an empty line or a comment, the reason for one that OpenSSH refuses. One `=` may stand
 * between the keyword and its arguments.
 */
export const parseLine = (text: string): Result.Result<ConfigLine | undefined, string> => {
  const found = /^[ \t\r]*([^ \t\r"=]+)[ \t\r]*=?[ \t\r]*(.*?)[ \t\r\f]*$/su.exec(text)
  const [, keyword = "", rest = ""] = found ?? []
  if (found === null) return text.trim() === "" ? Result.succeed(undefined) : Result.fail("the line has no keyword")
  if (keyword.startsWith("#") || keyword.trim() === "") return Result.succeed(undefined)
  if (rest === "") return Result.fail(`${keyword} has no argument`)
  return Result.flatMap(splitWords(rest), ([first, ...others]) =>
    first === undefined
      ? Result.fail(`${keyword} has no argument`)
      : Result.succeed({ keyword: keyword.toLowerCase(), written: keyword, words: [first, ...others], rest })
  )
}
