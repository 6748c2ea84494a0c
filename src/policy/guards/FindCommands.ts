import { type DynamicWord, renderWord, type Word, type Words } from "../shell/Word.ts"
import { mayBeText } from "./Argument.ts"
import { FIND_RUNS, type FindRun, readFind } from "./FindExpression.ts"

/** The commands that a find command runs, each with the index of its first word; or that this is not certain. */
export type FindCommands = ReadonlyArray<{ readonly words: Words; readonly from: number }> | "uncertain"

/** What is known of the paths that find puts in place of `{}`. */
type Paths = Pick<DynamicWord, "prefix" | "mayBeOption" | "mayTraverse">

const BRACES = "{}"
const NOTHING_KNOWN: Paths = { prefix: "", mayBeOption: true, mayTraverse: true }

const commonPrefix = (texts: ReadonlyArray<string>): string => {
  const [first = "", ...others] = texts
  let length = first.length
  for (const other of others) while (!other.startsWith(first.slice(0, length))) length--
  return first.slice(0, length)
}

const hasParent = (text: string): boolean => /(?:^|\/)\.\.(?:\/|$)/.test(text)

/** Every path begins with the starting point that it was found under. */
const pathsUnder = (starts: ReadonlyArray<Word>): Paths => ({
  prefix: starts.length === 0 ? "." : commonPrefix(starts.map(startPrefix)),
  mayBeOption: starts.some((word) =>
    word._tag === "Static" ? word.text.startsWith("-") : word.mayBeOption || word.count === "any"
  ),
  mayTraverse: starts.some((word) => (word._tag === "Static" ? hasParent(word.text) : word.mayTraverse))
})

const startPrefix = (word: Word): string =>
  word._tag === "Static" ? word.text : word.count === "any" ? "" : word.prefix

/** In the directory of the file a path is `./name`, or a root itself. */
const namesUnder = (starts: ReadonlyArray<Word>): Paths => ({
  prefix: starts.every((word) => word._tag === "Static" && !/^\/+$/.test(word.text)) ? "./" : "",
  mayBeOption: false,
  mayTraverse: false
})

/** A word of the command with what find puts in place of each `{}` in it, also where a variable's value has one. */
const expandBraces = (word: Word, paths: Paths, many: boolean): Word => {
  const text = renderWord(word)
  if (word._tag === "Static") {
    const at = word.text.indexOf(BRACES)
    if (at < 0) return word
    if (word.text === BRACES) return { _tag: "Dynamic", text, count: many ? "any" : "one", suffix: "", ...paths }
    const prefix = word.text.slice(0, at)
    return {
      _tag: "Dynamic",
      text,
      count: "one",
      prefix: prefix + paths.prefix,
      suffix: word.text.slice(word.text.lastIndexOf(BRACES) + BRACES.length),
      mayBeOption: prefix === "" ? paths.mayBeOption : prefix.startsWith("-"),
      mayTraverse: true
    }
  }
  const prefixEnd = word.prefix.indexOf(BRACES)
  const suffixAt = word.suffix.lastIndexOf(BRACES)
  const { home, ...rest } = word
  const isKept = prefixEnd < 0 && suffixAt < 0
  return {
    ...rest,
    ...(home !== undefined && !home.includes(BRACES) ? { home } : {}),
    // The last brace of the prefix may begin a `{}` that the unknown part ends.
    prefix: (prefixEnd < 0 ? word.prefix : word.prefix.slice(0, prefixEnd)).replace(/\{$/, ""),
    suffix: (suffixAt < 0 ? word.suffix : word.suffix.slice(suffixAt + BRACES.length)).replace(/^\}/, ""),
    mayBeOption: word.mayBeOption || (paths.mayBeOption && (!isKept || !/^[^{-]/.test(word.prefix))),
    mayTraverse: true
  }
}

const commandOf = (words: ReadonlyArray<Word>, run: FindRun, paths: Paths): Words | undefined => {
  const [name, ...args] = words.slice(run.from, run.to)
  return name === undefined ? undefined : [name, ...args.map((word) => expandBraces(word, paths, run.many))]
}

const RUNS = [...FIND_RUNS]

/** A dynamic word that may be an action which runs a command, with one behind it that may end that. */
const mayRun = (words: ReadonlyArray<Word>, unclear: Word | undefined): boolean => {
  if (unclear === undefined) return false
  const dynamic = words.flatMap((word, index) =>
    word._tag === "Dynamic" && RUNS.some((action) => mayBeText(word, action)) ? [index] : []
  )
  const lastEnd = words.findLastIndex((word) => mayBeText(word, ";") || mayBeText(word, "+"))
  return dynamic.some(
    (index) => (words[index]?._tag === "Dynamic" && words[index].count === "any") || lastEnd >= index + 2
  )
}

/** Finds the commands that a find command runs: the words between `-exec` and `;` or `{} +` (find(1)). */
export const findCommands = (words: Words): FindCommands => {
  const found = readFind(words)
  if (found.broken || mayRun(words, found.unclear)) return "uncertain"
  // With an unclear word the words of a command may lie elsewhere.
  if (found.unclear !== undefined && found.runs.length > 0) return "uncertain"
  // A lone `,` or `)` is a path in the first place only, and a file may name the starting points.
  const isKnown = !words.some((word) => word._tag === "Static" && /^(?:[),]|-files0-from)$/.test(word.text))
  const paths = isKnown ? pathsUnder(found.starts) : NOTHING_KNOWN
  const names = isKnown ? namesUnder(found.starts) : NOTHING_KNOWN
  const commands = found.runs.flatMap((run) => {
    const inner = commandOf(words, run, run.action.endsWith("dir") ? names : paths)
    return inner === undefined ? [] : [{ words: inner, from: run.from }]
  })
  return commands.length === found.runs.length ? commands : "uncertain"
}
