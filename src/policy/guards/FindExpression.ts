import { isText, mayBeOption, staticText, type Word } from "../shell/Word.ts"
import { isMany, mayBeText } from "./Argument.ts"

const words = (text: string): ReadonlyArray<string> => text.split(" ")

/** Actions of find that run a command (find(1), findutils 4.9). */
export const FIND_RUNS: ReadonlySet<string> = new Set(words("-exec -execdir -ok -okdir"))

/** Actions of find that delete or write, and the option that reads starting points from a file. */
const FIND_WRITES: ReadonlySet<string> = new Set(words("-delete -fls -fprint -fprint0 -fprintf -files0-from"))

/** Primaries with one argument, whatever that looks like. */
const VALUES: ReadonlySet<string> = new Set(
  words(
    "-name -iname -path -ipath -wholename -iwholename -regex -iregex -lname -ilname -type -xtype -size -mtime -atime " +
      "-ctime -mmin -amin -cmin -newer -anewer -cnewer -user -group -uid -gid -perm -maxdepth -mindepth -fstype -links " +
      "-inum -samefile -used -printf -regextype -context -D -fls -fprint -fprint0 -files0-from"
  )
)
const NEWER = /^-newer[aBcm][aBcmt]$/

/** Primaries and options without an argument. */
const FLAGS: ReadonlySet<string> = new Set(
  words(
    "-H -L -P -print -print0 -ls -prune -quit -empty -depth -d -daystart -follow -mount -xdev -noleaf -nogroup -nouser " +
      "-readable -writable -executable -true -false -nowarn -warn -ignore_readdir_race -noignore_readdir_race -a -and " +
      "-o -or -not -delete ! ( ) ,"
  )
)

/** All primaries that a dynamic word must not be, since they act or take the next word. */
const PRIMARIES: ReadonlyArray<string> = [...FIND_RUNS, ...FIND_WRITES, ...VALUES]

/** A command that find runs: the words `from` up to, but without, `to`, its terminator. */
export interface FindRun {
  readonly action: string
  readonly from: number
  readonly to: number
  /** Ended by `{} +`: run once for many files. */
  readonly many: boolean
}

/** What the words of a find command mean, the name being the first. */
export interface FindExpression {
  readonly starts: ReadonlyArray<Word>
  readonly runs: ReadonlyArray<FindRun>
  /** The indices of the actions that delete or write. */
  readonly writes: ReadonlyArray<number>
  /** A dynamic word that may be a primary which acts or takes the next word, or change the number of words. */
  readonly unclear: Word | undefined
  /** Whether some command's end is missing or not certain. */
  readonly broken: boolean
}

const isExpression = (word: Word): boolean =>
  word._tag === "Static" && (/^-./s.test(word.text) || ["!", "(", ")", ","].includes(word.text))

/** Whether a dynamic word may become a primary that matters. */
const mayBePrimary = (word: Word): boolean => PRIMARIES.some((primary) => mayBeText(word, primary))

const mayEnd = (word: Word): boolean => mayBeText(word, ";") || mayBeText(word, "+")

/** Whether the words behind a dynamic one that may be a terminator could act as primaries. */
const mayAct = (rest: ReadonlyArray<Word>): boolean =>
  rest.some((word) =>
    word._tag === "Static" ? FIND_RUNS.has(word.text) || FIND_WRITES.has(word.text) : mayBePrimary(word)
  )

/** Whether a word ends a command: `;`, or `+` behind a word with `{}`. */
const isEnd = (given: ReadonlyArray<Word>, from: number, index: number, plus: boolean): boolean => {
  const before = given[index - 1]
  return (
    isText(given[index], ";") ||
    (plus &&
      index > from &&
      isText(given[index], "+") &&
      (before?._tag === "Dynamic" || before?.text.includes("{}") === true))
  )
}

/** The end of the command that begins at `from`, or none when it is missing or a word could end it earlier. */
const commandEnd = (given: ReadonlyArray<Word>, from: number, plus: boolean): FindRun | undefined => {
  let end = from
  while (end < given.length && !isEnd(given, from, end, plus)) end++
  if (end === given.length) return undefined
  const many = isText(given[end], "+")
  // What stands before + must be {} itself.
  if (many && !isText(given[end - 1], "{}")) return undefined
  const name = given[from]
  if (end === from || name?._tag !== "Static" || name.text.includes("{}")) return undefined
  const inner = given.slice(from, end)
  const first = inner.findIndex((word) => word._tag === "Dynamic" && mayEnd(word))
  const isUncertain =
    first >= 0 && (inner.some((word) => isMany(word) && mayEnd(word)) || mayAct(inner.slice(first + 1)))
  return isUncertain ? undefined : { action: "", from, to: end, many }
}

/** Reads the words of a find command, never surer than they allow. */
export const readFind = (given: ReadonlyArray<Word>): FindExpression => {
  const starts: Array<Word> = []
  const runs: Array<FindRun> = []
  const writes: Array<number> = []
  let unclear: Word | undefined
  let isUnknown = false
  let index = 1
  for (; index < given.length; index++) {
    const word = given[index]
    if (word === undefined || isExpression(word)) {
      if (word?._tag === "Static" && (/^-[HLP]$/.test(word.text) || /^-O\d?$/.test(word.text)) && starts.length === 0)
        continue
      break
    }
    starts.push(word)
    if (mayBeOption(word)) unclear ??= word
  }
  while (index < given.length) {
    const word = given[index]
    if (word === undefined) break
    if (word._tag === "Dynamic") {
      if (mayBeOption(word)) unclear ??= word
      index++
      continue
    }
    if (FIND_WRITES.has(word.text)) writes.push(index)
    if (FIND_RUNS.has(word.text)) {
      const run = commandEnd(given, index + 1, word.text.startsWith("-exec"))
      if (run === undefined) return { starts, runs, writes, unclear, broken: true }
      runs.push({ ...run, action: word.text })
      index = run.to + 1
    } else if (word.text === "-fprintf") index += 3
    else if (VALUES.has(word.text) || NEWER.test(word.text)) {
      const value = given[index + 1]
      const text = staticText(value)
      if (isUnknown && text !== undefined && (FIND_RUNS.has(text) || FIND_WRITES.has(text))) {
        return { starts, runs, writes: [...writes, index + 1], unclear, broken: true }
      }
      // Several words here would be primaries; none would make the next one the value.
      if (value?._tag === "Dynamic" && (value.count === "any" || (isMany(value) && mayBePrimary(value)))) {
        unclear ??= value
      }
      if (value !== undefined && isMany(value) && mayBeOption(value)) isUnknown = true
      if (isUnknown && value?._tag === "Dynamic" && !isMany(value)) unclear ??= value
      index += 2
    } else {
      // A primary that is not known may take the next words.
      isUnknown ||= word.text.startsWith("-") && !FLAGS.has(word.text)
      if (isUnknown) unclear ??= given.slice(index + 1).find((each) => each._tag === "Dynamic")
      index++
    }
  }
  return { starts, runs, writes, unclear, broken: false }
}
