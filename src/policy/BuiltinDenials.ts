import { type Argv, baseName } from "./rules/Pattern.ts"

/** Programs that the original denies by the text `<name> ` or `<name>`, wherever they lie. */
const PROGRAMS: ReadonlySet<string> = new Set(
  "mkfs reboot userdel passwd ssh scp curl wget nc nmap telnet kubectl aws gcloud az".split(" ")
)

/** What a built-in denial is about: the program alone, or the program with these arguments. */
export type BuiltinDenial = "program" | "arguments"

const isRoot = (word: string): boolean => /^\/+(?:\.{0,2}\/+)*(?:\.{1,2}|\*)?$/.test(word)

const hasFlag = (args: ReadonlyArray<string>, letters: RegExp, long: string): boolean =>
  args.some((word) =>
    word.startsWith("--") ? word.length > 2 && long.startsWith(word) : word.startsWith("-") && letters.test(word)
  )

const removesRoot = (args: ReadonlyArray<string>): boolean =>
  args.some(isRoot) && hasFlag(args, /[rR]/, "--recursive") && hasFlag(args, /f/, "--force")

const usesSsh = (args: ReadonlyArray<string>): boolean =>
  args.some((word, index) => {
    const shell = /^(?:-[A-Za-z0-9]*e|--rsh=?)(.*)$/.exec(word)
    if (shell === null) return false
    const value = shell[1] === "" ? (args[index + 1] ?? "") : (shell[1] ?? "")
    return /(?:^|\/)ssh(?:\s|$)/.test(value.trim())
  })

const zeroes = (args: ReadonlyArray<string>): boolean => args.some((word) => /^if=\/+dev\/+zero$/.test(word))

const halts = (args: ReadonlyArray<string>): boolean =>
  hasFlag(args, /[hHP]/, "--halt") || hasFlag(args, /[hHP]/, "--poweroff")

/**
 * Whether a command is one of the original's 20 denied ones, told by its parsed words: `journalctl -u ssh` is not. The fork
 * bomb among them never gets this far, since functions and lists are not accepted.
 */
export const builtinDenial = (argv: Argv): BuiltinDenial | undefined => {
  const program = baseName(argv[0])
  const args = argv.slice(1)
  if (PROGRAMS.has(program) || program.startsWith("mkfs.")) return "program"
  switch (program) {
    case "rm":
      return removesRoot(args) ? "arguments" : undefined
    case "dd":
      return zeroes(args) ? "arguments" : undefined
    case "shutdown":
      return halts(args) ? "arguments" : undefined
    case "rsync":
      return usesSsh(args) ? "arguments" : undefined
    default:
      return undefined
  }
}
