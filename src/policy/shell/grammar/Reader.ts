import type { ParsedScript } from "unbash"
import { type Refusal, type RefusalCode, refuse } from "../Refusal.ts"
import type { SimpleCommand, FileRedirection } from "../SimpleCommand.ts"
import type { Words } from "../Word.ts"
import { type Knowledge, UNKNOWN, type Value } from "./Variables.ts"

/** A place in the text: UTF-16 offsets, half open. */
export interface Place {
  readonly pos: number
  readonly end: number
}

/** What a reading of a script gathers. Made for one reading and not seen outside of it. */
export interface Reader {
  readonly text: string
  /** Brings the shell text inside a command (`sh -c`) to its canonical form. */
  readonly rewrite: (words: Words) => Words
  /** Reads the script of a substitution and gives its canonical text; here to keep words and statements in files of their own. */
  readonly readInner: (script: ParsedScript | undefined, where: Place) => string
  /** Values of variables by name, from an earlier reading of the same text; none in the first. */
  readonly knowledge: ReadonlyMap<string, Knowledge> | undefined
  /** The first refusal; nothing after it matters. */
  refusal: Refusal | undefined
  commands: Array<SimpleCommand>
  count: number
  /** Values that the text gives to variables. */
  readonly values: Map<string, Array<Value>>
  /** Whether a command may set variables in a way that is not followed. */
  setsUnseen: boolean
  /** Whether the text holds arithmetic on variables. */
  computes: boolean
  /** Variables that are certainly set here. */
  assigned: ReadonlySet<string>
  /** Files that compound commands around redirect to or from. */
  enclosing: ReadonlyArray<FileRedirection>
  /** Bodies of here-documents that begin at the end of the line. */
  pending: Array<string>
  /** Compound commands and substitutions around. */
  depth: number
  /** Substitutions around. */
  substitutions: number
  /** Loops around, in the same shell. */
  loops: number
  /** Where a text inside backquotes stands, whose own places count from its decoded form. */
  place: Place | undefined
}

/** Compound commands and substitutions in one another, at most. */
export const MAX_DEPTH = 16

/** Substitutions in one another, at most: the text of each holds those of all inside it. */
export const MAX_SUBSTITUTIONS = 8

/** Simple commands in a text, at most. */
export const MAX_COMMANDS = 256

/** Records why the text is refused, unless something before it was. Gives an empty text, for the reading to go on with. */
export const refuseAt = (reader: Reader, code: RefusalCode, where: Place): string => {
  reader.refusal ??= refuse(code, reader.text, reader.place ?? where)
  return ""
}

/** Records that a variable may have a value. */
export const recordValue = (reader: Reader, name: string, value: Value): void => {
  const values = reader.values.get(name)
  if (values === undefined) reader.values.set(name, [value])
  else values.push(value)
}

/** What is known of a variable at this place. */
export const knowledgeAt = (reader: Reader, name: string): Knowledge =>
  reader.assigned.has(name) ? (reader.knowledge?.get(name) ?? UNKNOWN) : UNKNOWN

/** Reads something whose assignments do not certainly happen, or happen in another shell. */
export const withoutAssignments = <A>(reader: Reader, read: () => A): A => {
  const { assigned } = reader
  const result = read()
  reader.assigned = assigned
  return result
}

/** Reads a compound command or a substitution, which may only be so deep. */
export const nested = (reader: Reader, where: Place, read: () => string): string => {
  if (reader.depth >= MAX_DEPTH) return refuseAt(reader, "too-many-commands", where)
  reader.depth++
  const result = read()
  reader.depth--
  return result
}

/** What stands between two statements: `;`, or the end of the line and the here-documents that begin there. */
export const separator = (reader: Reader): string => {
  if (reader.pending.length === 0) return "; "
  const bodies = reader.pending.join("")
  reader.pending = []
  return `\n${bodies}`
}
