import { staticWord, type Word } from "../Word.ts"

/** What is known of a variable at every place where it certainly was set. */
export interface Knowledge {
  readonly numeric: boolean
  /** Whether an unquoted use may become other than one word. */
  readonly splits: boolean
  /** What every value begins with. */
  readonly prefix: string
  /** Also of a number that may be negative. */
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

/** A whole number, not negative. */
export const NUMBER: Knowledge = {
  numeric: true,
  splits: false,
  prefix: "",
  mayBeOption: false,
  mayTraverse: false,
  mayBeEmpty: false
}

/** The output of a command that counts: a whole number, or nothing when it fails. */
export const COUNT: Knowledge = { ...NUMBER, mayBeEmpty: true }

/** A value that the text gives to a variable. */
export interface Value {
  readonly word: Word
  /** What is known of it when it is a whole number, which arithmetic may use. */
  readonly number: Knowledge | undefined
  /** The variable whose unquoted value is split into such values (`for x in $list`). */
  readonly fieldsOf?: string
}

/** What is known of a word that is written as a whole number, or none. */
export const staticNumber = (word: Word): Knowledge | undefined =>
  word._tag === "Static" && /^-?\d{1,15}$/.test(word.text)
    ? { ...NUMBER, prefix: word.text, mayBeOption: word.text.startsWith("-") }
    : undefined

/** Characters at which an unquoted value splits, or that make it a pattern. */
const SPLITS = /[\s*?[\]\\]/

/** Whether a value may hold a `..` segment, become one with what stands beside it, or expand to one. */
const mayClimb = (text: string): boolean => text.includes("..") || /(?:^|\s)\.|\.(?:\s|$)|[*?[]/.test(text)

const knowledgeOf = ({ number, word }: Value): Knowledge => {
  if (number !== undefined) return number
  return word._tag === "Static"
    ? {
        numeric: false,
        splits: word.text === "" || SPLITS.test(word.text),
        prefix: word.text,
        mayBeOption: word.text.startsWith("-"),
        mayTraverse: mayClimb(word.text),
        mayBeEmpty: word.text === ""
      }
    : {
        numeric: false,
        splits: true,
        prefix: word.count === "any" ? "" : word.prefix,
        mayBeOption: word.mayBeOption,
        mayTraverse: word.mayTraverse || word.prefix.startsWith(".") || word.suffix.endsWith("."),
        mayBeEmpty: word.prefix === "" && word.suffix === ""
      }
}

const commonPrefix = (left: string, right: string): string => {
  let length = 0
  while (length < left.length && left[length] === right[length]) length++
  return left.slice(0, length)
}

const both = (left: Knowledge, right: Knowledge): Knowledge => {
  const numeric = left.numeric && right.numeric
  const mayBeEmpty = left.mayBeEmpty || right.mayBeEmpty
  return {
    numeric,
    // A number that may be empty is quoted where it is used; any other empty value vanishes.
    splits: left.splits || right.splits || (mayBeEmpty && !numeric),
    prefix: commonPrefix(left.prefix, right.prefix),
    mayBeOption: left.mayBeOption || right.mayBeOption,
    mayTraverse: left.mayTraverse || right.mayTraverse,
    mayBeEmpty
  }
}

const PATTERN = /[*?[\]\\]/

const staticFields = (value: Value): ReadonlyArray<Value> | undefined =>
  value.word._tag === "Static" && !PATTERN.test(value.word.text)
    ? value.word.text.split(/[ \t\n]+/).flatMap((field) => {
        const word = staticWord(field)
        return field === "" ? [] : [{ word, number: staticNumber(word) }]
      })
    : undefined

/** The fields of a list variable, when every value of it is static text; else the value itself, of which nothing is known. */
const fieldsOf = (value: Value, values: ReadonlyMap<string, ReadonlyArray<Value>>): ReadonlyArray<Value> => {
  const lists = value.fieldsOf === undefined ? undefined : values.get(value.fieldsOf)?.map(staticFields)
  return lists?.every((fields) => fields !== undefined) === true ? lists.flat() : [value]
}

/** What holds for each of the values that a text gives to a variable. */
const knowledgeOfValues = (values: ReadonlyArray<Value>): Knowledge =>
  values.length === 0 ? UNKNOWN : values.map(knowledgeOf).reduce(both)

/** What is known of each variable, by all the values that a text gives it anywhere. */
export const knowledgeOfAll = (values: ReadonlyMap<string, ReadonlyArray<Value>>): ReadonlyMap<string, Knowledge> =>
  new Map(
    [...values].map(([name, each]) => [name, knowledgeOfValues(each.flatMap((value) => fieldsOf(value, values)))])
  )
