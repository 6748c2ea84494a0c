import { Result } from "effect"
import { parse, type ParsedScript as Script } from "unbash"
import { knowledgeOfAll, type Knowledge } from "./grammar/Variables.ts"
import type { Reader } from "./grammar/Reader.ts"
import { readScript, readSubstitution } from "./grammar/Statements.ts"
import { type Refusal, refuse } from "./Refusal.ts"
import type { SimpleCommand } from "./SimpleCommand.ts"
import type { Words } from "./Word.ts"

/**
 * The parser's adapter: this file and `grammar/` are all that knows it. They accept a list of node types and refuse every
 * other, also those that a later version of the parser may bring.
 */

/** A text that was read to its end. */
export interface ParsedScript {
  /** Its simple commands, in the order of the text. */
  readonly commands: ReadonlyArray<SimpleCommand>
  /** The text rendered anew from what was read: what may be executed. */
  readonly canonical: string
}

/** Characters of a canonical text: quotes in quotes in quotes grow fourfold each time, and sshd takes 128 KiB. */
const MAX_CANONICAL_LENGTH = 65_536

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

const makeReader = (
  text: string,
  rewrite: (words: Words) => Words,
  knowledge: ReadonlyMap<string, Knowledge> | undefined
): Reader => {
  const reader: Reader = {
    text,
    rewrite,
    readInner: (script, where) => readSubstitution(reader, script, where),
    knowledge,
    refusal: undefined,
    commands: [],
    count: 0,
    values: new Map(),
    setsUnseen: false,
    computes: false,
    assigned: new Set(),
    enclosing: [],
    pending: [],
    depth: 0,
    substitutions: 0,
    loops: 0,
    place: undefined
  }
  return reader
}

const read = (reader: Reader, script: Script): Result.Result<ParsedScript, Refusal> => {
  const text = readScript(reader, script, script)
  // The end of the text ends the last here-document as well as a line end would.
  const canonical = reader.pending.length === 0 ? text : `${text}\n${reader.pending.join("")}`.trimEnd()
  if (reader.refusal !== undefined) return Result.fail(reader.refusal)
  if (canonical.length > MAX_CANONICAL_LENGTH) return Result.fail(refuse("too-long", reader.text))
  return Result.succeed({ commands: reader.commands, canonical })
}

/** Reads a text twice when it sets variables: what is known of them is known only at its end. */
const readTwice = (text: string, rewrite: (words: Words) => Words): Result.Result<ParsedScript, Refusal> => {
  const script = parse(text)
  const first = makeReader(text, rewrite, undefined)
  const result = read(first, script)
  // Without values there is nothing to know, but for arithmetic, in which an unknown variable is refused.
  if (Result.isFailure(result) || (first.values.size === 0 && !first.computes)) return result
  const knowledge: ReadonlyMap<string, Knowledge> = first.setsUnseen ? new Map() : knowledgeOfAll(first.values)
  return read(makeReader(text, rewrite, knowledge), script)
}

/**
 * Parses a text into its simple commands and renders it anew. Any parse error at any level, any construct that is not on
 * the list, and a parser that gives up (a stack overflow is a `RangeError`) is a refusal. `rewrite` brings shell text
 * inside a command to its canonical form.
 */
export const parseShell = (text: string, rewrite: (words: Words) => Words): Result.Result<ParsedScript, Refusal> => {
  if (text.length > MAX_NESTING && NESTING.some((opener) => (text.match(opener)?.length ?? 0) > MAX_NESTING)) {
    return Result.fail(refuse("too-many-commands", text))
  }
  // A backslash at the very end escapes nothing, and shells disagree about it.
  if (/(?<!\\)(?:\\\\)*\\$/.test(text)) return Result.fail(refuse("parse", text))
  return Result.flatMap(
    Result.try({ try: () => readTwice(text, rewrite), catch: () => refuse("parse", text) }),
    (result) => result
  )
}
