import { Result } from "effect"
import { quoteName } from "../shell/Quote.ts"
import { wordsText } from "../shell/SimpleCommand.ts"
import { staticText, staticWord, type Word, type Words } from "../shell/Word.ts"
import type { Coverage } from "./AllowPattern.ts"
import { baseName } from "./DenySubject.ts"
import type { RegexEngine } from "./RegexEngine.ts"
import { regexHead, type RegexHead } from "./RegexHead.ts"
import { beginsAlike, hasTraversal } from "./WordGlob.ts"

/** One entry of `commands_regex`, ready to match. */
export interface RegexPattern {
  readonly source: string
  readonly head: RegexHead
  /** Tests a whole text; none without an engine, or when the source is not acceptable to it. */
  readonly test: ((text: string) => boolean) | undefined
}

/** Compiles an entry. Total: what does not compile never allows and always denies. */
export const compileRegexPattern = (source: string, engine: RegexEngine | undefined): RegexPattern => ({
  source,
  head: regexHead(source),
  test: engine === undefined ? undefined : Result.getOrUndefined(engine.compile(source))
})

/** The program that every match begins with, when the head tells and it is written alike with and without quotes. */
export const regexProgram = ({ head, test }: RegexPattern): string | undefined => {
  const end = head.text.indexOf(" ")
  if (test === undefined || (end < 0 && !head.isWhole)) return undefined
  const program = end < 0 ? head.text : head.text.slice(0, end)
  return program !== "" && quoteName(program) === program ? program : undefined
}

const namesLiterally = (head: RegexHead, name: string): boolean =>
  head.text.startsWith(`${name} `) || (head.isWhole && head.text === name)

/**
 * Matches the canonical text of static words, none with a `..` segment. A program by path is matched only when the
 * expression begins with its name. The arguments count as left to a wildcard.
 */
export const matchRegexPattern = ({ head, test }: RegexPattern, words: Words): Coverage | undefined => {
  const name = staticText(words[0])
  if (test === undefined || name === undefined) return undefined
  if (words.some((word) => word._tag === "Dynamic" || hasTraversal(word.text))) return undefined
  const isNamed = namesLiterally(head, quoteName(name))
  if (name.includes("/") && !isNamed) return undefined
  const text = wordsText(words)
  return text.startsWith(head.text) && test(text) ? words.map((_, index) => isNamed && index === 0) : undefined
}

/** The texts by which a command is denied: canonical and without quotes, each also with the base name of the program. */
const textsOf = (words: readonly [Word, ...ReadonlyArray<Word>]): ReadonlyArray<string> => {
  const [name, ...args] = words
  const names = [name, staticWord(baseName(name.text))]
  const texts = names.flatMap((each) => [
    wordsText([each, ...args]),
    [each.text, ...args.map((word) => word.text)].join(" ")
  ])
  return [...new Set(texts)]
}

/** Whether a text of a command may match; of dynamic words on, whether what comes before them may begin a match. */
export const mayMatchRegexPattern = ({ head, test }: RegexPattern, words: Words): boolean => {
  const [name, ...args] = words
  if (test === undefined || name._tag === "Dynamic") return true
  const end = args.findIndex((word) => word._tag === "Dynamic")
  return end < 0
    ? textsOf(words).some((text) => text.startsWith(head.text) && test(text))
    : textsOf([name, ...args.slice(0, end)]).some((text) => beginsAlike(`${text} `, head.text))
}
