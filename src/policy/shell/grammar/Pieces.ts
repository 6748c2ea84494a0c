import { quoteWord } from "../Quote.ts"
import { type DynamicWord, type Word, staticWord } from "../Word.ts"
import type { Knowledge } from "./Variables.ts"

/** A part of a word, as the shell expands it. */
export type Piece =
  /** Text that stands for itself. */
  | { readonly _tag: "Text"; readonly text: string }
  /** An unquoted `*`, `?` or simple `[set]`. */
  | { readonly _tag: "Glob"; readonly text: string }
  /** A leading `~`, the home directory, with the `/` behind it: quoted, it would not expand. */
  | { readonly _tag: "Home"; readonly text: "~" | "~/" }
  /** A variable, a substitution or arithmetic, with what is known of its value. */
  | { readonly _tag: "Value"; readonly text: string; readonly quoted: boolean; readonly known: Knowledge }

const isEmpty = (piece: Piece): boolean => piece._tag === "Text" && piece.text === ""

/** Joins neighbouring texts, so that a text has one canonical form however it was quoted. */
const joinTexts = (pieces: ReadonlyArray<Piece>): ReadonlyArray<Piece> => {
  const joined: Array<Piece> = []
  for (const piece of pieces) {
    const last = joined.at(-1)
    if (piece._tag === "Text" && last?._tag === "Text") {
      joined[joined.length - 1] = { _tag: "Text", text: last.text + piece.text }
    } else joined.push(piece)
  }
  return joined
}

/** `${name}` needs its braces only before more text of the same word. */
const withoutBraces = (text: string): string => text.replace(/^\$\{([A-Za-z_]\w*)\}$/, "$$$1")

const renderPiece = (piece: Piece, isLast: boolean): string => {
  switch (piece._tag) {
    case "Text":
      return quoteWord(piece.text)
    case "Glob":
    case "Home":
      return piece.text
    case "Value":
      return piece.quoted ? `"${withoutBraces(piece.text)}"` : isLast ? withoutBraces(piece.text) : piece.text
  }
}

/** The literal text at the beginning of a word that every expansion keeps. */
const prefixOf = (pieces: ReadonlyArray<Piece>): string => {
  const [first, second] = pieces
  if (first === undefined) return ""
  switch (first._tag) {
    case "Text":
      return second?._tag === "Value" ? first.text + valuePrefix(second) : first.text
    case "Home":
      return "/"
    case "Glob":
      return ""
    case "Value":
      return valuePrefix(first)
  }
}

type ValuePiece = Extract<Piece, { readonly _tag: "Value" }>

const valuePrefix = (piece: ValuePiece): string => (piece.quoted || !piece.known.splits ? piece.known.prefix : "")

const suffixOf = (pieces: ReadonlyArray<Piece>): string => {
  const last = pieces.at(-1)
  return last?._tag === "Text" ? last.text : ""
}

const mayBegin = (pieces: ReadonlyArray<Piece>): boolean => {
  for (const piece of pieces) {
    switch (piece._tag) {
      case "Text":
        if (piece.text !== "") return piece.text.startsWith("-")
        break
      case "Glob":
        return true
      case "Home":
        return false
      case "Value":
        if (piece.known.mayBeOption) return true
        if (!piece.known.mayBeEmpty) return false
    }
  }
  return false
}

/**
 * A path segment that a glob may match with `..`: it begins with a dot, or with a set that may hold one. `*`, `?` and sets
 * match no leading dot (POSIX XCU 2.14.3), but of a set that names one that is not specified.
 */
const isDotGlob = (segment: string): boolean =>
  /[*?[]/.test(segment) && /^[.[]/.test(segment) && !/^\[(?:[A-Za-z0-9_](?:-[A-Za-z0-9])?)+\]/.test(segment)

const globTraverses = (pieces: ReadonlyArray<Piece>): boolean => {
  const text = pieces.map((piece) => piece.text).join("")
  return text.split("/").some((segment) => segment === ".." || isDotGlob(segment))
}

const valueTraverses = (pieces: ReadonlyArray<Piece>): boolean =>
  pieces.some((piece) => {
    switch (piece._tag) {
      case "Value":
        return piece.known.mayTraverse
      case "Text":
        // A dot that touches a value may become a `..` with it.
        return /(?:^|[/=:,])\.\.?(?:[/:,]|$)|^\.|\.$/.test(piece.text)
      case "Glob":
      case "Home":
        return false
    }
  })

/** A word that is one value, as most words that expand are. */
const valueWord = (piece: ValuePiece): Word => {
  const splits = !piece.quoted && piece.known.splits
  return {
    _tag: "Dynamic",
    text: renderPiece(piece, true),
    count: splits ? "any" : "one",
    prefix: valuePrefix(piece),
    suffix: "",
    // A negative number alone is none: it is not followed by the letters of an option.
    mayBeOption: splits || (piece.known.mayBeOption && !piece.known.numeric),
    mayTraverse: piece.known.mayTraverse
  }
}

/** Makes a word of its parts: static when nothing in it expands. */
export const wordOf = (parts: ReadonlyArray<Piece>): Word => {
  const [sole] = parts
  if (parts.length === 1 && sole?._tag === "Text") return staticWord(sole.text)
  const joined = joinTexts(parts)
  // Empty quotes matter only beside values that may vanish: with them the word stays, as an empty one.
  const vanishes = joined.every((piece) => isEmpty(piece) || (piece._tag === "Value" && !piece.quoted))
  const pieces = vanishes ? joined : joined.filter((piece) => !isEmpty(piece))
  const [only] = pieces
  if (pieces.length === 1 && only?._tag === "Value") return valueWord(only)
  if (pieces.every((piece) => piece._tag === "Text")) return staticWord(pieces.map((piece) => piece.text).join(""))
  const hasValue = pieces.some((piece) => piece._tag === "Value")
  const splits = pieces.some((piece) => piece._tag === "Value" && !piece.quoted && piece.known.splits)
  const globs = pieces.some((piece) => piece._tag === "Glob")
  const [first, rest] = pieces
  const home =
    first?._tag === "Home" && pieces.length <= 2 && (rest === undefined || rest._tag === "Text")
      ? `${first.text}${rest?.text ?? ""}`
      : undefined
  const word: DynamicWord = {
    _tag: "Dynamic",
    text: pieces.map((piece, index) => renderPiece(piece, index === pieces.length - 1)).join(""),
    count: splits || (globs && hasValue) ? "any" : globs ? "each" : "one",
    prefix: prefixOf(pieces),
    suffix: suffixOf(pieces),
    mayBeOption: splits || mayBegin(pieces),
    mayTraverse: (hasValue && valueTraverses(pieces)) || globTraverses(pieces)
  }
  return home === undefined ? word : { ...word, home }
}
