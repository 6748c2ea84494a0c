import { mayBeOption, staticWord, type Word } from "../shell/Word.ts"
import { afterPrefix, type Argument, type Guard, isMany, mayBeOptionReason, NAME_IT, shown } from "./Argument.ts"

/**
 * The options of a program, as far as a guard needs them (getopt_long(3)): which are dangerous, and which take a value,
 * since that decides where a cluster ends, which word is no option, and whether `--` ends the options or is a value.
 */
export interface OptionGuard {
  /** Short options that are refused, also inside a cluster. */
  readonly refused?: string
  /** Short options with a value, attached or as the next word. All of the program's must be listed. */
  readonly values?: string
  /** Short options whose value is attached or missing; the next word is never certain to be the value. */
  readonly optional?: string
  /** Short options with a value in some sub-commands and without one in others. */
  readonly maybeValues?: string
  /** Long options that are refused, with their dashes; matched also by prefix, as GNU programs take them. */
  readonly refusedLong?: ReadonlyArray<string>
  /** Long options whose value is behind `=` or the next word. */
  readonly longValues?: ReadonlyArray<string>
  /** Long options that never take the next word. Behind any other one, `--` may be its value. */
  readonly longFlags?: ReadonlyArray<string>
  /** When given, the short flags that are known: every other option that no list has is refused. */
  readonly onlyFlags?: string
  /** Refused options that are harmless with a certain value. */
  readonly harmless?: Readonly<Record<string, (value: Word) => boolean>>
  /** Options end behind this many operands (those of the program itself, before its sub-command). */
  readonly endsAt?: number
  /** Words that end the options; `--` unless given. */
  readonly terminators?: ReadonlyArray<string>
  /** Whether a dynamic word is accepted: the refused options only read more than a rule may mean, or are unlikely there. */
  readonly acceptsUnknown?: boolean
}

/** An option as given: its name as the guard's lists write it, or as written when it may be abbreviated. */
export interface GivenOption {
  readonly name: string
  /** The value, when it takes one and it is known which word that is. */
  readonly value: Word | undefined
  readonly argument: Argument
}

/** What a command's arguments are, as far as that is certain. */
export interface ScannedArguments {
  readonly options: ReadonlyArray<GivenOption>
  /** The words that are neither options nor their values. */
  readonly operands: ReadonlyArray<Argument>
  /** The first dynamic word that may be an option where one may stand. */
  readonly unclear: Argument | undefined
  /** The words from the operand on that ends the options, for a guard with `endsAt`. */
  readonly rest: ReadonlyArray<Argument>
}

/** What an option word says: the options in it, and what it does with the next word. */
interface OptionWord {
  readonly options: ReadonlyArray<GivenOption>
  readonly next: "value" | "maybe-value" | "none"
  readonly unclear: boolean
}

const TERMINATORS: ReadonlyArray<string> = ["--"]

const terminatorsOf = (guard: OptionGuard): ReadonlyArray<string> => guard.terminators ?? TERMINATORS

const readLong = (guard: OptionGuard, argument: Argument, known: string): OptionWord => {
  const { word } = argument
  const equals = known.indexOf("=")
  const name = equals < 0 ? known : known.slice(0, equals)
  if (equals >= 0) {
    const value = word._tag === "Static" ? staticWord(known.slice(equals + 1)) : afterPrefix(word, equals + 1)
    return {
      options: [{ name, value, argument }],
      next: "none",
      unclear: word._tag === "Dynamic" && word.count === "any"
    }
  }
  const options = [{ name, value: undefined, argument }]
  if (word._tag === "Dynamic") return { options: [], next: "maybe-value", unclear: true }
  if (guard.longValues?.includes(name) === true) return { options, next: "value", unclear: false }
  return { options, next: guard.longFlags?.includes(name) === true ? "none" : "maybe-value", unclear: false }
}

const readCluster = (guard: OptionGuard, argument: Argument, known: string): OptionWord => {
  const { word } = argument
  const many = word._tag === "Dynamic" && word.count === "any"
  const options: Array<GivenOption> = []
  for (let at = 1; at < known.length; at++) {
    const letter = known[at] ?? ""
    const name = `-${letter}`
    const takes = guard.values?.includes(letter) === true
    const may = guard.optional?.includes(letter) === true
    if (!takes && !may) {
      options.push({ name, value: undefined, argument })
      continue
    }
    if (word._tag === "Dynamic") {
      // What follows may be empty, and the value then be the next word.
      const attached = at + 1 < known.length || word.suffix !== ""
      options.push({ name, value: attached ? afterPrefix(word, at + 1) : undefined, argument })
      return { options, next: attached || may ? "none" : "maybe-value", unclear: many }
    }
    const attached = known.slice(at + 1)
    options.push({ name, value: attached === "" ? undefined : staticWord(attached), argument })
    return { options, next: attached !== "" || may ? "none" : "value", unclear: false }
  }
  const mayTake = guard.maybeValues?.includes(known.at(-1) ?? "") === true
  return { options, next: mayTake ? "maybe-value" : "none", unclear: word._tag === "Dynamic" }
}

const readOption = (guard: OptionGuard, argument: Argument): OptionWord | undefined => {
  const { word } = argument
  const known = word._tag === "Static" ? word.text : word.prefix
  if (known.startsWith("--")) return readLong(guard, argument, known)
  if (!known.startsWith("-") || (word._tag === "Static" && known === "-")) return undefined
  return readCluster(guard, argument, known)
}

/** Reads arguments as getopt_long(3) does, with options also behind operands, and never surer than the words allow. */
export const scanArguments = (guard: OptionGuard, args: ReadonlyArray<Argument>): ScannedArguments => {
  const terminators = terminatorsOf(guard)
  const options: Array<GivenOption> = []
  const operands: Array<Argument> = []
  let unclear: Argument | undefined
  let certain = 0
  let mayTakeNext = false
  for (let index = 0; index < args.length; index++) {
    const argument = args[index]
    if (argument === undefined) break
    const { word } = argument
    if (word._tag === "Static" && terminators.includes(word.text)) {
      if (!mayTakeNext)
        return { options, operands: [...operands, ...args.slice(index + 1)], unclear, rest: args.slice(index + 1) }
      mayTakeNext = false
      continue
    }
    const read = readOption(guard, argument)
    if (read === undefined) {
      if (mayBeOption(word)) unclear ??= argument
      operands.push(argument)
      // No word at all is no value and does not end the options.
      if (word._tag === "Dynamic" && word.count === "any") continue
      if (!mayTakeNext) certain++
      mayTakeNext = false
      if (certain === guard.endsAt) return { options, operands, unclear, rest: args.slice(index) }
      continue
    }
    if (read.unclear) unclear ??= argument
    // This word may itself be a value: then it takes none.
    const next: Argument | undefined = read.next === "value" && !mayTakeNext ? args[index + 1] : undefined
    mayTakeNext = read.next !== "none" && next === undefined
    const last = read.options.at(-1)
    options.push(...read.options.slice(0, -1))
    if (last !== undefined) options.push(next === undefined ? last : { ...last, value: next.word })
    if (next === undefined) continue
    index++
    if (!isMany(next.word)) continue
    // More words, or none: these are arguments of their own, and the value is uncertain.
    mayTakeNext = true
    if (mayBeOption(next.word) || (next.word._tag === "Dynamic" && next.word.count === "any")) unclear ??= next
    operands.push(next)
  }
  return { options, operands, unclear, rest: [] }
}

const isRefusedLong = (guard: OptionGuard, name: string): boolean => {
  if (name.length <= 2) return guard.onlyFlags !== undefined
  const refused = guard.refusedLong ?? []
  if (refused.includes(name)) return true
  const known = guard.longValues?.includes(name) === true || guard.longFlags?.includes(name) === true
  // A full name is no abbreviation of a longer one.
  return !known && (guard.onlyFlags !== undefined || refused.some((option) => option.startsWith(name)))
}

const isRefusedShort = (guard: OptionGuard, letter: string): boolean => {
  if (guard.refused?.includes(letter) === true) return true
  if (guard.onlyFlags === undefined) return false
  return ![guard.onlyFlags, guard.values, guard.optional, guard.maybeValues].some(
    (letters) => letters?.includes(letter) === true
  )
}

const isRefused = (guard: OptionGuard, option: GivenOption): boolean => {
  const { name, value } = option
  if (!(name.startsWith("--") ? isRefusedLong(guard, name) : isRefusedShort(guard, name.slice(1)))) return false
  return value === undefined || guard.harmless?.[name]?.(value) !== true
}

/** Why the arguments hold an option that the guard refuses, or a word that may be one; or nothing. */
export const refusedOption = (guard: OptionGuard, scanned: ScannedArguments): string | undefined => {
  const refused = scanned.options.find((option) => !option.argument.literal && isRefused(guard, option))
  if (refused !== undefined) return `The option ${shown(refused.argument)} is not safe. ${NAME_IT}`
  if (scanned.unclear === undefined || guard.acceptsUnknown === true) return undefined
  return mayBeOptionReason(scanned.unclear, terminatorsOf(guard).at(-1))
}

/** The guard that refuses what any of the option tables does. */
export const guardOptions =
  (...guards: ReadonlyArray<OptionGuard>): Guard =>
  (args) => {
    for (const guard of guards) {
      const reason = refusedOption(guard, scanArguments(guard, args))
      if (reason !== undefined) return reason
    }
    return undefined
  }
