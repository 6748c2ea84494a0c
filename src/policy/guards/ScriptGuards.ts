import { isText, mayBeOption, staticText, staticWord, type Word } from "../shell/Word.ts"
import { afterPrefix, type Argument, findFree, type Guard, isMany, manyReason, NAME_IT, shown } from "./Argument.ts"
import { isPlainAwkProgram } from "./AwkProgram.ts"
import { isPlainSedScript } from "./SedScript.ts"

/** Guards of sed and awk, whose script is one of the arguments. */

const SED_OPTIONS = /^(?:-[nErsuz]+|--quiet|--silent|--regexp-extended|--posix|--separate|--unbuffered|--null-data)$/
const SED_SCRIPT = /^(?:-[nErsuz]*e|--expression=)/

const refusedScript = (kind: string, script: Argument, isPlain: (text: string) => boolean): string | undefined => {
  if (script.literal) return undefined
  const text = staticText(script.word)
  if (text === undefined) return `The ${kind} ${shown(script)} is not certain. Write it out in single quotes.`
  return isPlain(text) ? undefined : `The ${kind} ${shown(script)} may run commands or write files. ${NAME_IT}`
}

/** The script that is attached to an option like `-ne` or `--expression=`, or none. */
const attachedScript = ({ literal, word }: Argument): Argument | undefined => {
  const known = word._tag === "Static" ? word.text : word.prefix
  const [option] = SED_SCRIPT.exec(known) ?? []
  if (option === undefined || (word._tag === "Static" && known === option && !option.endsWith("="))) return undefined
  const value: Word = word._tag === "Static" ? staticWord(known.slice(option.length)) : afterPrefix(word, option.length)
  return { literal, word: value }
}

/** sed may only have scripts that select and substitute. */
export const guardSed: Guard = (args) => {
  const scripts: Array<Argument> = []
  const operands: Array<Argument> = []
  for (let index = 0; index < args.length; index++) {
    const argument = args[index]
    if (argument === undefined) break
    if (isText(argument.word, "--")) {
      operands.push(...args.slice(index + 1))
      break
    }
    const attached = attachedScript(argument)
    const text = staticText(argument.word)
    if (attached !== undefined) {
      scripts.push(attached)
      if (isMany(argument.word)) return manyReason(argument)
    } else if (text !== undefined && /^(?:-[nErsuz]*e|--expression)$/.test(text)) {
      const script = args[++index]
      if (script !== undefined) scripts.push(script)
    } else if (!mayBeOption(argument.word)) operands.push(argument)
    else if (text === undefined)
      return `${shown(argument)} may be an option of sed. Put -- before it${isMany(argument.word) ? ", and quote it" : ""}.`
    else if (!argument.literal && !SED_OPTIONS.test(text))
      return `The option ${shown(argument)} is not safe. ${NAME_IT}`
  }
  if (scripts.length === 0) scripts.push(...operands.slice(0, 1))
  return scripts
    .map((script) => refusedScript("sed script", script, isPlainSedScript))
    .find((each) => each !== undefined)
}

/** awk may have `-F` and `-v`, and a program that neither runs nor writes anything. */
export const guardAwk: Guard = (args) => {
  const network = findFree(args, (word) => (word._tag === "Static" ? word.text : word.prefix).includes("/inet"))
  if (network !== undefined) return `${shown(network)} may lead to another host. ${NAME_IT}`
  let index = 0
  let ended = false
  for (; index < args.length && !ended; index++) {
    const argument = args[index]
    if (argument === undefined || !mayBeOption(argument.word)) break
    const { literal, word } = argument
    const known = word._tag === "Static" ? word.text : word.prefix
    if (word._tag === "Static" && known === "--") ended = true
    else if (/^-[Fv]/.test(known) && !isMany(word) && (known.length > 2 || word._tag === "Static")) {
      if (known.length > 2) continue
      const value = args[++index]
      if (value !== undefined && isMany(value.word)) return manyReason(value)
    } else if (word._tag === "Dynamic") return `${shown(argument)} may be an option of awk. Write it out.`
    else if (!literal) return `The option ${shown(argument)} is not safe. ${NAME_IT}`
  }
  const program = args[index]
  const refused = program && refusedScript("awk program", program, isPlainAwkProgram)
  if (refused !== undefined || program === undefined || ended) return refused
  // The awk of busybox takes options behind the program too.
  const option = args.slice(index + 1).find((each) => !each.literal && mayBeOption(each.word))
  return option && `${shown(option)} may be an option of awk. Put -- before the program.`
}
