import { compileGlob, type Glob, hasWildcard } from "../Glob.ts"
import { type DynamicWord, staticText, type Word, type Words } from "../shell/Word.ts"
import { baseName, type DenySubject, denySubject, MAX_DYNAMIC } from "./DenySubject.ts"
import { splitPattern } from "./PatternPiece.ts"
import { beginsAlike, type KnownText, mayMatchGlob } from "./WordGlob.ts"

export { baseName } from "./DenySubject.ts"

/** A command pattern of a deny rule, ready to match. */
export interface DenyPattern {
  readonly source: string
  /** The pattern with its blanks collapsed and its quotes removed, as the original matches it on a text. */
  readonly text: string
  /** The exact program name, or none when the name holds a wildcard. */
  readonly program: string | undefined
  readonly name: string
  readonly options: ReadonlyArray<string>
  readonly operands: ReadonlyArray<string>
  /** Whether further words may follow. */
  readonly open: boolean
  /** The same texts, as globs. */
  readonly globs: {
    readonly text: Glob
    readonly name: Glob
    readonly options: ReadonlyArray<OptionGlob>
    readonly operands: ReadonlyArray<Glob>
  }
}

/** An option of a pattern. */
interface OptionGlob {
  readonly glob: Glob
  /** The option without trailing stars. */
  readonly stem: string
}

/** Compiles a pattern of a deny rule; none when it is blank. */
export const compileDenyPattern = (source: string): DenyPattern | undefined => {
  const [given, ...args] = splitPattern(source).map((piece) => piece.text)
  if (given === undefined) return undefined
  // A denied path is denied under any path, since it may be what the name stands for.
  const name = hasWildcard(given) ? given : baseName(given)
  const text = [name, ...args].join(" ")
  const options = args.filter((word) => word.startsWith("-"))
  const operands = args.filter((word) => !word.startsWith("-"))
  return {
    source,
    text,
    program: hasWildcard(name) ? undefined : name,
    name,
    options,
    operands,
    open: text.endsWith("*"),
    globs: {
      text: compileGlob(text),
      name: compileGlob(name),
      options: options.map((option) => ({ glob: compileGlob(option), stem: option.replace(/\*+$/, "") })),
      operands: operands.map(compileGlob)
    }
  }
}

/** Whether a dynamic word may be an abbreviation of a long option, with a value behind `=`. */
const mayAbbreviate = (option: string, { prefix }: Pick<DynamicWord, "prefix">): boolean => {
  const equals = prefix.indexOf("=")
  return option.startsWith("--") && option.startsWith(equals < 0 ? prefix : prefix.slice(0, equals))
}

/** GNU programs take any unambiguous abbreviation of a long option. */
const isAbbreviated = (option: string, longNames: ReadonlySet<string>): boolean => {
  for (let length = 3; longNames.size > 0 && option.startsWith("--") && length <= option.length; length++) {
    if (longNames.has(option.slice(0, length))) return true
  }
  return false
}

/** The first place of a sorted list whose text is not before a given one. */
const lowerBound = (sorted: ReadonlyArray<string>, text: string): number => {
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((sorted[middle] ?? "") < text) low = middle + 1
    else high = middle
  }
  return low
}

const matchesAny = (glob: Glob, sorted: ReadonlyArray<string>): boolean => {
  for (let at = lowerBound(sorted, glob.head); at < sorted.length; at++) {
    const text = sorted[at] ?? ""
    if (!text.startsWith(glob.head)) return false
    if (glob.matches(text)) return true
  }
  return false
}

const mayHoldOption = ({ options }: DenySubject, { glob, stem }: OptionGlob): boolean =>
  options.mayBeAny ||
  matchesAny(glob, options.sorted) ||
  isAbbreviated(stem, options.longNames) ||
  options.dynamic.some((word) => mayMatchGlob(glob, word) || mayAbbreviate(stem, word))

/** Which numbers of leading operands of the pattern may be used up behind a word, when `used` of them are before it. */
const stepsOver = (operands: ReadonlyArray<Glob>, used: number, word: Word): ReadonlyArray<number> => {
  const upTo = (first: number): ReadonlyArray<number> =>
    Array.from({ length: Math.max(0, operands.length + 1 - first) }, (_, index) => first + index)
  const takes = (index: number, known: KnownText): boolean => {
    const glob = operands[index]
    return glob !== undefined && mayMatchGlob(glob, known)
  }
  if (word._tag === "Static") return takes(used, word) ? [used + 1] : []
  if (word.count === "any") {
    // Only the first of the words is known to begin with the prefix, and it may be an option.
    if (word.prefix === "" || (word.mayBeOption && word.prefix.startsWith("-"))) return upTo(used)
    return takes(used, { ...word, suffix: "" }) ? upTo(used + 1) : []
  }
  const steps = word.mayBeOption ? [used] : []
  for (let index = used; takes(index, word); index++) {
    steps.push(index + 1)
    if (word.count === "one") break
  }
  return steps
}

/** Whether the operands may be those of the pattern, in order, with more behind them only when the pattern is open. */
const mayMatchOperands = ({ globs: { operands }, open }: DenyPattern, words: ReadonlyArray<Word>): boolean => {
  let used = 0
  for (const word of words) {
    if (open && used === operands.length) return true
    if (word._tag === "Dynamic") return mayMatchFrom(operands, open, used, words.slice(used))
    const glob = operands[used++]
    if (glob === undefined || !glob.matches(word.text)) return false
  }
  return used === operands.length
}

/** The same from a dynamic word on, behind which more than one number of operands may be used up. */
const mayMatchFrom = (
  operands: ReadonlyArray<Glob>,
  open: boolean,
  used: number,
  words: ReadonlyArray<Word>
): boolean => {
  let states: ReadonlySet<number> = new Set([used])
  let dynamic = 0
  for (const word of words) {
    if (open && states.has(operands.length)) return true
    if (word._tag === "Dynamic" && ++dynamic > MAX_DYNAMIC) return true
    states = new Set([...states].flatMap((each) => stepsOver(operands, each, word)))
    if (states.size === 0) return false
  }
  return states.has(operands.length)
}

const mayMatchText = (glob: Glob, { spellings }: DenySubject): boolean => {
  for (const { texts } of spellings) {
    for (const text of texts) if (mayMatchGlob(glob, text)) return true
  }
  return false
}

const mayMatchWords = (pattern: DenyPattern, subject: DenySubject): boolean => {
  if (pattern.options.length === 0 && pattern.operands.length === 0) return pattern.open || subject.mayHaveNoArguments
  for (const option of pattern.globs.options) if (!mayHoldOption(subject, option)) return false
  for (const { operands } of subject.spellings) if (mayMatchOperands(pattern, operands)) return true
  return false
}

/**
 * Whether a command may be what a deny pattern means. Wide on purpose: as a glob on the whole text, as the original does
 * it, and word by word with options in any place; by the program's base name; with path words resolved; and whatever the
 * dynamic words may become.
 */
export const mayMatchDenyPattern = (pattern: DenyPattern, words: Words): boolean => {
  const { globs } = pattern
  const full = staticText(words[0])
  if (full === undefined) return true
  const base = baseName(full)
  if (pattern.program !== undefined && pattern.program !== base) return false
  if (!beginsAlike(globs.text.head, base) && !beginsAlike(globs.text.head, full)) return false
  const subject = denySubject(words)
  if (mayMatchText(globs.text, subject)) return true
  return (globs.name.matches(base) || globs.name.matches(full)) && mayMatchWords(pattern, subject)
}
