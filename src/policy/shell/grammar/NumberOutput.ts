import type { Command, CommandNode, Script, Word } from "unbash"

type Part = NonNullable<Word["parts"]>[number]

const isStaticPart = (part: Part): boolean =>
  part.type === "Literal" ||
  part.type === "SingleQuoted" ||
  part.type === "AnsiCQuoted" ||
  (part.type === "DoubleQuoted" && part.parts.every((inner) => inner.type === "Literal"))

/** The decoded words of a command that has no others. */
const wordsOf = (command: Command): ReadonlyArray<string> | undefined => {
  const words = [...(command.name === undefined ? [] : [command.name]), ...command.suffix]
  const texts = words.map((word) =>
    word.type === "Word" && (word.parts ?? []).every(isStaticPart) ? word.value : undefined
  )
  return texts.every((text) => text !== undefined) ? texts : undefined
}

const isOption = (word: string): boolean => word.startsWith("-")

/** Whether a command prints one whole number and nothing else when it reads its input from a pipe. */
const isCount = ([name = "", ...args]: ReadonlyArray<string>): boolean => {
  const [first = "", second = "", third = ""] = args
  switch (name) {
    case "wc":
      return args.length === 1 && /^-[lwcm]$/.test(first)
    case "grep":
    case "egrep":
    case "fgrep":
      // One pattern and no file, of which there could be several, each with its name.
      return (
        /^-[ivwxEF]*c[ivwxEF]*$/.test(first) &&
        (second === "-e" ? args.length === 3 : args.length === 2) &&
        !isOption(second === "-e" ? third : second)
      )
    case "pgrep":
      return first === "-c" && args.length === 2 && !isOption(second)
    case "date":
      return args.join(" ") === "+%s" || args.join(" ") === "-u +%s"
    case "nproc":
      return args.length === 0
    case "id":
      return args.length === 1 && first === "-u"
    default:
      return false
  }
}

const isCounter = (node: CommandNode): boolean => {
  if (node.type !== "Command" || node.prefix.length > 0) return false
  const words = wordsOf(node)
  return words !== undefined && isCount(words)
}

/**
 * Whether a substitution is known to give a whole number, because its last command only counts: `wc -l` behind a pipe,
 * `grep -c`, `date +%s`. Such a value may be used in arithmetic and is one word.
 */
export const printsNumber = (script: Script): boolean => {
  const [statement, second] = script.commands
  if (statement === undefined || second !== undefined || statement.background === true) return false
  const { command } = statement
  if (command.type === "Command") return isCounter(command)
  if (command.type !== "Pipeline" || command.prefixes.length > 0) return false
  const last = command.commands.at(-1)
  return last !== undefined && command.operators.every((operator) => operator === "|") && isCounter(last)
}
