import type { Word } from "../shell/Word.ts"
import { isMany } from "./Argument.ts"

/** The options of a wrapper that are known not to matter; any other option makes the inner command uncertain. */
export interface WrapperOptions {
  /** Short options without a value. */
  readonly flags?: string
  /** Short options with a value, attached or as the next word. */
  readonly values?: string
  /** Short options whose value is attached or missing. */
  readonly optional?: string
  readonly longFlags?: ReadonlyArray<string>
  readonly longValues?: ReadonlyArray<string>
  /** Long options whose value is behind `=` or missing. */
  readonly longOptional?: ReadonlyArray<string>
  /** Words of the wrapper's own before the inner command. */
  readonly operands?: number
  /** What such a word must be. */
  readonly operand?: RegExp
  /** Whether assignments may stand before the inner command. */
  readonly assignments?: boolean
  /** Whether the wrapper alone, without an inner command, is harmless. */
  readonly alone?: boolean
  /** Whether `-10` is an option (nice). */
  readonly numeric?: boolean
}

/** An option of a wrapper as given: its name, and its value if it has one. */
export interface WrapperOption {
  readonly name: string
  readonly value: Word | undefined
}

/** The options of a wrapper, and the index of the first word behind them. */
export interface WrapperArguments {
  readonly options: ReadonlyArray<WrapperOption>
  readonly index: number
}

/** What one option word says: its options, and whether the last takes the next word. */
interface Read {
  readonly names: ReadonlyArray<string>
  readonly takesNext: boolean
  /** Where the attached value begins, if there is one. */
  readonly valueAt: number | undefined
}

const readLong = (options: WrapperOptions, text: string, whole: boolean): Read | undefined => {
  const equals = text.indexOf("=")
  const name = equals < 0 ? text : text.slice(0, equals)
  const flag = options.longFlags?.includes(name) === true
  const optional = options.longOptional?.includes(name) === true
  if (equals >= 0) {
    const takes = optional || options.longValues?.includes(name) === true
    return takes ? { names: [name], takesNext: false, valueAt: equals + 1 } : undefined
  }
  if (!whole) return undefined
  if (flag || optional) return { names: [name], takesNext: false, valueAt: undefined }
  return options.longValues?.includes(name) === true
    ? { names: [name], takesNext: true, valueAt: undefined }
    : undefined
}

const readShort = (options: WrapperOptions, text: string, whole: boolean): Read | undefined => {
  if (whole && options.numeric === true && /^-\d+$/.test(text))
    return { names: [], takesNext: false, valueAt: undefined }
  const names: Array<string> = []
  for (let at = 1; at < text.length; at++) {
    const letter = text[at] ?? ""
    names.push(`-${letter}`)
    if (options.flags?.includes(letter) === true) continue
    const optional = options.optional?.includes(letter) === true
    if (!optional && options.values?.includes(letter) !== true) return undefined
    const valueAt = at + 1 < text.length ? at + 1 : undefined
    // What a dynamic word adds may be empty, and the value then be the next word.
    if (valueAt === undefined && !whole) return undefined
    return { names, takesNext: valueAt === undefined && !optional, valueAt }
  }
  return whole && names.length > 0 ? { names, takesNext: false, valueAt: undefined } : undefined
}

const readOption = (options: WrapperOptions, word: Word): Read | undefined => {
  const whole = word._tag === "Static"
  const text = whole ? word.text : word.prefix
  if (isMany(word)) return undefined
  return text.startsWith("--") ? readLong(options, text, whole) : readShort(options, text, whole)
}

const beginsAsOption = (word: Word): boolean => (word._tag === "Static" ? word.text.startsWith("-") : word.mayBeOption)

/** Reads the options before a wrapper's operands, or none when one is not known or not certain. */
export const readWrapperOptions = (
  options: WrapperOptions,
  words: ReadonlyArray<Word>
): WrapperArguments | undefined => {
  const given: Array<WrapperOption> = []
  let index = 1
  for (let word = words[index]; word !== undefined && beginsAsOption(word); word = words[index]) {
    index++
    if (word._tag === "Static" && word.text === "--") break
    const read = readOption(options, word)
    if (read === undefined) return undefined
    const next = read.takesNext ? words[index++] : undefined
    if (read.takesNext && (next === undefined || isMany(next))) return undefined
    const attached: Word | undefined =
      read.valueAt === undefined
        ? undefined
        : word._tag === "Static"
          ? { _tag: "Static", text: word.text.slice(read.valueAt) }
          : { ...word, prefix: word.prefix.slice(read.valueAt), mayBeOption: true }
    given.push(
      ...read.names.map((name, at) => ({ name, value: at === read.names.length - 1 ? (next ?? attached) : undefined }))
    )
  }
  return { options: given, index }
}
