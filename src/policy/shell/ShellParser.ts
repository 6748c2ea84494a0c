import { Result } from "effect"
import { type CommandNode, type DoubleQuotedChild, parse, type PipelineNode, type Statement, type Word } from "unbash"
import { hasForbiddenCharacter } from "./CommandText.ts"
import { type Refusal, type RefusalCode, refuse } from "./Refusal.ts"

/**
 * The one file that knows the shell parser. It accepts a short list of node types and refuses every other, also those that
 * a later version of the parser may bring.
 */

/** One simple command of static words: decoded, with its place in the parsed text. */
export interface ParsedCommand {
  readonly argv: readonly [string, ...ReadonlyArray<string>]
  /** UTF-16 offsets, half open. */
  readonly span: readonly [number, number]
}

/** Constructs that nest, and so cost the parser stack or more than linear time: at most 64 of each in a text. */
const NESTING: ReadonlyArray<RegExp> = [
  /\$\(/g,
  /[<>]\(/g,
  /`/g,
  /\$\{/g,
  /\$\[/g,
  /\(/g,
  /(?<![^\s;&|(])\{(?=\s)/g,
  /\[\[(?=\s)/g,
  /\b(?:case|if|for|while|until|select)\b/g
]
const MAX_NESTING = 64

/** Statements that a text may have, at most; one more is refused before any is looked at. */
const MAX_COMMANDS = 256

type Node = { readonly pos: number; readonly end: number }

type WordPart = NonNullable<Word["parts"]>[number]

/** An arithmetic expansion that never ends is a literal to the parser; a shell would wait for its end. */
const checkLiteral = (text: string): RefusalCode | undefined =>
  /(?<!\\)(?:\\\\)*\$\[/.test(text) ? "construct/arithmetic" : undefined

/** Why a part of a word is not static, or nothing. */
const checkPart = (part: WordPart | DoubleQuotedChild): RefusalCode | undefined => {
  switch (part.type) {
    case "Literal":
      return checkLiteral(part.text)
    case "SingleQuoted":
      return undefined
    case "AnsiCQuoted":
      return part.value.includes("\ufffd") ? "construct/byte-escape" : undefined
    case "DoubleQuoted":
      return part.parts.map(checkPart).find((code) => code !== undefined)
    case "Glob":
    case "SimpleExpansion":
    case "ParameterExpansion":
      return "dynamic-word"
    case "CommandExpansion":
      return "construct/substitution"
    case "ProcessSubstitution":
      return "construct/process-substitution"
    case "ArithmeticExpansion":
      return "construct/arithmetic"
    case "BraceExpansion":
      return "construct/brace-expansion"
    case "ExtendedGlob":
      return "construct/extended-glob"
    case "LocaleString":
      return "construct/locale-string"
    default:
      return "construct/unknown"
  }
}

/** A leading `~`, or one behind the `=` or `:` of a word like an assignment, which bash expands in arguments too. */
const TILDE = /^~|^[A-Za-z_]\w*\+?=(?:[^'"\\]*:)?~/

const checkWord = (word: Word): RefusalCode | undefined => {
  const codes = word.parts === undefined ? [checkLiteral(word.text)] : word.parts.map(checkPart)
  const dynamic = codes.find((code) => code !== undefined)
  if (dynamic !== undefined) return dynamic
  if (TILDE.test(word.text)) return "dynamic-word"
  return hasForbiddenCharacter(word.value) ? "construct/control-character" : undefined
}

const checkSimpleCommand = (text: string, node: CommandNode): Result.Result<ParsedCommand, Refusal> => {
  if (node.type !== "Command") return Result.fail(refuse(compoundCode(node), text, node))
  const at = (code: RefusalCode, where: Node) => Result.fail(refuse(code, text, where))
  for (const item of [...node.prefix, ...node.suffix]) {
    switch (item.type) {
      case "Word":
        break
      case "Assignment":
        return at("construct/assignment", item)
      case "Redirect":
        return at("construct/redirection", item)
      case "HereDoc":
        return at("construct/here-document", item)
      case "HereString":
        return at("construct/here-string", item)
      default:
        return at("construct/unknown", node)
    }
  }
  const name = node.name
  if (name === undefined) return at("parse", node)
  const words = [name, ...node.suffix.filter((item) => item.type === "Word")]
  for (const word of words) {
    const code = checkWord(word)
    if (code !== undefined) return at(word === name && code === "dynamic-word" ? "dynamic-command-name" : code, word)
  }
  return Result.succeed({
    argv: [name.value, ...words.slice(1).map((word) => word.value)],
    span: [node.pos, node.end]
  })
}

const compoundCode = (node: Exclude<PipelineNode, { readonly type: "Command" }>): RefusalCode => {
  switch (node.type) {
    case "Pipeline":
      if (node.commands.length > 1) return "construct/pipeline"
      return node.prefixes[0]?.type === "Time" ? "construct/time" : "construct/negation"
    case "Redirected":
      return "construct/redirection"
    case "Subshell":
    case "BraceGroup":
      return "construct/group"
    case "If":
    case "Case":
      return "construct/condition"
    case "For":
    case "While":
    case "Select":
    case "ArithmeticFor":
      return "construct/loop"
    case "Function":
      return "construct/function"
    case "Coproc":
      return "construct/coprocess"
    case "TestCommand":
      return "construct/test"
    case "ArithmeticCommand":
      return "construct/arithmetic"
    default:
      return "construct/unknown"
  }
}

const checkStatement = (text: string, statement: Statement): Result.Result<ParsedCommand, Refusal> => {
  if (statement.background === true) return Result.fail(refuse("construct/background", text, statement))
  const { command } = statement
  switch (command.type) {
    case "AndOr":
      return Result.fail(refuse("construct/list", text, command))
    case "Pipeline":
      return Result.fail(refuse(compoundCode(command), text, command))
    default:
      return checkSimpleCommand(text, command)
  }
}

const checkScript = (text: string): Result.Result<ReadonlyArray<ParsedCommand>, Refusal> => {
  const script = parse(text)
  const [error] = script.errors ?? []
  if (error !== undefined) return Result.fail(refuse("parse", text, { pos: error.pos, end: text.length }))
  const [first, second] = script.commands
  if (first === undefined) return Result.fail(refuse("parse", text))
  if (script.commands.length > MAX_COMMANDS) return Result.fail(refuse("too-many-commands", text))
  if (second !== undefined) return Result.fail(refuse("construct/list", text))
  return Result.map(checkStatement(text, first), (command) => [command])
}

/**
 * Parses a text into its simple commands: for now exactly one, of static words. Any parse error, any other construct and
 * a parser that gives up (a stack overflow is a `RangeError`) is a refusal.
 */
export const parseShell = (text: string): Result.Result<ReadonlyArray<ParsedCommand>, Refusal> => {
  if (NESTING.some((opener) => (text.match(opener)?.length ?? 0) > MAX_NESTING)) {
    return Result.fail(refuse("too-many-commands", text))
  }
  // A backslash at the very end escapes nothing, and shells disagree about it.
  if (/(?<!\\)(?:\\\\)*\\$/.test(text)) return Result.fail(refuse("parse", text))
  return Result.flatMap(
    Result.try({ try: () => checkScript(text), catch: () => refuse("parse", text) }),
    (result) => result
  )
}
