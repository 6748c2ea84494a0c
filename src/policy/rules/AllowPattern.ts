import { compileGlob, type Glob, hasWildcard } from "../Glob.ts"
import { staticText, type Word, type Words } from "../shell/Word.ts"
import { type PatternPiece, splitPattern } from "./PatternPiece.ts"
import { hasTraversal, mustMatchGlob, showsTraversal } from "./WordGlob.ts"

/** One token of a pattern, which one word must match. */
type Token =
  | { readonly _tag: "Literal"; readonly text: string }
  /** A lone `*`: any one word. */
  | { readonly _tag: "Any" }
  | { readonly _tag: "Glob"; readonly glob: Glob }
  /** `~` or a path below it, as a literal or a glob of the text as written. */
  | { readonly _tag: "Home"; readonly glob: Glob }

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

const toToken = ({ bare, glob, isHome, text }: PatternPiece): Token => {
  if (/^\*+$/.test(glob)) return { _tag: "Any" }
  if (isHome) return { _tag: "Home", glob: compileGlob(glob) }
  return hasWildcard(bare) ? { _tag: "Glob", glob: compileGlob(glob) } : { _tag: "Literal", text }
}

/** A trailing `*` on a word or an option continues into further words; on a path it stays within its word. */
const isOpen = (piece: PatternPiece): boolean => piece.glob.endsWith("*") && !piece.text.includes("/")

/**
 * Compiles a pattern of an allow rule; none when it can never match: it is blank, or its program is below `~` or holds a
 * wildcard other than a trailing `*`. `uptime*` is the program `uptime` with any arguments, never `uptimectl`.
 */
export const compileAllowPattern = (source: string): AllowPattern | undefined => {
  const [name, ...args] = splitPattern(source)
  if (name === undefined || name.isHome) return undefined
  const last = args.at(-1)
  const anyProgram = /^\*+$/.test(name.glob)
  const stars = /\*+$/.exec(name.glob)?.[0].length ?? 0
  if (!anyProgram && hasWildcard(name.bare.slice(0, name.bare.length - stars))) return undefined
  const tokens = args.map(toToken)
  const base = { source, program: anyProgram ? undefined : name.text.slice(0, name.text.length - stars) }
  if (last === undefined) return { ...base, tokens, rest: stars > 0 ? "any" : "none" }
  if (tokens.at(-1)?._tag === "Any") return { ...base, tokens: tokens.slice(0, -1), rest: "some" }
  return { ...base, tokens, rest: isOpen(last) ? "any" : "none" }
}

const matchesStatic = (token: Token, text: string): boolean => {
  switch (token._tag) {
    case "Literal":
      return token.text === text
    case "Any":
      return !hasTraversal(text)
    case "Glob":
      return !hasTraversal(text) && token.glob.matches(text)
    case "Home":
      return false
  }
}

/**
 * A dynamic word never is a literal. A lone `*` takes one word of any text; a glob takes words that are certainly within
 * it, several of them only in the last place, where none is mistaken for another token's.
 */
const matchesDynamic = (token: Token, word: Extract<Word, { _tag: "Dynamic" }>, isLast: boolean): boolean => {
  switch (token._tag) {
    case "Literal":
      return false
    case "Any":
      return word.count === "one" && !showsTraversal(word)
    case "Glob":
      return (word.count === "one" || (word.count === "each" && isLast)) && mustMatchGlob(token.glob, word)
    case "Home":
      if (word.home === undefined || word.count !== "one") return false
      return token.glob.literal === undefined
        ? !word.mayTraverse && !hasTraversal(word.home) && token.glob.matches(word.home)
        : token.glob.literal === word.home
  }
}

const matchesToken = (token: Token, word: Word, isLast: boolean): boolean =>
  word._tag === "Static" ? matchesStatic(token, word.text) : matchesDynamic(token, word, isLast)

const isLiteral = (token: Token): boolean =>
  token._tag === "Literal" || (token._tag === "Home" && token.glob.literal !== undefined)

/** Kept as long as the words are: every open pattern asks for it. */
const traversals = new WeakMap<Words, number>()

/** The last place of a word that shows a `..` segment, or -1. */
const lastTraversal = (words: Words): number => {
  const known = traversals.get(words)
  if (known !== undefined) return known
  const last = words.findLastIndex(showsTraversal)
  traversals.set(words, last)
  return last
}

/**
 * Matches word by word, with no doubt left: a token is one word, only a trailing wildcard covers more, no wildcard covers
 * a word that shows a `..` segment, and a pattern without a slash never covers a program given by path.
 */
export const matchAllowPattern = (pattern: AllowPattern, words: Words): Coverage | undefined => {
  const name = staticText(words[0])
  if (name === undefined) return undefined
  if (pattern.program === undefined ? name.includes("/") : name !== pattern.program) return undefined
  const { length } = pattern.tokens
  const extra = words.length - 1 - length
  if (extra < (pattern.rest === "some" ? 1 : 0) || (pattern.rest === "none" && extra > 0)) return undefined
  for (const [index, token] of pattern.tokens.entries()) {
    const word = words[index + 1]
    if (word === undefined || !matchesToken(token, word, index === length - 1)) return undefined
  }
  if (lastTraversal(words) > length) return undefined
  const coverage = Array.from({ length: words.length }, () => false)
  coverage[0] = pattern.program !== undefined
  for (const [index, token] of pattern.tokens.entries()) coverage[index + 1] = isLiteral(token)
  return coverage
}
