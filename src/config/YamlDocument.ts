import { Result } from "effect"
import { Composer, type CST, type Document, Lexer, LineCounter, Parser, type YAMLError } from "yaml"
import { makeProblem, type Problem, START } from "./Problem.ts"

/** Bytes of one configuration file. */
export const MAX_BYTES = 10 * 1024 * 1024

/** Collections inside collections. Checked while tokens arrive, before anything recursive sees them. */
export const MAX_DEPTH = 100

/**
 * Tokens of one file: about 15,000 written-out hosts. A tree takes several hundred bytes a token, so that 10 MiB of
 * nothing but brackets would otherwise take gigabytes.
 */
const MAX_TOKENS = 1_000_000

/** Syntax errors reported: what follows the first few is mostly their echo. */
const MAX_SYNTAX_ERRORS = 10

/** A position in a file, both from 1. */
export interface Position {
  readonly line: number
  readonly column: number
}

/** A YAML 1.2 text with exactly one document and no syntax error, not yet converted to values. */
export interface YamlDocument {
  readonly document: Document.Parsed
  /** The place of a character offset. */
  readonly position: (offset: number) => Position
}

/** Bytes to text. A file that is too large or not UTF-8 is an error: replacing bytes could change what a rule says. */
export const decodeText = (file: string, bytes: Uint8Array): Result.Result<string, Problem> => {
  const fail = (message: string) => Result.fail(makeProblem("error", file, START, [], message))
  if (bytes.length > MAX_BYTES) return fail("file is larger than 10 MiB")
  const text = Result.try(() => new TextDecoder("utf-8", { fatal: true }).decode(bytes))
  return Result.isSuccess(text) ? Result.succeed(text.success) : fail("file is not valid UTF-8")
}

/** The place where a text passes a cap. */
interface Excess {
  readonly offset: number
  readonly message: string
}

/** Tokens of the text, unless it passes a cap. */
const tokenize = (text: string, lines: LineCounter): Result.Result<ReadonlyArray<CST.Token>, Excess> => {
  let count = 0
  const parser = new Parser(lines.addNewLine)
  const tokens: Array<CST.Token> = []
  lines.addNewLine(0)
  for (const lexeme of new Lexer().lex(text)) {
    for (const token of parser.next(lexeme)) tokens.push(token)
    // The document itself is the first entry of the stack, a scalar in progress can be the last.
    if (parser.stack.length > MAX_DEPTH + 2) {
      return Result.fail({ offset: parser.offset, message: `nesting is deeper than ${MAX_DEPTH} levels` })
    }
    if (++count > MAX_TOKENS) {
      return Result.fail({ offset: parser.offset, message: `file has more than ${MAX_TOKENS} tokens` })
    }
  }
  for (const token of parser.end()) tokens.push(token)
  return Result.succeed(tokens)
}

/** The one document of a text, or every syntax error with its place. `undefined` for a text without content. */
export const parseYamlDocument = (
  file: string,
  text: string
): Result.Result<YamlDocument | undefined, ReadonlyArray<Problem>> => {
  const lines = new LineCounter()
  const position = (offset: number): Position => {
    const { col, line } = lines.linePos(Math.max(0, Math.min(offset, text.length)))
    return { line: Math.max(1, line), column: Math.max(1, col) }
  }
  const report = (place: Position, message: string) => makeProblem("error", file, place, [], message)

  const tokens = tokenize(text, lines)
  if (Result.isFailure(tokens)) {
    return Result.fail([report(position(tokens.failure.offset), tokens.failure.message)])
  }
  // Duplicate keys are found on conversion, in linear time; the library compares every key with every other.
  const composer = new Composer({
    keepSourceTokens: false,
    logLevel: "silent",
    prettyErrors: false,
    schema: "core",
    uniqueKeys: false,
    version: "1.2"
  })
  const documents = Result.try(() => [...composer.compose(tokens.success, true, text.length)])
  if (Result.isFailure(documents)) return Result.fail([report(START, "file cannot be parsed as YAML")])

  const [document, second] = documents.success
  if (document === undefined) return Result.succeed(undefined)
  const faults = [...document.errors, ...document.warnings].slice(0, MAX_SYNTAX_ERRORS)
  if (faults.length > 0) {
    return Result.fail(faults.map((fault) => report(position(fault.pos[0]), describe(fault))))
  }
  if (second !== undefined) {
    return Result.fail([report(position(second.range[0]), "more than one YAML document in the file")])
  }
  return Result.succeed({ document, position })
}

/**
 * The fault in words that quote nothing of the file: what the parser stumbles over can be a password that begins with
 * `!` or `%`. Its own texts without a quotation are kept.
 */
const describe = ({ code, message }: YAMLError): string => {
  switch (code) {
    case "TAG_RESOLVE_FAILED":
      return "tags are not supported (put a text that begins with ! in quotes)"
    case "UNEXPECTED_TOKEN":
      return "unexpected text; check quotes and indentation"
    case "BAD_SCALAR_START":
      return "a text cannot begin with this character (put it in quotes)"
    case "BAD_DQ_ESCAPE":
      return "unknown escape in a double-quoted text (use single quotes)"
    case "BAD_ALIAS":
      return "an alias needs a name (put a text that begins with * or & in quotes)"
    case "BAD_DIRECTIVE":
      return "directives are not supported (put a text that begins with % in quotes)"
    default:
      return /["'`<]/u.test(message) ? "cannot be read as YAML" : (message.split("\n", 1)[0] ?? message)
  }
}
