import { compileGlob, type Glob } from "../Glob.ts"
import { isText, staticText, type Word, type Words } from "../shell/Word.ts"
import type { Coverage } from "./AllowPattern.ts"
import { atHome, baseName, resolveWord } from "./DenySubject.ts"
import type { Rule } from "./Rule.ts"
import { hasTraversal, mayMatchGlob, mustMatchGlob } from "./WordGlob.ts"

/** A program of `simple_binaries`. */
export interface SimpleProgram {
  readonly program: string
  /** Arguments that it may have; none is any number. */
  readonly maximum: number | undefined
}

/** A `binary` with the arguments that are named: those of `arg_prefix` exactly, those of `path_args` by pattern. */
export interface NamedProgram {
  /** How a plan shows it. */
  readonly source: string
  readonly program: string
  readonly prefix: ReadonlyArray<string>
  /** Places in the command, of which 0 is the program. */
  readonly indices: ReadonlyArray<number>
  readonly patterns: ReadonlyArray<Glob>
  /** The arguments that are named, when no others may be there. */
  readonly exactly: number | undefined
  /** The last place that is named. */
  readonly last: number
}

/** Compiles the `binary` of a rule; none when it names no argument, since it then never matches. */
export const compileNamedProgram = (rule: Rule): NamedProgram | undefined => {
  const prefix = rule.arg_prefix ?? []
  const indices = rule.path_args?.indices ?? []
  const patterns = rule.path_args?.patterns ?? []
  if (rule.binary === undefined || (prefix.length === 0 && indices.length === 0)) return undefined
  const named = new Set([...prefix.map((_, index) => index + 1), ...indices])
  named.delete(0)
  const extra = rule.allow_extra_args ?? true
  const shown = [rule.binary, ...prefix, ...(indices.length > 0 ? patterns.slice(0, 1) : []), ...(extra ? ["*"] : [])]
  return {
    source: shown.join(" "),
    program: rule.binary,
    prefix,
    indices,
    patterns: patterns.map(compileGlob),
    exactly: extra ? undefined : named.size,
    last: Math.max(0, ...named)
  }
}

/** Matches a command of one program, of whose arguments at most the number is limited. */
export const matchSimpleProgram = ({ maximum, program }: SimpleProgram, words: Words): Coverage | undefined => {
  if (!isText(words[0], program)) return undefined
  if (maximum !== undefined) {
    if (words.length - 1 > maximum) return undefined
    if (words.some((word) => word._tag === "Dynamic" && word.count !== "one")) return undefined
  }
  return words.map((_, index) => index === 0)
}

/** Whether a word certainly matches any of the patterns; a wildcard never covers a `..` segment. Tells if a literal did. */
const matchPathArg = (
  patterns: ReadonlyArray<Glob>,
  word: Word,
  isLastWord: boolean
): "literal" | "glob" | undefined => {
  if (word._tag === "Dynamic") {
    const isPlaced = word.count === "one" || (word.count === "each" && isLastWord)
    return isPlaced && patterns.some((glob) => mustMatchGlob(glob, word)) ? "glob" : undefined
  }
  if (patterns.some((glob) => glob.pattern === word.text)) return "literal"
  return !hasTraversal(word.text) && patterns.some((glob) => glob.literal === undefined && glob.matches(word.text))
    ? "glob"
    : undefined
}

/** Matches a command whose named arguments certainly are in their places. */
export const matchNamedProgram = (rule: NamedProgram, words: Words): Coverage | undefined => {
  if (!isText(words[0], rule.program) || words.length <= rule.last) return undefined
  if (rule.exactly !== undefined) {
    if (words.length - 1 !== rule.exactly) return undefined
    if (words.slice(rule.last + 1).some((word) => word._tag === "Dynamic" && word.count !== "one")) return undefined
  }
  const covered = words.map((_, index) => index <= rule.prefix.length)
  for (const [index, word] of words.entries()) {
    if (index > rule.last) break
    const expected = index === 0 ? undefined : rule.prefix[index - 1]
    if (expected !== undefined && !isText(word, expected)) return undefined
    if (rule.indices.includes(index)) {
      const match = matchPathArg(rule.patterns, word, index === words.length - 1)
      if (match === undefined) return undefined
      covered[index] ||= match === "literal"
    } else if (word._tag === "Dynamic") return undefined
  }
  return covered
}

const isOption = (word: Word): boolean => word._tag === "Static" && word.text.startsWith("-")

const isCertainOperand = (word: Word): boolean =>
  word._tag === "Static" ? !word.text.startsWith("-") : word.count !== "any" && !word.mayBeOption

const isProgram = (program: string, name: Word): boolean => {
  const text = staticText(name)
  return text === undefined || baseName(text) === program
}

/** Whether a command may be one of the program, its options counted or not. */
export const mayMatchSimpleProgram = ({ maximum, program }: SimpleProgram, [name, ...args]: Words): boolean =>
  isProgram(program, name) && (maximum === undefined || args.filter(isCertainOperand).length <= maximum)

const mayBePathArg = (patterns: ReadonlyArray<Glob>, word: Word): boolean => {
  const spellings = [word, resolveWord(word), atHome(word), resolveWord(atHome(word))]
  return patterns.some(
    (glob) => isText(word, glob.pattern) || spellings.some((spelling) => mayMatchGlob(glob, spelling))
  )
}

/** Arguments in their places, as far as these are certain. */
interface Places {
  readonly args: ReadonlyArray<Word>
  /** Whether any number of any words may follow. */
  readonly open: boolean
  /** Words that follow at least. */
  readonly atLeast: number
}

const placesOf = (args: ReadonlyArray<Word>): Places => {
  const first = args.findIndex((word) => word._tag === "Dynamic" && word.count !== "one")
  if (first < 0) return { args, open: false, atLeast: 0 }
  const word = args[first]
  // Of several paths, the first is in its place.
  const end = word?._tag === "Dynamic" && word.count === "each" ? first + 1 : first
  return { args: args.slice(0, end), open: true, atLeast: args.slice(end).filter(isCertainOperand).length }
}

/** The same without the options, and so only up to a word that may be one. */
const operandPlacesOf = (args: ReadonlyArray<Word>): Places => {
  const operands = args.filter((word) => !isOption(word))
  const end = operands.findIndex((word) => word._tag === "Dynamic" && word.mayBeOption)
  if (end < 0) return placesOf(operands)
  const { args: placed, atLeast } = placesOf(operands.slice(0, end))
  return { args: placed, open: true, atLeast: atLeast + operands.slice(end).filter(isCertainOperand).length }
}

const mayMatchPlaces = (rule: NamedProgram, { args, atLeast, open }: Places): boolean => {
  if (rule.exactly !== undefined) {
    if (open ? args.length + atLeast > rule.exactly : args.length !== rule.exactly) return false
  }
  const mayBe = (index: number, test: (word: Word) => boolean): boolean => {
    const word = args[index - 1]
    return word === undefined ? open : test(word)
  }
  const mayBeText = (word: Word, text: string): boolean =>
    word._tag === "Static" ? word.text === text : text.startsWith(word.prefix) && text.endsWith(word.suffix)
  return (
    rule.prefix.every((text, index) => mayBe(index + 1, (word) => mayBeText(word, text))) &&
    rule.indices.every((index) =>
      index === 0
        ? rule.patterns.some((glob) => glob.matches(rule.program))
        : mayBe(index, (word) => mayBePathArg(rule.patterns, word))
    )
  )
}

/** Whether a command may have the named arguments in their places, its options counted or not. */
export const mayMatchNamedProgram = (rule: NamedProgram, [name, ...args]: Words): boolean => {
  if (!isProgram(rule.program, name)) return false
  return mayMatchPlaces(rule, placesOf(args)) || mayMatchPlaces(rule, operandPlacesOf(args))
}
