import { baseName } from "./rules/DenyPattern.ts"
import { beginsAlike } from "./rules/WordGlob.ts"
import type { DynamicWord, Word, Words } from "./shell/Word.ts"

/** Programs that the original denies by the text `<name> ` or `<name>`, wherever they lie. */
const PROGRAMS: ReadonlySet<string> = new Set(
  "mkfs reboot userdel passwd ssh scp curl wget nc nmap telnet kubectl aws gcloud az".split(" ")
)

/** What a built-in denial is about: the program alone, or the program with these arguments. */
export type BuiltinDenial = "program" | "arguments"

/** A path of nothing but slashes and dots, or all that lies below it. */
const ROOT = /^\/+(?:\.{0,2}\/+)*(?:\.{1,2}|\*)?$/

/** What such a path may begin with, and end with. */
const ROOT_PREFIX = /^(?:\/+(?:\.{0,2}\/+)*\.{0,2})?$/
const ROOT_SUFFIX = /^[/.]*\*?$/

const mayBeRoot = (word: Word): boolean => {
  if (word._tag === "Static") return ROOT.test(word.text)
  if (word.home !== undefined) return false
  if (word.count === "any" && word.prefix === "") return true
  // Pathname expansion makes an absolute path only of an absolute pattern.
  if (word.count === "each" && !word.mayTraverse && !word.prefix.startsWith("/")) return false
  return ROOT_PREFIX.test(word.prefix) && (word.count === "any" || ROOT_SUFFIX.test(word.suffix))
}

/** A flag: its short letters in one class, and its long name. */
interface Flag {
  readonly letters: RegExp
  readonly long: string
}

/** Whether a word may hold a flag. GNU programs take an abbreviation of a long name. */
const mayHoldFlag = (word: Word, { letters, long }: Flag): boolean => {
  if (word._tag === "Dynamic") {
    if (!word.mayBeOption) return false
    return word.count === "any" || !word.prefix.startsWith("--") || long.startsWith(word.prefix)
  }
  if (word.text.startsWith("--")) return word.text.length > 2 && long.startsWith(word.text)
  return word.text.startsWith("-") && letters.test(word.text)
}

const RECURSIVE: Flag = { letters: /[rR]/, long: "--recursive" }
const FORCE: Flag = { letters: /f/, long: "--force" }

/** The first place of a word that passes, and whether it is the only one; a word of many counts as many. */
const placeOf = (args: ReadonlyArray<Word>, test: (word: Word) => boolean): number | "many" | undefined => {
  const first = args.findIndex(test)
  const word = args[first]
  if (word === undefined) return undefined
  const isOne = word._tag === "Static" || word.count === "one"
  return isOne && args.findIndex((other, index) => index > first && test(other)) < 0 ? first : "many"
}

/** One dynamic word may be the root or a flag, not both. */
const removesRoot = (args: ReadonlyArray<Word>): boolean => {
  const recursive = placeOf(args, (word) => mayHoldFlag(word, RECURSIVE))
  const force = placeOf(args, (word) => mayHoldFlag(word, FORCE))
  if (recursive === undefined || force === undefined) return false
  return args.some(
    (word, index) =>
      mayBeRoot(word) && ((word._tag === "Dynamic" && word.count !== "one") || (index !== recursive && index !== force))
  )
}

const SHELL_OPTION = /^(?:-[A-Za-z0-9]*e|--rsh=?)(.*)$/s

const mayBeShellOption = (word: DynamicWord): boolean =>
  word.mayBeOption && (word.count === "any" || !word.prefix.startsWith("--") || beginsAlike("--rsh", word.prefix))

const usesSsh = (args: ReadonlyArray<Word>): boolean =>
  args.some((word, index) => {
    if (word._tag === "Dynamic") return mayBeShellOption(word)
    const shell = SHELL_OPTION.exec(word.text)
    if (shell === null) return false
    const next = args[index + 1]
    if (shell[1] === "" && next?._tag === "Dynamic") return true
    const value = shell[1] === "" ? (next?.text ?? "") : (shell[1] ?? "")
    return /(?:^|\/)ssh(?:\s|$)/.test(value.trim())
  })

const zeroes = (args: ReadonlyArray<Word>): boolean =>
  args.some((word) => {
    if (word._tag === "Static") return /^if=\/+dev\/+zero$/.test(word.text)
    if (word.count === "any") return true
    return (
      "if=/dev/zero".startsWith(word.prefix.replace(/\/+/g, "/")) &&
      "if=/dev/zero".endsWith(word.suffix.replace(/\/+/g, "/"))
    )
  })

const halts = (args: ReadonlyArray<Word>): boolean =>
  args.some((word) => ["--halt", "--poweroff"].some((long) => mayHoldFlag(word, { letters: /[hHP]/, long })))

/**
 * Whether a command may be one of the original's 20 denied ones, told by its parsed words: `journalctl -u ssh` is not. A
 * dynamic word may be what is denied unless what is known of it rules that out. The fork bomb among them never gets this
 * far, since functions and background commands are not accepted.
 */
export const builtinDenial = (words: Words): BuiltinDenial | undefined => {
  const [name, ...args] = words
  if (name._tag === "Dynamic") return "program"
  const program = baseName(name.text)
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
