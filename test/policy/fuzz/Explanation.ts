import { Result } from "effect"
import { parseCommand } from "../../../src/policy/shell/ShellCommand.ts"
import type { SimpleCommand } from "../../../src/policy/shell/SimpleCommand.ts"
import { staticText, type DynamicWord, type Word, type Words, unknownWord } from "../../../src/policy/shell/Word.ts"
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

/** A command of an analysis: what it runs, and the files that it is redirected to or from. */
export type Analysed = Pick<SimpleCommand, "words" | "redirections">

const SHELLS: ReadonlySet<string> = new Set(["sh", "bash", "dash"])

/** Wrappers of which any end of the words may be the command that they run. */
const WRAPPERS: ReadonlySet<string> = new Set(
  "builtin command env exec nice nohup setsid stdbuf sudo timeout xargs".split(" ")
)

const UNKNOWN = unknownWord('"$@"', "any")

const commandOf = (words: ReadonlyArray<Word>): ReadonlyArray<Analysed> => {
  const [name, ...rest] = words
  return name === undefined ? [] : [{ words: [name, ...rest], redirections: [] }]
}

/** The text that words hand to a shell when it is static: `eval` joins its words, a shell takes the one behind `-c`. */
const scriptOf = (words: Words): string | undefined => {
  const texts = words.map((word) => staticText(word))
  const [name = ""] = texts
  if (name === "eval") return texts.includes(undefined) ? undefined : texts.slice(texts[1] === "--" ? 2 : 1).join(" ")
  const at = SHELLS.has(name) ? texts.findIndex((text) => /^-[a-z]*c[a-z]*$/.test(text ?? "")) : -1
  return at < 0 ? undefined : texts[at + 1]
}

/** The commands that a wrapper may run, by what these wrappers do: told without asking the policy which one it is. */
const wrappedBy = (words: Words): ReadonlyArray<Analysed> => {
  const name = staticText(words[0]) ?? ""
  if (WRAPPERS.has(name)) {
    const marked = words.map((word): Word => (staticText(word)?.includes("{}") === true ? UNKNOWN : word))
    const ends = words.slice(1).flatMap((_, index) => commandOf((name === "xargs" ? marked : words).slice(index + 1)))
    return name === "xargs"
      ? [
          ...ends,
          ...ends.map(({ words: [first, ...rest] }): Analysed => ({
            words: [first, ...rest, UNKNOWN],
            redirections: []
          }))
        ]
      : ends
  }
  if (name !== "find") return []
  const texts = words.map((word) => staticText(word))
  return texts.flatMap((text, index) => {
    if (text !== "-exec") return []
    const end = texts.findIndex((each, at) => at > index && (each === ";" || each === "+"))
    return commandOf(words.slice(index + 1, end))
  })
}

/** What `command`, `exec` and `builtin` without options run. */
const namedBy = (words: Words): ReadonlyArray<Analysed> =>
  ["command", "exec", "builtin"].includes(staticText(words[0]) ?? "") ? commandOf(words.slice(1)) : []

const followed =
  (wrapped: (words: Words) => ReadonlyArray<Analysed>) =>
  (commands: ReadonlyArray<Analysed>): ReadonlyArray<Analysed> =>
    commands.flatMap((command): ReadonlyArray<Analysed> => {
      const text = scriptOf(command.words)
      const parsed = text === undefined || text.trim() === "" ? undefined : parseCommand(text)
      const inside = parsed === undefined || Result.isFailure(parsed) ? [] : parsed.success.commands
      return [command, ...followed(wrapped)([...wrapped(command.words), ...inside])]
    })

/** The commands of an analysis and those of the texts that shells among them are given. */
export const allCommands = followed(namedBy)

/** The same, and every command that a wrapper may run: some of these are only the end of its own options. */
export const possibleCommands = followed(wrappedBy)
