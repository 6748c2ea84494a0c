import { Result } from "effect"
import { parseCommand } from "../../../src/policy/shell/ShellCommand.ts"
import { staticText, type DynamicWord, type Word, type Words } from "../../../src/policy/shell/Word.ts"
import { HOME } from "./ShellRunner.ts"

const traverses = (text: string): boolean => text.split("/").includes("..")

/** A negative number is no option. */
const isOption = (text: string): boolean => text.startsWith("-") && !/^-\d*$/.test(text)

/** What holds of every word that a dynamic word becomes. */
const fitsAny = (word: DynamicWord, text: string): boolean =>
  (word.mayBeOption || !isOption(text)) && (word.mayTraverse || !traverses(text))

const fitsWhole = (word: DynamicWord, text: string): boolean =>
  fitsAny(word, text) &&
  text.startsWith(word.prefix) &&
  text.endsWith(word.suffix) &&
  (word.home === undefined || text === HOME + word.home.slice(1))

/** How many of the arguments from `at` on a dynamic word may have become, by what is known of it. */
const extents = (word: DynamicWord, argv: ReadonlyArray<string>, at: number): ReadonlyArray<number> => {
  const rest = argv.slice(at)
  const [first] = rest
  if (word.count === "one") return first !== undefined && fitsWhole(word, first) ? [1] : []
  if (word.count === "each") {
    const stop = rest.findIndex((text) => !fitsWhole(word, text))
    return Array.from({ length: stop === -1 ? rest.length : stop }, (_, index) => index + 1)
  }
  const stop = rest.findIndex((text) => !fitsAny(word, text))
  const most = stop === -1 ? rest.length : stop
  return Array.from({ length: most + 1 }, (_, index) => index).filter(
    (count) =>
      count === 0 || (rest[0]?.startsWith(word.prefix) === true && rest[count - 1]?.endsWith(word.suffix) === true)
  )
}

const fits = (words: ReadonlyArray<Word>, argv: ReadonlyArray<string>, from: number, at: number): boolean => {
  const word = words[from]
  if (word === undefined) return at === argv.length
  if (word._tag === "Static") return argv[at] === word.text && fits(words, argv, from + 1, at + 1)
  return extents(word, argv, at).some((count) => fits(words, argv, from + 1, at + count))
}

/** Whether a shell may have made these arguments of these words, as far as the analysis says what each word becomes. */
export const explains = (words: Words, argv: readonly [string, ...ReadonlyArray<string>]): boolean =>
  fits(words, argv, 0, 0)

/** The texts that a command hands to a shell when all its words are static: `eval` joins its own, `sh -c` has one. */
const innerText = (words: Words): string | undefined => {
  const texts = words.map((word) => staticText(word))
  if (texts.includes(undefined)) return undefined
  if (texts[0] === "eval") return texts.slice(texts[1] === "--" ? 2 : 1).join(" ")
  return undefined
}

/** The commands of an analysis and those of the scripts inside them. */
export const allCommands = (commands: ReadonlyArray<{ readonly words: Words }>): ReadonlyArray<Words> =>
  commands.flatMap(({ words }): ReadonlyArray<Words> => {
    if (["command", "exec", "builtin"].includes(staticText(words[0]) ?? "")) {
      const [, name, ...rest] = words
      return name === undefined ? [words] : [words, ...allCommands([{ words: [name, ...rest] }])]
    }
    const text = innerText(words)
    if (text === undefined || text.trim() === "") return [words]
    const parsed = parseCommand(text)
    return Result.isFailure(parsed) ? [words] : [words, ...allCommands(parsed.success.commands)]
  })
