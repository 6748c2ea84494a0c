import { isText, mayBeOption, staticText, type Word } from "../shell/Word.ts"
import { type Argument, findFree, type Guard, isMany, manyReason, NAME_IT, shown } from "./Argument.ts"

/**
 * Guards of the built-ins that evaluate text: bash runs a substitution in the index of `a[$(x)]` that `test -v`, `test -R`
 * or `printf -v` is given (Bash Reference Manual, Arrays), and other shells evaluate arithmetic operands as well.
 */

const BINARY: ReadonlySet<string> = new Set("= == != < > -eq -ne -gt -ge -lt -le -nt -ot -ef".split(" "))

const hasIndex = (word: Word): boolean =>
  word._tag === "Static" ? word.text.includes("[") && /\$\(|`|\$\{/.test(word.text) : word.prefix.includes("[")

const isBinary = (argument: Argument | undefined): boolean => BINARY.has(staticText(argument?.word) ?? "")

const dynamic = (argument: Argument): Argument | undefined =>
  argument.word._tag === "Dynamic" && argument.word.mayBeOption ? argument : undefined

/** The word that may be an unary operator, of those that stand where one may (POSIX XCU, test). */
const unclearOperator = (args: ReadonlyArray<Argument>): Argument | undefined => {
  const negations = args.findIndex((argument) => !isText(argument.word, "!"))
  const rest = negations < 0 ? [] : args.slice(negations)
  const [first, second] = rest
  if (first === undefined || second === undefined) return undefined
  if (rest.length === 2) return dynamic(first)
  if (rest.length === 3) return isBinary(second) ? undefined : dynamic(second)
  // With four and more words, what each means depends on all before it.
  return rest.find((argument) => dynamic(argument) !== undefined)
}

/** test may compare and look at files; what it evaluates must be certain. */
export const guardTest: Guard = (args) => {
  const evaluated = findFree(args, (word) => isText(word, "-v") || isText(word, "-R") || hasIndex(word))
  if (evaluated !== undefined) return `${shown(evaluated)} may be evaluated by the shell. ${NAME_IT}`
  const many = args.find((argument) => isMany(argument.word))
  if (many !== undefined) return manyReason(many)
  const operator = unclearOperator(args)
  return (
    operator &&
    `${shown(operator)} may be an operator. Use one test with a written operator, like [ -n "$x" ] or [ "$x" = y ], and && between tests.`
  )
}

/** `[` is test, and must end with `]`. */
export const guardBracket: Guard = (args) =>
  isText(args.at(-1)?.word, "]") ? guardTest(args.slice(0, -1)) : "[ needs a ] as its last word."

/** printf may print; `-v` sets a variable, whose name may hold an index that is evaluated. */
export const guardPrintf: Guard = (args) => {
  const [first] = args
  if (first === undefined) return undefined
  if (first.word._tag === "Dynamic" && (mayBeOption(first.word) || first.word.count === "any")) {
    return `${shown(first)} may be an option. Put a format before it, like printf '%s\\n'.`
  }
  const index = findFree(args, (word) => word._tag === "Static" && hasIndex(word))
  if (index !== undefined) return `${shown(index)} may be evaluated by the shell. ${NAME_IT}`
  const text = staticText(first.word) ?? ""
  return text.startsWith("-") && !first.literal && text !== "--" && text !== "-"
    ? `The option ${shown(first)} is not safe. ${NAME_IT}`
    : undefined
}
