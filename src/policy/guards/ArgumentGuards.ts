import { type Argument, operandsOf, type OptionGuard, refusedOption } from "./OptionGuard.ts"
import { isPlainAwkProgram } from "./AwkProgram.ts"
import { CONTAINER_GUARDS, OPTION_GUARDS } from "./OptionGuards.ts"
import { isPlainSedScript } from "./SedScript.ts"

/** Says why an argument is refused, or nothing. */
type Guard = (args: ReadonlyArray<Argument>) => string | undefined

const shown = (text: string): string => JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text)

const free = (args: ReadonlyArray<Argument>): ReadonlyArray<Argument> => args.filter((argument) => !argument.literal)

/** The first argument that a wildcard covers and that `isRefused`. */
const refuseWhere =
  (isRefused: (text: string) => boolean): Guard =>
  (args) => {
    const refused = free(args).find((argument) => isRefused(argument.text))
    return refused && `The argument ${shown(refused.text)} is not safe.`
  }

const byOptions =
  (guards: ReadonlyArray<OptionGuard>): Guard =>
  (args) => {
    for (const guard of guards) {
      const refused = refusedOption(guard, args)
      if (refused !== undefined) return `The option ${shown(refused)} is not safe.`
    }
    return undefined
  }

const FIND_ACTIONS = new Set([
  "-exec",
  "-execdir",
  "-ok",
  "-okdir",
  "-delete",
  "-fls",
  "-fprint",
  "-fprint0",
  "-fprintf",
  "-files0-from"
])

const UNIQ: OptionGuard = { values: "fsw", longValues: ["--skip-fields", "--skip-chars", "--check-chars"] }

/** The second operand of uniq is a file to write. */
const guardUniq: Guard = (args) => {
  const output = operandsOf(UNIQ, args)[1]
  return output === undefined || output.literal ? undefined : `The output file ${shown(output.text)} is not safe.`
}

const DATE: OptionGuard = {
  short: "s",
  values: "dfrs",
  long: ["--set"],
  longValues: ["--date", "--file", "--reference"]
}

/** date sets the clock with -s, and with any operand that is no format. */
const guardDate: Guard = (args) => {
  const operand = operandsOf(DATE, args).find((each) => !each.literal && !each.text.startsWith("+"))
  return byOptions([DATE])(args) ?? (operand && `The operand ${shown(operand.text)} would set the clock.`)
}

const HOSTNAME = OPTION_GUARDS.get("hostname") ?? []

/** Any operand of hostname is a name to set. */
const guardHostname: Guard = (args) => {
  const operand = free(args).find((each) => !each.text.startsWith("-"))
  return byOptions(HOSTNAME)(args) ?? (operand && `The operand ${shown(operand.text)} would set the host's name.`)
}

const TAR_LONG = new Set(
  (
    "--list --verbose --gzip --gunzip --bzip2 --xz --zstd --lzma --auto-compress --numeric-owner --full-time " +
    "--wildcards --no-wildcards --utc --totals"
  ).split(" ")
)

/** tar may only list, with letters known to be harmless, an archive that is a local file. */
const guardTar: Guard = (args) => {
  if (free(args).length === 0) return undefined
  const [first, ...others] = args
  const words = first?.text.startsWith("-") === false ? [{ ...first, text: `-${first.text}` }, ...others] : args
  const options = words.filter((word) => word.text.startsWith("-"))
  const lists = options.some((word) => word.text === "--list" || /^-[a-z]*t/i.test(word.text))
  const refused = options.find(
    (word) =>
      !word.literal &&
      !(word.text.startsWith("--")
        ? TAR_LONG.has(word.text) || /^--(?:file|exclude)=[^:]*$/.test(word.text)
        : /^-[tvzjJaZ]*(?:f[^:]*)?$/.test(word.text))
  )
  if (refused !== undefined) return `The option ${shown(refused.text)} is not safe.`
  if (!lists) return "Only listing an archive (tar -t) is safe."
  return refuseWhere((text) => /^[^/]*:/.test(text))(words.filter((word) => !word.text.startsWith("-")))
}

const SED_OPTIONS = /^(?:-[nErsuz]+|--quiet|--silent|--regexp-extended|--posix|--separate|--unbuffered|--null-data|--)$/

/** sed may only have scripts that select and substitute. */
const guardSed: Guard = (args) => {
  const scripts: Array<Argument> = []
  const operands: Array<Argument> = []
  for (let index = 0; index < args.length; index++) {
    const argument = args[index]
    if (argument === undefined) break
    const { literal, text } = argument
    const attached = /^(?:-[nErsuz]*e|--expression=)(.+)$/s.exec(text)
    if (attached !== null) scripts.push({ literal, text: attached[1] ?? "" })
    else if (/^(?:-[nErsuz]*e|--expression)$/.test(text)) scripts.push(args[++index] ?? { literal, text: "?" })
    else if (!text.startsWith("-") || text === "-") operands.push(argument)
    else if (!literal && !SED_OPTIONS.test(text)) return `The option ${shown(text)} is not safe.`
  }
  const [script] = scripts.length > 0 ? [undefined] : operands
  const refused = [...scripts, ...(script === undefined ? [] : [script])].find(
    (each) => !each.literal && !isPlainSedScript(each.text)
  )
  return refused && `The sed script ${shown(refused.text)} may run commands or write files.`
}

/** awk may have `-F` and `-v`, and a program that neither runs nor writes anything. */
const guardAwk: Guard = (args) => {
  let index = 0
  for (; index < args.length; index++) {
    const { literal, text } = args[index] ?? { literal: true, text: "" }
    if (!text.startsWith("-") || text === "-") break
    if (text === "--") {
      index++
      break
    }
    if (/^-[Fv]$/.test(text)) index++
    else if (!literal && !/^-[Fv]./s.test(text)) return `The option ${shown(text)} is not safe.`
  }
  const program = args[index]
  return program === undefined || program.literal || isPlainAwkProgram(program.text)
    ? undefined
    : `The awk program ${shown(program.text)} may run commands or write files.`
}

const IP_OPTIONS =
  /^-(?:[460sdjpohrct]+|stats?|statistics|details|json|pretty|oneline|brief|br|human|human-readable|iec|resolve|timestamp|color(?:=\w+)?|c(?:=\w+)?|Version|V|N|Numeric)$/
const IP_VERBS = new Set(["show", "list", "ls", "lst", "get", "help"])

/** ip may only show; its verbs may be abbreviated, so what is not plainly a query is refused. */
const guardIp: Guard = (args) => {
  if (free(args).length === 0) return undefined
  const option = args.find((each) => each.text.startsWith("-") && !each.literal && !IP_OPTIONS.test(each.text))
  if (option !== undefined) return `The option ${shown(option.text)} is not safe.`
  const [object, verb] = args.filter((each) => !each.text.startsWith("-"))
  if (object === undefined || verb === undefined || verb.literal || IP_VERBS.has(verb.text)) return undefined
  return `The ip verb ${shown(verb.text)} may change the network; only show, list and get are safe.`
}

/** Sub-commands of git that run other programs. */
const GIT_RUNS = new Set(
  "bisect submodule filter-branch difftool mergetool config credential daemon upload-pack receive-pack shell hook".split(
    " "
  )
)

/** `-O` names a pager or an order file; only git grep takes it inside a cluster, elsewhere it may end a search text. */
const GIT_GREP: OptionGuard = { short: "O", values: "efABCm" }

const guardGit: Guard = (args) => {
  const command = operandsOf({ values: "Cc" }, args)[0]
  const refused =
    byOptions(OPTION_GUARDS.get("git") ?? [])(args) ??
    (command?.text === "grep" ? byOptions([GIT_GREP]) : refuseWhere((text) => text.startsWith("-O")))(args)
  if (refused !== undefined) return refused
  const runs = command !== undefined && !command.literal && GIT_RUNS.has(command.text)
  return runs || free(args).some((each) => each.text.startsWith("ext::"))
    ? "This git command may run other programs."
    : undefined
}

/** Built-ins that, in some shells, evaluate an array index or an arithmetic operand, and with it a substitution. */
const guardEvaluation = (option: RegExp): Guard =>
  refuseWhere((text) => option.test(text) || (text.includes("[") && /\$\(|`|\$\{/.test(text)))

const GUARDS: ReadonlyMap<string, Guard> = new Map<string, Guard>([
  ...[...OPTION_GUARDS, ...CONTAINER_GUARDS].map(([program, guards]) => [program, byOptions(guards)] as const),
  ["find", refuseWhere((text) => FIND_ACTIONS.has(text))],
  ["uniq", guardUniq],
  ["date", guardDate],
  ["hostname", guardHostname],
  ["tar", guardTar],
  ["bsdtar", guardTar],
  ["sed", guardSed],
  ...["awk", "gawk", "mawk", "nawk", "original-awk"].map((program) => [program, guardAwk] as const),
  ...["grep", "egrep", "fgrep"].map((program) => [program, byOptions(OPTION_GUARDS.get("grep") ?? [])] as const),
  [
    "curl",
    (args) => byOptions(OPTION_GUARDS.get("curl") ?? [])(args) ?? refuseWhere((text) => text.includes("%output{"))(args)
  ],
  ["ip", guardIp],
  ["git", guardGit],
  ["test", guardEvaluation(/^-[vR]$/)],
  ["[", guardEvaluation(/^-[vR]$/)],
  ["printf", guardEvaluation(/^-v/)]
])

/**
 * Why a command is refused although a rule matches it: an argument that only a wildcard covers makes this program write a
 * file, run a program or reach elsewhere. Known options of known programs: a guard, not a proof.
 */
export const refusedArgument = (program: string, args: ReadonlyArray<Argument>): string | undefined =>
  GUARDS.get(program)?.(args)
