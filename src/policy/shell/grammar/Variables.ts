import type { Word } from "../Word.ts"

/** A value that the text gives to a variable. */
export interface Value {
  readonly word: Word
  /** Whether it is a whole number, so that arithmetic may use it. */
  readonly numeric: boolean
}

/** What is known of a variable at every place where it certainly was set. */
export interface Knowledge {
  readonly numeric: boolean
  /** Whether an unquoted use may become other than one word. */
  readonly splits: boolean
  /** What every value begins with. */
  readonly prefix: string
  readonly mayBeOption: boolean
  readonly mayTraverse: boolean
  readonly mayBeEmpty: boolean
}

/** Of a variable that a text does not set, or not before its use: the host may have set it to anything. */
export const UNKNOWN: Knowledge = {
  numeric: false,
  splits: true,
  prefix: "",
  mayBeOption: true,
  mayTraverse: true,
  mayBeEmpty: true
}

/** Characters at which an unquoted value splits, or that make it a pattern. */
const SPLITS = /[\s*?[\]\\]/

const WHOLE_NUMBER = /^-?\d{1,15}$/

/** Whether a value is written as a whole number. */
export const isWholeNumber = (text: string): boolean => WHOLE_NUMBER.test(text)

const hasTraversal = (text: string): boolean => /(?:^|\/)\.\.(?:\/|$)/.test(text)

const knowledgeOf = ({ numeric, word }: Value): Knowledge =>
  word._tag === "Static"
    ? {
        numeric: isWholeNumber(word.text),
        splits: word.text === "" || SPLITS.test(word.text),
        prefix: word.text,
        mayBeOption: word.text.startsWith("-") && !isWholeNumber(word.text),
        mayTraverse: hasTraversal(word.text),
        mayBeEmpty: word.text === ""
      }
    : {
        numeric,
        splits: !numeric,
        prefix: word.count === "any" ? "" : word.prefix,
        mayBeOption: !numeric && word.mayBeOption,
        mayTraverse: !numeric && word.mayTraverse,
        mayBeEmpty: !numeric && word.prefix === "" && word.suffix === ""
      }

const commonPrefix = (left: string, right: string): string => {
  let length = 0
  while (length < left.length && left[length] === right[length]) length++
  return left.slice(0, length)
}

/** What holds for each of the values that a text gives to a variable. */
export const knowledgeOfAll = (values: ReadonlyArray<Value>): Knowledge =>
  values.length === 0
    ? UNKNOWN
    : values.map(knowledgeOf).reduce((left, right) => ({
        numeric: left.numeric && right.numeric,
        splits: left.splits || right.splits,
        prefix: commonPrefix(left.prefix, right.prefix),
        mayBeOption: left.mayBeOption || right.mayBeOption,
        mayTraverse: left.mayTraverse || right.mayTraverse,
        mayBeEmpty: left.mayBeEmpty || right.mayBeEmpty
      }))
