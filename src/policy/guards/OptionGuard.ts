/** An argument of a command, and whether the matching rule names it literally: such a word is never guarded. */
export interface Argument {
  readonly text: string
  readonly literal: boolean
}

/** Which options of a program write files, run programs or lead elsewhere. */
export interface OptionGuard {
  /** Short options that are refused, also inside a cluster. */
  readonly short?: string
  /** Short options with a value: the rest of such a cluster is the value. */
  readonly values?: string
  /** Long options that are refused, with their dashes; matched also by prefix, as GNU programs take them. */
  readonly long?: ReadonlyArray<string>
  /** Whether options end at the first operand (options of the program itself, before its sub-command). */
  readonly leading?: boolean
  /** Leading options, besides `values`, whose value is the next word. */
  readonly longValues?: ReadonlyArray<string>
}

/** Whether a short cluster like `-uo` holds a refused letter before a value begins. */
const clusterHolds = (word: string, short: string, values: string): boolean => {
  for (const letter of word.slice(1)) {
    if (short.includes(letter)) return true
    if (values.includes(letter)) return false
  }
  return false
}

const longRefused = (word: string, long: ReadonlyArray<string>): boolean => {
  const name = word.split("=", 1)[0] ?? ""
  return name.length > 2 && long.some((option) => option.startsWith(name))
}

/** Whether an option takes the next word as its value. */
const takesNext = (word: string, guard: OptionGuard): boolean => {
  if (word.startsWith("--")) return guard.longValues?.includes(word) === true
  const letters = word.slice(1).split("")
  const at = letters.findIndex((letter) => guard.values?.includes(letter) === true)
  return at >= 0 && at === letters.length - 1
}

/** The first argument that a guard refuses, or none. Options end at `--`. */
export const refusedOption = (guard: OptionGuard, args: ReadonlyArray<Argument>): string | undefined => {
  for (let index = 0; index < args.length; index++) {
    const { literal, text } = args[index] ?? { literal: true, text: "--" }
    if (text === "--") return undefined
    if (!text.startsWith("-") || text === "-") {
      if (guard.leading === true) return undefined
      continue
    }
    const refused = text.startsWith("--")
      ? longRefused(text, guard.long ?? [])
      : clusterHolds(text, guard.short ?? "", guard.values ?? "")
    if (refused && !literal) return text
    if (takesNext(text, guard)) index++
  }
  return undefined
}

/** The words that are neither options nor their values, with what follows `--`. */
export const operandsOf = (guard: OptionGuard, args: ReadonlyArray<Argument>): ReadonlyArray<Argument> => {
  const operands: Array<Argument> = []
  for (let index = 0; index < args.length; index++) {
    const argument = args[index]
    if (argument === undefined) break
    if (argument.text === "--") return [...operands, ...args.slice(index + 1)]
    if (!argument.text.startsWith("-") || argument.text === "-") operands.push(argument)
    else if (takesNext(argument.text, guard)) index++
  }
  return operands
}
