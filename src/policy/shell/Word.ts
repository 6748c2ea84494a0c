import { quoteWord } from "./Quote.ts"

/** A word that the remote shell reads as exactly this text. */
export interface StaticWord {
  readonly _tag: "Static"
  /** The decoded text, after quote removal. */
  readonly text: string
}

/** A word that the remote shell expands: a variable, a substitution, a glob or `~`. What is known of it is said here. */
export interface DynamicWord {
  readonly _tag: "Dynamic"
  /** Its canonical shell text, quotes included. */
  readonly text: string
  /**
   * How many words it becomes. `one`: exactly one. `each`: one or more, all of which have the prefix and the suffix
   * (pathname expansion). `any`: any number, also none; only the first has the prefix, only the last the suffix.
   */
  readonly count: "one" | "each" | "any"
  /** What it begins with in any case. */
  readonly prefix: string
  /** What it ends with in any case. */
  readonly suffix: string
  /** Whether a word of it may be an option: begin with `-` and be more than a negative number. */
  readonly mayBeOption: boolean
  /** Whether a word of it may hold a `..` path segment. */
  readonly mayTraverse: boolean
  /** The text as written, when it is `~` or `~/` and static text. */
  readonly home?: string
}

/** A word of a command, as far as its text tells what the command will get. */
export type Word = StaticWord | DynamicWord

/** The words of a command; the first names the program. */
export type Words = readonly [Word, ...ReadonlyArray<Word>]

/** A word that is read as exactly this text. */
export const staticWord = (text: string): StaticWord => ({ _tag: "Static", text })

/** A word of which nothing but the number is known. */
export const unknownWord = (text: string, count: DynamicWord["count"]): DynamicWord => ({
  _tag: "Dynamic",
  text,
  count,
  prefix: "",
  suffix: "",
  mayBeOption: true,
  mayTraverse: true
})

/** Whether a word is static and exactly this text. */
export const isText = (word: Word | undefined, text: string): boolean => word?._tag === "Static" && word.text === text

/** The decoded text of a static word, or none. */
export const staticText = (word: Word | undefined): string | undefined =>
  word?._tag === "Static" ? word.text : undefined

/** Whether a word may be taken for an option: it begins with `-`, or may do so. A lone `-` is an operand. */
export const mayBeOption = (word: Word): boolean =>
  word._tag === "Static" ? word.text.startsWith("-") && word.text !== "-" : word.mayBeOption

/** A word as canonical shell text. */
export const renderWord = (word: Word): string => (word._tag === "Static" ? quoteWord(word.text) : word.text)

/** A word as a plan shows it among the arguments: decoded when it is static, else its canonical text. */
export const showWord = (word: Word): string => word.text
