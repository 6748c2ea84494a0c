import type { CommandExpansionPart, DoubleQuotedChild, Script, Word as Node } from "unbash"
import { hasForbiddenCharacter } from "../CommandText.ts"
import { staticWord, type Word } from "../Word.ts"
import { readArithmetic } from "./Arithmetic.ts"
import { printsNumber } from "./NumberOutput.ts"
import { readParameterExpansion, readSimpleExpansion } from "./Parameters.ts"
import { type Piece, wordOf } from "./Pieces.ts"
import { knowledgeAt, type Place, type Reader, refuseAt } from "./Reader.ts"
import { COUNT, type Knowledge, NUMBER, staticNumber, UNKNOWN, type Value } from "./Variables.ts"

type Part = NonNullable<Node["parts"]>[number]

const text = (value: string): Piece => ({ _tag: "Text", text: value })

const refused = (reader: Reader, code: Parameters<typeof refuseAt>[1], where: Place): ReadonlyArray<Piece> => {
  refuseAt(reader, code, where)
  return []
}

/** A `[set]` that every shell reads the same way: no class, no quotes, no `^`, no expansion. */
const SIMPLE_SET = /^\[!?[A-Za-z0-9_.,-]+\]$/

/** The escapes of `$'...'` that every shell that has them decodes to the same characters. */
const SIMPLE_ESCAPES =
  /^\$'(?:[^\\']+|\\(?:[\\'"nt]|x[0-7][0-9A-Fa-f](?![0-9A-Fa-f])|[01]?[0-7]{1,2}(?![0-7])|u[0-9A-Fa-f]{4}))*'$/

/** An expansion that never ends is literal text to the parser; a shell would wait for its end. */
const isUnfinished = (source: string): boolean => source.includes("$[") && /(?<!\\)(?:\\\\)*\$\[/.test(source)

/** A `$` at the end of a line that is continued: the shell joins it with what follows, the parser takes it for text. */
const isSplit = (source: string): boolean => source.includes("$\\\n") && /(?<!\\)(?:\\\\)*\$\\\n/.test(source)

const readSubstitution = (reader: Reader, part: CommandExpansionPart, quoted: boolean): ReadonlyArray<Piece> => {
  // `${ command; }` is one too, to the parser and to bash 5.3.
  if (!/^(?:\$\(|`)/.test(part.text)) return refused(reader, "construct/parameter", part)
  // Arithmetic to some shells, a subshell to others.
  if (part.text.startsWith("$((")) return refused(reader, "construct/arithmetic", part)
  const inner = reader.readInner(part.script, part)
  const script: Script | undefined = part.script
  const numeric = script !== undefined && printsNumber(script)
  // The name of a subshell right behind `$(` would make it arithmetic.
  const canonical = `$(${inner.startsWith("(") ? " " : ""}${inner})`
  // A number is one word: quoted, it is so even when the command prints blanks around it, or fails and prints nothing.
  return [{ _tag: "Value", text: canonical, quoted: quoted || numeric, known: numeric ? COUNT : UNKNOWN }]
}

const readArithmeticExpansion = (
  reader: Reader,
  source: string,
  quoted: boolean,
  where: Place
): ReadonlyArray<Piece> => {
  const arithmetic = source.startsWith("$((") && source.endsWith("))") ? readArithmetic(source.slice(3, -2)) : undefined
  if (arithmetic === undefined) return refused(reader, "construct/arithmetic", where)
  // Bash evaluates the text of a variable as an expression, and with it any substitution that the text holds.
  if (arithmetic.names.length > 0) reader.computes = true
  const known = arithmetic.names.map((name) => knowledgeAt(reader, name))
  if (known.some((each) => !each.numeric) && reader.knowledge !== undefined)
    return refused(reader, "construct/arithmetic-variable", where)
  const mayBeNegative = /[-~]/.test(arithmetic.text) || known.some((each) => each.mayBeOption)
  return [{ _tag: "Value", text: `$((${arithmetic.text}))`, quoted, known: { ...NUMBER, mayBeOption: mayBeNegative } }]
}

/** A name that a continued line cuts: the shell joins it with what follows. */
const isCut = (parts: ReadonlyArray<Part | DoubleQuotedChild>, index: number): boolean => {
  const next = parts[index + 1]
  return parts[index]?.type === "SimpleExpansion" && next?.type === "Literal" && next.text.startsWith("\\\n")
}

const readParts = (
  reader: Reader,
  parts: ReadonlyArray<Part | DoubleQuotedChild>,
  quoted: boolean
): ReadonlyArray<Piece> =>
  parts.flatMap((part, index) =>
    isCut(parts, index) ? refused(reader, "construct/parameter", part) : readPart(reader, part, quoted)
  )

const readPart = (reader: Reader, part: Part | DoubleQuotedChild, quoted: boolean): ReadonlyArray<Piece> => {
  switch (part.type) {
    case "Literal":
      if (isUnfinished(part.text)) return refused(reader, "construct/arithmetic", part)
      if (isSplit(part.text)) return refused(reader, "construct/parameter", part)
      // A continued line leaves nothing, and unlike empty quotes it keeps no word.
      return part.value === "" && !quoted ? [] : [text(part.value)]
    case "SingleQuoted":
      return [text(part.value)]
    case "AnsiCQuoted":
      return SIMPLE_ESCAPES.test(part.text) ? [text(part.value)] : refused(reader, "construct/byte-escape", part)
    case "DoubleQuoted":
      return part.parts.length === 0 ? [text("")] : readParts(reader, part.parts, true)
    case "Glob":
      return part.kind !== "bracket" || SIMPLE_SET.test(part.text)
        ? [{ _tag: "Glob", text: part.text }]
        : refused(reader, "construct/glob", part)
    case "SimpleExpansion":
      return [readSimpleExpansion(reader, part, quoted)]
    case "ParameterExpansion":
      return [readParameterExpansion(reader, part, quoted)]
    case "CommandExpansion":
      return readSubstitution(reader, part, quoted)
    case "ArithmeticExpansion":
      return readArithmeticExpansion(reader, part.text, quoted, part)
    case "ProcessSubstitution":
      return refused(reader, "construct/process-substitution", part)
    case "BraceExpansion":
      return refused(reader, "construct/brace-expansion", part)
    case "ExtendedGlob":
      return refused(reader, "construct/extended-glob", part)
    case "LocaleString":
      return refused(reader, "construct/locale-string", part)
    default:
      return refused(reader, "construct/unknown", reader.place ?? { pos: 0, end: reader.text.length })
  }
}

/** A leading unquoted `~`, alone or before a `/`. */
const HOME = /^~(?=\/|$)/

const homePieces = (value: string): ReadonlyArray<Piece> => [
  { _tag: "Home", text: value.startsWith("~/") ? "~/" : "~" },
  text(value.slice(2))
]

/** A `~` that bash expands although it does not stand first: behind the `=` or `:` of a word like an assignment. */
const LATER_TILDE = /^[A-Za-z_]\w*\+?=(?:[^'"\\]*:)?~/

const readPieces = (reader: Reader, node: Node): ReadonlyArray<Piece> => {
  if (HOME.test(node.text)) {
    const [first, ...rest] = node.parts ?? []
    if (first === undefined) return homePieces(node.value)
    return first.type === "Literal" && first.value.startsWith("~/")
      ? [...homePieces(first.value), ...readParts(reader, rest, false)]
      : refused(reader, "construct/tilde", node)
  }
  if (node.text.startsWith("~") || LATER_TILDE.test(node.text)) return refused(reader, "construct/tilde", node)
  if (node.parts !== undefined) return readParts(reader, node.parts, false)
  if (isSplit(node.text)) return refused(reader, "construct/parameter", node)
  return isUnfinished(node.text) ? refused(reader, "construct/arithmetic", node) : [text(node.value)]
}

const numberIn = (pieces: ReadonlyArray<Piece>, word: Word): Knowledge | undefined => {
  const [only] = pieces
  return pieces.length === 1 && only?._tag === "Value" && only.known.numeric ? only.known : staticNumber(word)
}

/** Reads a word: decodes what is static, and says of the rest what is known. */
export const readWord = (reader: Reader, node: Node): Value => {
  if (reader.refusal !== undefined) return { word: staticWord(""), number: undefined }
  const pieces = readPieces(reader, node)
  const word = wordOf(pieces)
  if (pieces.some((piece) => piece._tag === "Text" && hasForbiddenCharacter(piece.text))) {
    refuseAt(reader, "construct/control-character", node)
  }
  return { word, number: numberIn(pieces, word) }
}
