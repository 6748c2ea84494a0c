import type { Command, CommandNode, Script } from "unbash"

/** Commands that print one whole number and nothing else when they read their input from a pipe. */
const COUNTERS: ReadonlyArray<RegExp> = [
  /^wc -[lwcm]$/,
  /^(?:grep|egrep|fgrep) -[icvwxEF]*c[icvwxEF]*(?: -e)? [^-]/,
  /^pgrep -c /,
  /^date (?:-u )?\+%s$/,
  /^nproc$/,
  /^id -u$/
]

/** Of a counter of matching lines: more than one operand would make it print names too. */
const wordsOf = (command: Command): ReadonlyArray<string> | undefined => {
  const words = [...(command.name === undefined ? [] : [command.name]), ...command.suffix]
  const texts = words.map((word) =>
    word.type === "Word" && (word.parts === undefined || /^(?:'[^']*'|"[^"$`\\]*")$/.test(word.text))
      ? word.value
      : undefined
  )
  return texts.every((text) => text !== undefined) ? texts : undefined
}

const isCounter = (node: CommandNode): boolean => {
  if (node.type !== "Command" || node.prefix.length > 0) return false
  const words = wordsOf(node)
  if (words === undefined) return false
  const text = words.join(" ")
  if (!COUNTERS.some((counter) => counter.test(text))) return false
  return !/^[ef]?grep/.test(text) || words.filter((word) => !word.startsWith("-")).length === 2
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
