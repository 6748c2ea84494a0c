import { baseName } from "../rules/DenyPattern.ts"
import { mayBeOption, renderWord, staticText, unknownWord, type Word, type Words } from "../shell/Word.ts"
import { isMany } from "./Argument.ts"
import { findCommands } from "./FindCommands.ts"
import { readWrapperOptions, type WrapperOptions } from "./WrapperOptions.ts"
import { OPAQUE, SHELLS, WRAPPERS, XARGS } from "./WrapperTable.ts"

/** A command that another command runs. */
export interface InnerCommand {
  readonly words: Words
  /** The index of the outer word that is the first of `words`; further ones follow it, appended ones lie behind the end. */
  readonly from: number
}

/** What a command runs besides itself. */
export type Wrapped =
  /** The command runs no other. */
  | { readonly _tag: "Plain" }
  /** It runs these commands, with these variables set (`env NAME=value`). */
  | {
      readonly _tag: "Inner"
      readonly commands: ReadonlyArray<InnerCommand>
      readonly assignments: ReadonlyArray<string>
    }
  /** The words from `index` on are the shell text `text`. */
  | { readonly _tag: "Script"; readonly index: number; readonly text: string }
  /** It runs another command, and which one is not certain. */
  | { readonly _tag: "Unknown" }

const PLAIN: Wrapped = { _tag: "Plain" }
const UNKNOWN: Wrapped = { _tag: "Unknown" }

const innerFrom = (words: ReadonlyArray<Word>, from: number): InnerCommand | undefined => {
  const [name, ...args] = words.slice(from)
  return name === undefined ? undefined : { words: [name, ...args], from }
}

const ASSIGNMENT = /^([A-Za-z_][A-Za-z0-9_]*)=/

/** The names that leading assignments set, and the index behind them; none when a word with `=` is no plain assignment. */
const readAssignments = (
  words: ReadonlyArray<Word>,
  start: number
): { readonly names: ReadonlyArray<string>; readonly index: number } | undefined => {
  const names: Array<string> = []
  for (let index = start; ; index++) {
    const word = words[index]
    const known = word?._tag === "Dynamic" ? word.prefix : (word?.text ?? "")
    if (word === undefined || !known.includes("=")) return { names, index }
    const name = ASSIGNMENT.exec(known)?.[1]
    if (name === undefined || isMany(word)) return undefined
    names.push(name)
  }
}

const isOwnOperand = (word: Word, pattern: RegExp | undefined): boolean => {
  if (isMany(word)) return false
  if (pattern === undefined) return word._tag === "Dynamic" || !word.text.startsWith("-")
  return pattern.test(staticText(word) ?? "")
}

const unwrapByOptions = (options: WrapperOptions, words: Words): Wrapped => {
  const read = readWrapperOptions(options, words)
  if (read === undefined) return UNKNOWN
  const count = options.operands ?? 0
  const operands = words.slice(read.index, read.index + count)
  if (!operands.every((word) => isOwnOperand(word, options.operand))) return UNKNOWN
  const start = read.index + count
  const assigned = options.assignments === true ? readAssignments(words, start) : { names: [], index: start }
  if (assigned === undefined) return UNKNOWN
  const inner = innerFrom(words, assigned.index)
  if (inner === undefined) return options.alone === true ? PLAIN : UNKNOWN
  const name = staticText(inner.words[0])
  return name === undefined || name.startsWith("-") || name.includes("=")
    ? UNKNOWN
    : { _tag: "Inner", commands: [inner], assignments: assigned.names }
}

/** Options of a shell that only make it stricter or trace; `-c` may be among them. */
const SHELL_OPTIONS = /^-[euxf]+$/
const SHELL_COMMAND = /^-[euxf]*c[euxf]*$/

const unwrapShell = (words: Words): Wrapped => {
  const at = words.findIndex((word, index) => index > 0 && !SHELL_OPTIONS.test(staticText(word) ?? ""))
  if (at < 0 || !SHELL_COMMAND.test(staticText(words[at]) ?? "")) return UNKNOWN
  const text = staticText(words[at + 1])
  return text === undefined || /^[-+]/.test(text) || words.length > at + 2
    ? UNKNOWN
    : { _tag: "Script", index: at + 1, text }
}

const unwrapEval = (words: Words): Wrapped => {
  const texts = words.slice(1).flatMap((word) => staticText(word) ?? [])
  return texts.length === 0 || texts.length < words.length - 1 || texts[0]?.startsWith("-") === true
    ? UNKNOWN
    : { _tag: "Script", index: 1, text: texts.join(" ") }
}

/** The arguments that xargs reads from its input and puts behind the command's own. */
const APPENDED = unknownWord('"$@"', "any")

/** A word in which xargs replaces `marker` by a line of its input. A variable's value may hold the marker too. */
const replaceMarker = (word: Word, marker: string, mayFail: boolean): Word => {
  if (word._tag === "Dynamic") return unknownWord(word.text, word.count)
  const at = word.text.indexOf(marker)
  if (at < 0) return word
  const unknown = unknownWord(renderWord(word), "one")
  if (mayFail) return unknown
  const prefix = word.text.slice(0, at)
  const suffix = word.text.slice(word.text.lastIndexOf(marker) + marker.length)
  return { ...unknown, prefix, suffix, mayBeOption: prefix === "" || prefix.startsWith("-") }
}

const unwrapXargs = (words: Words): Wrapped => {
  const read = readWrapperOptions(XARGS, words)
  if (read === undefined) return UNKNOWN
  const inner = innerFrom(words, read.index)
  // Without a command it runs echo.
  if (inner === undefined) return PLAIN
  const marks = read.options.filter((option) => /^(?:-I|-i|--replace)$/.test(option.name))
  const markers = marks.map((mark) => (mark.value === undefined ? "{}" : staticText(mark.value)))
  const [marker] = markers
  const name = staticText(inner.words[0])
  if (name === undefined || name.startsWith("-")) return UNKNOWN
  const [first, ...args] = inner.words
  if (markers.length === 0) {
    return { _tag: "Inner", commands: [{ words: [first, ...args, APPENDED], from: inner.from }], assignments: [] }
  }
  if (marker === undefined || marker === "" || markers.some((each) => each !== marker) || name.includes(marker))
    return UNKNOWN
  // Of these and -I the last one counts, in ways that differ between versions.
  const mayAppend = read.options.some((option) => /^(?:-n|-L|-l|--max-args|--max-lines)$/.test(option.name))
  const replaced = args.map((word) => replaceMarker(word, marker, mayAppend))
  return {
    _tag: "Inner",
    commands: [{ words: [first, ...replaced, ...(mayAppend ? [APPENDED] : [])], from: inner.from }],
    assignments: []
  }
}

const unwrapFind = (words: Words): Wrapped => {
  const commands = findCommands(words)
  if (commands === "uncertain") return UNKNOWN
  return commands.length === 0 ? PLAIN : { _tag: "Inner", commands, assignments: [] }
}

/** `command -v NAME` and `command -V NAME` only say what a name is. */
const describes = (words: Words): boolean => /^-p?[vV]+$/.test(staticText(words[1]) ?? "")

/** Finds the commands that a command runs. An option that is not known, also an abbreviated one, makes them uncertain. */
export const unwrap = (words: Words): Wrapped => {
  const [name] = words
  if (name._tag === "Dynamic" || mayBeOption(name)) return UNKNOWN
  const program = baseName(name.text)
  if (SHELLS.has(program)) return unwrapShell(words)
  if (program === "eval") return unwrapEval(words)
  if (program === "find") return unwrapFind(words)
  if (program === "xargs") return unwrapXargs(words)
  if (OPAQUE.has(program)) return UNKNOWN
  if (program === "command" && describes(words)) return PLAIN
  const options = WRAPPERS.get(program)
  return options === undefined ? PLAIN : unwrapByOptions(options, words)
}

/** Whether a program runs other programs as its arguments say: a rule for it with a wildcard needs rules for these too. */
export const isWrapper = (program: string): boolean =>
  SHELLS.has(program) ||
  WRAPPERS.has(program) ||
  OPAQUE.has(program) ||
  program === "eval" ||
  program === "find" ||
  program === "xargs"
