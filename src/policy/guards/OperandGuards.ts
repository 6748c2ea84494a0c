import { mayBeOption, staticText, type Word } from "../shell/Word.ts"
import { type Argument, findFree, type Guard, isMany, manyReason, NAME_IT, shown } from "./Argument.ts"
import { isStandardInput } from "./OptionGuards.ts"
import { type OptionGuard, refusedOption, type ScannedArguments, scanArguments } from "./OptionGuard.ts"

/** Guards of programs whose operands are dangerous: what they mean depends on their position or their text. */

const words = (text: string): ReadonlyArray<string> => text.split(" ")

/** A guard on the options of a program, and on its arguments as these divide them. */
const guardScanned =
  (guard: OptionGuard, check: (scanned: ScannedArguments) => string | undefined): Guard =>
  (args) => {
    const scanned = scanArguments(guard, args)
    return refusedOption(guard, scanned) ?? check(scanned)
  }

/** The second operand is a file to write; a word that may be several could hold it. */
const refuseSecondOperand = ({ operands }: ScannedArguments): string | undefined => {
  const many = operands.find((operand) => isMany(operand.word))
  if (many !== undefined) return manyReason(many)
  const output = operands[1]
  return output === undefined || output.literal ? undefined : `The output file ${shown(output)} is not safe. ${NAME_IT}`
}

const UNIQ: OptionGuard = {
  values: "fsw",
  longValues: ["--skip-fields", "--skip-chars", "--check-chars"],
  longFlags: words("--count --repeated --unique --ignore-case --zero-terminated --all-repeated --group")
}

const DATE: OptionGuard = {
  // Every line of a file that is no date is shown in an error.
  refused: "sf",
  values: "dfrs",
  optional: "I",
  harmless: { "-f": isStandardInput, "--file": isStandardInput },
  terminators: [],
  refusedLong: ["--set", "--file"],
  longValues: words("--date --file --reference --set --rfc-3339"),
  longFlags: words("--utc --universal --rfc-email --debug --iso-8601")
}

const isFormat = (word: Word): boolean => (word._tag === "Static" ? word.text : word.prefix).startsWith("+")

/** date sets the clock with -s, and with any operand that is no format. */
const guardDate = guardScanned(DATE, ({ operands }) => {
  const operand = findFree(operands, (word) => !isFormat(word) || (word._tag === "Dynamic" && word.count === "any"))
  if (operand === undefined) return undefined
  return operand.word._tag === "Static"
    ? `The operand ${shown(operand)} would set the clock. ${NAME_IT}`
    : `The operand ${shown(operand)} may set the clock. Write it as one word that begins with +, or behind -d.`
})

const HOSTNAME: OptionGuard = {
  refused: "Fb",
  terminators: [],
  values: "F",
  refusedLong: ["--file", "--boot"],
  longFlags: words("--fqdn --long --short --domain --ip-address --all-ip-addresses --all-fqdns --alias --yp --nis")
}

/** Any operand of hostname is a name to set. */
const guardHostname = guardScanned(HOSTNAME, ({ operands }) => {
  const operand = findFree(operands, () => true)
  return operand && `The operand ${shown(operand)} would set the host's name. ${NAME_IT}`
})

const SYSCTL: OptionGuard = {
  refused: "wpf",
  terminators: [],
  values: "r",
  optional: "pf",
  refusedLong: words("--write --load --system"),
  longValues: ["--pattern"],
  longFlags: words("--all --names --values --ignore --deprecated")
}

/** sysctl sets what an operand with `=` names. */
const guardSysctl = guardScanned(SYSCTL, ({ operands }) => {
  const operand = findFree(operands, (word) => word._tag === "Dynamic" || word.text.includes("="))
  return operand && `The operand ${shown(operand)} may set a kernel parameter. ${NAME_IT}`
})

const IP_OPTIONS =
  /^-(?:[460sdjpohrct]+|stats?|statistics|details|json|pretty|oneline|brief|br|human|human-readable|iec|resolve|timestamp|color(?:=\w+)?|c(?:=\w+)?|Version|V|N|Numeric)$/
const IP_VALUES = /^-(?:n|netns|f|family|l|loops|rc|rcvbuf|b|batch)$/
const IP_VERBS: ReadonlySet<string> = new Set(words("show list ls lst get help"))

/**
 * ip may only show; its verbs may be abbreviated, so what is not plainly a query is refused. Its options end at the
 * object, so that a word behind the verb is never one.
 */
const guardIp: Guard = (args) => {
  if (args.every((argument) => argument.literal)) return undefined
  let start = 0
  for (let word = args[0]?.word; word !== undefined && mayBeOption(word); word = args[start]?.word) {
    start += IP_VALUES.test(staticText(word) ?? "") ? 2 : 1
  }
  const leading = args.slice(0, start).filter((argument) => mayBeOption(argument.word))
  const [object, verb] = args.slice(start)
  const unclear = [...leading, object, verb].find((each) => each?.word._tag === "Dynamic")
  if (unclear !== undefined) return `${shown(unclear)} may change the network. Write what ip shows out.`
  const option = findFree(leading, (word) => !IP_OPTIONS.test(staticText(word) ?? ""))
  if (option !== undefined) return `The option ${shown(option)} is not safe. ${NAME_IT}`
  if (object === undefined || verb === undefined || verb.literal || IP_VERBS.has(verb.word.text)) return undefined
  return `The ip verb ${shown(verb)} may change the network; only show, list and get are safe. ${NAME_IT}`
}

const TAR_LONG: ReadonlySet<string> = new Set(
  words(
    "--list --verbose --gzip --gunzip --bzip2 --xz --zstd --lzma --auto-compress --numeric-owner --full-time " +
      "--wildcards --no-wildcards --utc --totals --force-local"
  )
)

const isTarOption = (text: string): boolean =>
  text.startsWith("--")
    ? text === "--" || TAR_LONG.has(text) || /^--(?:file|exclude)=[^:]*$/.test(text)
    : /^-[tvzjJaZ]*(?:f[^:]*)?$/.test(text)

/** A name with a colon before any slash is an archive on another host, fetched by a program. */
const mayBeRemote = (word: Word): boolean =>
  word._tag === "Static" ? /^[^/]*:/.test(word.text) : word.count === "any" || !/^[^:/]*\//.test(word.prefix)

const tarWords = (args: ReadonlyArray<Argument>): ReadonlyArray<Argument> => {
  const [first, ...others] = args
  if (first?.word._tag !== "Static" || first.word.text.startsWith("-")) return args
  return [{ ...first, word: { ...first.word, text: `-${first.word.text}` } }, ...others]
}

/** Whether a word of tar cannot take the next one as its value. */
const isSettled = (argument: Argument | undefined): boolean => {
  const text = staticText(argument?.word) ?? ""
  if (!text.startsWith("-")) return argument !== undefined
  return text.startsWith("--") ? text.includes("=") || TAR_LONG.has(text) : /^-[tvzjJaZ]*(?:f.+)?$/.test(text)
}

/** tar may only list, with letters known to be harmless, an archive that is a local file. */
const guardTar: Guard = (args) => {
  if (args.every((argument) => argument.literal)) return undefined
  if (args[0]?.word._tag === "Dynamic") return `${shown(args[0])} may be the operation of tar. Write it out.`
  const given = tarWords(args)
  const end = given.findIndex((each, index) => staticText(each.word) === "--" && isSettled(given[index - 1]))
  // Members behind -- are only names.
  const before = end < 0 ? given : given.slice(0, end)
  const options = before.filter((each) => each.word._tag === "Static" && mayBeOption(each.word))
  const refused = findFree(options, (word) => !isTarOption(word.text))
  if (refused !== undefined) return `The option ${shown(refused)} is not safe. ${NAME_IT}`
  if (!options.some(({ word }) => word.text === "--list" || /^-[a-z]*t/i.test(word.text))) {
    return "Only listing an archive (tar -t) is safe. A rule may name all words, or set unsafe_args."
  }
  const unclear = findFree(before, (word) => word._tag === "Dynamic" && (word.mayBeOption || word.count === "any"))
  if (unclear !== undefined) {
    return `${shown(unclear)} may be an option of tar. Write a path that begins with / or ./, quoted, or put -- before it.`
  }
  if (options.some(({ word }) => word.text === "--force-local")) return undefined
  const remote = findFree(before, (word) => !mayBeOption(word) && mayBeRemote(word))
  return remote && `${shown(remote)} may be an archive on another host. Write a path that begins with / or ./.`
}

/** The guards of uniq, date, hostname, sysctl, ip, tar and the like, by program. */
export const OPERAND_GUARDS: ReadonlyMap<string, Guard> = new Map<string, Guard>([
  ["uniq", guardScanned(UNIQ, refuseSecondOperand)],
  ["date", guardDate],
  ...["hostname", "domainname", "nisdomainname", "ypdomainname"].map((name): [string, Guard] => [name, guardHostname]),
  ["sysctl", guardSysctl],
  ["ip", guardIp],
  ["tar", guardTar],
  ["bsdtar", guardTar]
])
