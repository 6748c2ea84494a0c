import type { DynamicWord, Word } from "../shell/Word.ts"

/** An argument of a command, and whether the matching rule names it literally: such a word is never guarded. */
export interface Argument {
  readonly word: Word
  readonly literal: boolean
}

/** Says why an argument is refused and what to do instead, or nothing. */
export type Guard = (args: ReadonlyArray<Argument>) => string | undefined

/** What to do about a static word that is refused. */
export const NAME_IT = "A rule may name it literally, or set unsafe_args."

const MAX_SHOWN = 40

/** A text as a reason shows it: quoted, and not longer than 40 characters. */
export const shownText = (text: string): string =>
  JSON.stringify(text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text)

/** An argument as a reason shows it. */
export const shown = (argument: Argument): string => shownText(argument.word.text)

/** Whether a dynamic word stands for any other number of words than one. */
export const isMany = (word: Word): boolean => word._tag === "Dynamic" && word.count !== "one"

/** Whether one of the words that a word becomes may be exactly this text. */
export const mayBeText = (word: Word, text: string): boolean => {
  if (word._tag === "Static") return word.text === text
  if (text.startsWith("-") && !word.mayBeOption) return false
  if (word.count === "any") return true
  return (
    text.length >= word.prefix.length + word.suffix.length && text.startsWith(word.prefix) && text.endsWith(word.suffix)
  )
}

/** Whether any of the words that a word becomes may begin with this text. */
export const mayBeginWith = (word: Word, start: string): boolean => {
  if (word._tag === "Static") return word.text.startsWith(start)
  if (start.startsWith("-") && !word.mayBeOption) return false
  return word.count === "any" || word.prefix.startsWith(start) || start.startsWith(word.prefix)
}

/** A dynamic word without the first `length` characters of its prefix: the value that is attached to an option. */
export const afterPrefix = (word: DynamicWord, length: number): DynamicWord => ({
  _tag: "Dynamic",
  text: word.text,
  count: word.count,
  prefix: word.prefix.slice(length),
  suffix: word.suffix,
  mayBeOption: true,
  mayTraverse: word.mayTraverse
})

/** The reason for a dynamic word that may be an option where one may stand; `terminator` is what ends the options. */
export const mayBeOptionReason = (argument: Argument, terminator: string | undefined): string => {
  const many = isMany(argument.word)
  const problem = many ? "may become several words, also options." : "may be an option."
  if (terminator === undefined) return `${shown(argument)} ${problem} Write it out.`
  return many
    ? `${shown(argument)} ${problem} Quote it, and put ${terminator} before it.`
    : `${shown(argument)} ${problem} Put ${terminator} before it, or write a value as --option=value.`
}

/** The reason for a word whose number is not certain where the position of an argument matters. */
export const manyReason = (argument: Argument): string => `${shown(argument)} may become several words. Quote it.`

/** The first argument that no rule names literally and that `isRefused`. */
export const findFree = (args: ReadonlyArray<Argument>, isRefused: (word: Word) => boolean): Argument | undefined =>
  args.find((argument) => !argument.literal && isRefused(argument.word))
