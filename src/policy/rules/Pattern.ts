import { hasWildcard, matchesGlob } from "../Glob.ts"

/** A program and its arguments, decoded. */
export type Argv = readonly [string, ...ReadonlyArray<string>]

/** A blank-separated piece of a pattern, with which of its characters were written inside quotes. */
interface Piece {
  readonly text: string
  /** The text as a glob, in which quoted wildcard characters stand for themselves. */
  readonly glob: string
}

/** One token of a pattern: a literal word, any one word, or a glob that one word must match. */
type Token =
  | { readonly _tag: "Literal"; readonly text: string }
  | { readonly _tag: "Any" }
  | { readonly _tag: "Glob"; readonly glob: string }

/** What may follow the words that the tokens name: nothing, any words, or at least one. */
type Rest = "none" | "any" | "some"

/** A command pattern of an allow rule, ready to match. */
export interface AllowPattern {
  readonly source: string
  /** The exact program name, or none for the pattern `*`, which is any program. */
  readonly program: string | undefined
  readonly tokens: ReadonlyArray<Token>
  readonly rest: Rest
}

/** How a rule matched a command: for each word, whether the rule names it literally. The rest was left to a wildcard. */
export type Coverage = ReadonlyArray<boolean>

const splitPattern = (source: string): ReadonlyArray<Piece> => {
  const balanced = /^(?:[^'"]|'[^']*'|"[^"]*")*$/.test(source)
  const pieces = source.match(balanced ? /(?:[^\s'"]|'[^']*'|"[^"]*")+/g : /\S+/g) ?? []
  return pieces.map((piece) => {
    if (!balanced) return { text: piece, glob: piece }
    const parts = piece.match(/'[^']*'|"[^"]*"|[^'"]+/g) ?? []
    const unquote = (part: string, map: (text: string) => string): string =>
      /^['"]/.test(part) ? map(part.slice(1, -1)) : part
    return {
      text: parts.map((part) => unquote(part, (text) => text)).join(""),
      glob: parts.map((part) => unquote(part, (text) => text.replace(/[*?[]/g, "[$&]"))).join("")
    }
  })
}

const toToken = ({ glob, text }: Piece): Token => {
  if (/^\*+$/.test(glob)) return { _tag: "Any" }
  return hasWildcard(glob) ? { _tag: "Glob", glob } : { _tag: "Literal", text }
}

/** A trailing `*` on a word or an option continues into further words; on a path it stays within its word. */
const isOpen = (piece: Piece): boolean => piece.glob.endsWith("*") && !piece.text.includes("/")

/**
 * Compiles a pattern of an allow rule; none when it can never match: it is blank, or its program holds a wildcard other
 * than a trailing `*`. `uptime*` is the program `uptime` with any arguments, never `uptimectl`.
 */
export const compileAllowPattern = (source: string): AllowPattern | undefined => {
  const [name, ...args] = splitPattern(source)
  if (name === undefined) return undefined
  const last = args.at(-1)
  const anyProgram = /^\*+$/.test(name.glob)
  const program = name.glob.replace(/\*+$/, "")
  if (!anyProgram && hasWildcard(program)) return undefined
  const tokens = args.map(toToken)
  const base = { source, program: anyProgram ? undefined : program }
  if (last === undefined) return { ...base, tokens, rest: isOpen(name) ? "any" : "none" }
  if (tokens.at(-1)?._tag === "Any") return { ...base, tokens: tokens.slice(0, -1), rest: "some" }
  return { ...base, tokens, rest: isOpen(last) ? "any" : "none" }
}

/** Whether a word holds a `..` path segment, also behind the `=`, `:` or `,` of an option. */
const hasTraversal = (word: string): boolean => word.includes("..") && /(?:^|[/=:,])\.\.(?:[/:,]|$)/.test(word)

const matchesToken = (token: Token, word: string): boolean => {
  switch (token._tag) {
    case "Literal":
      return token.text === word
    case "Any":
      return !hasTraversal(word)
    case "Glob":
      return !hasTraversal(word) && matchesGlob(token.glob, word)
  }
}

/**
 * Matches word by word, with no doubt left: a token is one word, only a trailing wildcard covers more, no wildcard covers
 * a word with a `..` segment, and a pattern without a slash never covers a program given by path.
 */
export const matchAllowPattern = (pattern: AllowPattern, argv: Argv): Coverage | undefined => {
  const [name, ...args] = argv
  if (pattern.program === undefined ? name.includes("/") : name !== pattern.program) return undefined
  const { length } = pattern.tokens
  const extra = args.length - length
  if (extra < (pattern.rest === "some" ? 1 : 0) || (pattern.rest === "none" && extra > 0)) return undefined
  if (!pattern.tokens.every((token, index) => matchesToken(token, args[index] ?? ""))) return undefined
  if (args.slice(length).some(hasTraversal)) return undefined
  return [pattern.program !== undefined, ...args.map((_, index) => pattern.tokens[index]?._tag === "Literal")]
}

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
  readonly open: boolean
}

/** Compiles a pattern of a deny rule; none when it is blank. */
export const compileDenyPattern = (source: string): DenyPattern | undefined => {
  const [given, ...args] = splitPattern(source).map((piece) => piece.text)
  if (given === undefined) return undefined
  // A denied path is denied under any path, since it may be what the name stands for.
  const name = hasWildcard(given) ? given : baseName(given)
  const text = [name, ...args].join(" ")
  return {
    source,
    text,
    program: hasWildcard(name) ? undefined : name,
    name,
    options: args.filter((word) => word.startsWith("-")),
    operands: args.filter((word) => !word.startsWith("-")),
    open: text.endsWith("*")
  }
}

/** The part of a path behind its last slash: a program is denied by it wherever it lies. */
export const baseName = (name: string): string => name.slice(name.lastIndexOf("/") + 1)

/** A path word with `//`, `/./` and `/../` resolved as text, since a deny pattern shows one spelling of many. */
const resolvePath = (word: string): string => {
  if (!word.includes("//") && !word.includes("/.")) return word
  const kept: Array<string> = []
  for (const segment of word.split("/").slice(1)) {
    if (segment === "..") kept.pop()
    else if (segment !== "" && segment !== ".") kept.push(segment)
  }
  return word.startsWith("/") ? `/${kept.join("/")}` : word
}

/** GNU programs take any unambiguous abbreviation of a long option. */
const mayAbbreviate = (option: string, word: string): boolean => {
  const given = word.split("=", 1)[0] ?? ""
  return given.startsWith("--") && given.length > 2 && option.startsWith(given)
}

const mayMatchWords = (pattern: DenyPattern, name: string, args: ReadonlyArray<string>): boolean => {
  if (!matchesGlob(pattern.name, name)) return false
  const options = args.filter((word) => word.startsWith("-"))
  const operands = args.filter((word) => !word.startsWith("-"))
  if (operands.length < pattern.operands.length) return false
  if (!pattern.open && operands.length > pattern.operands.length) return false
  if (pattern.options.length === 0 && pattern.operands.length === 0) return pattern.open || args.length === 0
  return (
    pattern.options.every((option) =>
      options.some((word) => matchesGlob(option, word) || mayAbbreviate(option.replace(/\*+$/, ""), word))
    ) && pattern.operands.every((operand, index) => matchesGlob(operand, operands[index] ?? ""))
  )
}

/**
 * Whether a command may be what a deny pattern means. Wide on purpose: as a glob on the whole text, as the original does
 * it, and word by word with options in any place; by the program's base name; and with path words resolved.
 */
export const mayMatchDenyPattern = (pattern: DenyPattern, argv: Argv): boolean => {
  const name = baseName(argv[0])
  if (pattern.program !== undefined && pattern.program !== name) return false
  const args = argv.slice(1)
  const resolved = args.map(resolvePath)
  const spellings = resolved.some((word, index) => word !== args[index]) ? [args, resolved] : [args]
  const names = name === argv[0] ? [name] : [name, argv[0]]
  return names.some((each) =>
    spellings.some(
      (words) => matchesGlob(pattern.text, [each, ...words].join(" ")) || mayMatchWords(pattern, each, words)
    )
  )
}
