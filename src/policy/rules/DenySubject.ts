import { type DynamicWord, staticWord, type Word, type Words } from "../shell/Word.ts"
import type { KnownText } from "./WordGlob.ts"

/** One way to write a command: with its paths as given or resolved, its home directory as `~` or as a path. */
export interface Spelling {
  /** The words joined by blanks, for each name of the program. */
  readonly texts: ReadonlyArray<KnownText>
  /** The words that are not certainly options, in order. */
  readonly operands: ReadonlyArray<Word>
}

/** The options of a command, each once. */
export interface Options {
  /** The static ones, sorted. */
  readonly sorted: ReadonlyArray<string>
  /** What stands before the `=` of the long ones among them. */
  readonly longNames: ReadonlySet<string>
  /** The dynamic words that may be options. */
  readonly dynamic: ReadonlyArray<DynamicWord>
  /** Whether a word may become any option, or there are too many dynamic ones to look at. */
  readonly mayBeAny: boolean
}

/** Dynamic words that are looked at one by one; a command with more of them is taken to match. */
export const MAX_DYNAMIC = 32

/** A command of a static name, taken apart once for all the deny patterns that it is compared with. */
export interface DenySubject {
  readonly spellings: ReadonlyArray<Spelling>
  readonly options: Options
  /** Whether every argument may vanish, or there is none. */
  readonly mayHaveNoArguments: boolean
}

/** The part of a path behind its last slash: a program is denied by it wherever it lies. */
export const baseName = (name: string): string => name.slice(name.lastIndexOf("/") + 1)

/** An absolute path with `//`, `/./` and `/../` resolved as text. */
const normalize = (path: string): string => {
  const kept: Array<string> = []
  for (const segment of path.split("/").slice(1)) {
    if (segment === "..") kept.pop()
    else if (segment !== "" && segment !== ".") kept.push(segment)
  }
  return `/${kept.join("/")}`
}

/** A path word resolved as text, since a deny pattern shows one spelling of many. Other words are left as they are. */
const resolvePath = (word: string): string => {
  if (!word.includes("//") && !word.includes("/.")) return word
  if (word.startsWith("~/")) return `~${normalize(word.slice(1))}`
  return word.startsWith("/") ? normalize(word) : word
}

/** What is known of a dynamic word once its paths are resolved: what may be resolved away is not counted on. */
const resolveDynamic = (word: DynamicWord): DynamicWord => {
  if (word.prefix !== "" && !word.prefix.startsWith("/")) return word
  const last = baseName(word.suffix)
  return {
    ...word,
    prefix: word.prefix === "" ? "" : word.mayTraverse ? "/" : normalize(word.prefix),
    suffix: last === "." || last === ".." ? "" : last
  }
}

/** A word with its paths resolved as text, as far as they are known. */
export const resolveWord = (word: Word): Word =>
  word._tag === "Static" ? staticWord(resolvePath(word.text)) : resolveDynamic(word)

/** A word below the home directory as it is written, since a pattern may be written so too. */
export const atHome = (word: Word): Word =>
  word._tag === "Dynamic" && word.home !== undefined ? staticWord(word.home) : word

const mayVanish = (word: Word): boolean => word._tag === "Dynamic" && word.count === "any" && word.prefix === ""

/** What is known of words joined by blanks: two texts when all words from the first dynamic one on may vanish. */
const joinWords = (name: string, args: ReadonlyArray<Word>): ReadonlyArray<KnownText> => {
  const isDynamic = (word: Word): word is DynamicWord => word._tag === "Dynamic"
  const textOf = (word: Word): string => (word._tag === "Static" ? word.text : "")
  const first = args.find(isDynamic)
  if (first === undefined) return [staticWord([name, ...args.map(textOf)].join(" "))]
  const start = args.indexOf(first)
  const before = [name, ...args.slice(0, start).map(textOf)].join(" ")
  const last = args.findLast(isDynamic) ?? first
  const after = args.slice(args.lastIndexOf(last) + 1).map((word) => ` ${textOf(word)}`)
  const known = { _tag: "Dynamic", prefix: `${before} ${first.prefix}`, suffix: last.suffix + after.join("") } as const
  return args.slice(start).every(mayVanish) ? [known, staticWord(before)] : [known]
}

const isCertainOption = (word: Word): boolean =>
  word._tag === "Static" ? word.text.startsWith("-") : word.prefix.startsWith("-") && word.count !== "any"

const makeSpelling = (names: ReadonlyArray<string>, args: ReadonlyArray<Word>): Spelling => ({
  texts: names.flatMap((name) => joinWords(name, args)),
  operands: args.filter((word) => !isCertainOption(word))
})

const optionsOf = (args: ReadonlyArray<Word>): Options => {
  const texts = new Set<string>()
  const dynamic = new Map<string, DynamicWord>()
  let mayBeAny = false
  for (const word of args) {
    if (word._tag === "Static") {
      if (word.text.startsWith("-")) texts.add(word.text)
    } else if (word.mayBeOption) {
      dynamic.set(`${word.prefix}\0${word.suffix}`, word)
      mayBeAny ||= word.count === "any"
    }
  }
  const sorted = [...texts].sort()
  const long = sorted.filter((text) => text.startsWith("--")).map((text) => text.split("=", 1)[0] ?? "")
  return {
    sorted,
    longNames: new Set(long),
    dynamic: [...dynamic.values()],
    mayBeAny: mayBeAny || dynamic.size > MAX_DYNAMIC
  }
}

const takeApart = (words: Words): DenySubject => {
  const [name, ...args] = words
  const names = [...new Set([baseName(name.text), name.text])]
  const spellings: Array<ReadonlyArray<Word>> = [args]
  const add = (spelling: ReadonlyArray<Word>): void => {
    const isKnown = spellings.some((each) =>
      each.every((word, index) => {
        const other = spelling[index]
        return (
          other?._tag === word._tag &&
          (word._tag === "Static" || other._tag === "Static"
            ? word.text === other.text
            : word.prefix === other.prefix && word.suffix === other.suffix)
        )
      })
    )
    if (!isKnown) spellings.push(spelling)
  }
  const home = args.map(atHome)
  for (const spelling of [args.map(resolveWord), home, home.map(resolveWord)]) add(spelling)
  return {
    spellings: spellings.map((each) => makeSpelling(names, each)),
    options: optionsOf(args),
    mayHaveNoArguments: args.every(mayVanish)
  }
}

/** Kept as long as the words are: every deny pattern of a policy asks for the same ones. */
const subjects = new WeakMap<Words, DenySubject>()

/** Takes a command apart for deny patterns; the same words only once. */
export const denySubject = (words: Words): DenySubject => {
  const known = subjects.get(words)
  if (known !== undefined) return known
  const subject = takeApart(words)
  subjects.set(words, subject)
  return subject
}
