import type {
  AndOr,
  Case,
  Command,
  CommandNode,
  CompoundList,
  Elif,
  For,
  If,
  Pipeline,
  PipelineNode,
  Redirected,
  ParsedScript,
  Statement,
  While,
  Word as Node
} from "unbash"
import { isScriptVariable } from "../Environment.ts"
import type { RefusalCode } from "../Refusal.ts"
import { quoteName } from "../Quote.ts"
import { renderWord } from "../Word.ts"
import { readCommand } from "./Commands.ts"
import {
  MAX_SUBSTITUTIONS,
  nested,
  type Place,
  type Reader,
  recordValue,
  refuseAt,
  separator,
  withoutAssignments
} from "./Reader.ts"
import { readRedirections } from "./Redirections.ts"
import { readWord } from "./WordReader.ts"

/** Reads statements in a row; at least one. */
const readStatements = (reader: Reader, statements: ReadonlyArray<Statement>, where: Place): string => {
  if (statements.length === 0) return refuseAt(reader, "parse", where)
  return statements
    .map((statement, index) => (index === 0 ? "" : separator(reader)) + readStatement(reader, statement))
    .join("")
}

const readStatement = (reader: Reader, statement: Statement): string => {
  // Nothing behind a refusal matters, and reading on would cost time.
  if (reader.refusal !== undefined) return ""
  if (statement.background === true) return refuseAt(reader, "construct/background", statement)
  const { command } = statement
  return command.type === "AndOr" ? readAndOr(reader, command) : readPipelineNode(reader, command)
}

const readAndOr = (reader: Reader, node: AndOr): string =>
  node.commands
    .map((command, index) =>
      index === 0
        ? readPipelineNode(reader, command)
        : ` ${node.operators[index - 1]} ${withoutAssignments(reader, () => readPipelineNode(reader, command))}`
    )
    .join("")

const readPipelineNode = (reader: Reader, node: PipelineNode): string =>
  node.type === "Pipeline" ? readPipeline(reader, node) : readNode(reader, node)

/** An assignment and a control word have none: with a redirection they would be something else. */
const takesRedirections = (command: Command): boolean =>
  command.name !== undefined && !/^(?:break|continue|exit)$/.test(command.name.value)

const readPipeline = (reader: Reader, node: Pipeline): string => {
  const [prefix, second] = node.prefixes
  if (prefix?.type === "Time" || second?.type === "Time") return refuseAt(reader, "construct/time", prefix ?? node)
  if (second !== undefined) return refuseAt(reader, "construct/negation", second)
  // A `!` alone, which dash does not take.
  if (node.commands.length === 0) return refuseAt(reader, "parse", node)
  const parts = node.commands.map((command, index) => {
    const read = () => readNode(reader, command)
    const text = node.commands.length === 1 ? read() : inOtherShell(reader, read)
    if (node.operators[index] !== "|&") return text
    // `|&` is bash's own for both streams.
    return command.type === "Command" && !takesRedirections(command)
      ? refuseAt(reader, "construct/redirection-alone", command)
      : `${text} 2>&1`
  })
  return (prefix === undefined ? "" : "! ") + parts.join(" | ")
}

/** What runs in a shell of its own neither ends a loop around it nor sets variables outside. */
const inOtherShell = (reader: Reader, read: () => string): string => {
  const { loops } = reader
  reader.loops = 0
  const text = withoutAssignments(reader, read)
  reader.loops = loops
  return text
}

const inLoop = (reader: Reader, read: () => string): string => {
  reader.loops++
  const text = withoutAssignments(reader, read)
  reader.loops--
  return text
}

const REFUSED: Readonly<Record<string, RefusalCode>> = {
  Function: "construct/function",
  Coproc: "construct/coprocess",
  TestCommand: "construct/test",
  ArithmeticCommand: "construct/arithmetic-command",
  ArithmeticFor: "construct/loop",
  Select: "construct/loop"
}

const readNode = (reader: Reader, node: CommandNode): string => {
  switch (node.type) {
    case "Command":
      return readCommand(reader, node)
    case "Redirected":
      return readRedirected(reader, node)
    case "Subshell":
      return nested(reader, node, () => inOtherShell(reader, () => readSubshell(reader, node.body)))
    case "BraceGroup":
      return nested(reader, node, () => `{ ${readBody(reader, node.body)}}`)
    case "If":
      return nested(reader, node, () => readIf(reader, node))
    case "While":
      return nested(reader, node, () => readWhile(reader, node))
    case "For":
      return nested(reader, node, () => readFor(reader, node))
    case "Case":
      return nested(reader, node, () => readCase(reader, node))
    default:
      return refuseAt(reader, REFUSED[node.type] ?? "construct/unknown", node)
  }
}

/** A list and what ends it: `; `, or a line end with here-documents. */
const readBody = (reader: Reader, list: CompoundList): string => {
  const text = readStatements(reader, list.commands, list)
  return text + separator(reader)
}

const readSubshell = (reader: Reader, list: CompoundList): string => {
  const text = readStatements(reader, list.commands, list)
  const end = reader.pending.length === 0 ? "" : separator(reader)
  // Two opening parentheses in a row would be arithmetic.
  return `(${text.startsWith("(") ? " " : ""}${text}${end})`
}

const readBranch = (reader: Reader, keyword: string, branch: If | Elif): string => {
  const condition = readBody(reader, branch.clause)
  return `${keyword} ${condition}then ${withoutAssignments(reader, () => readBody(reader, branch.then))}`
}

const readIf = (reader: Reader, node: If): string => {
  const first = readBranch(reader, "if", node)
  return withoutAssignments(reader, () => {
    const others = node.elif.map((branch) => readBranch(reader, "elif", branch))
    const last = node.else === undefined ? "" : `else ${readBody(reader, node.else)}`
    return [first, ...others, last, "fi"].join("")
  })
}

const readWhile = (reader: Reader, node: While): string => {
  const condition = inCondition(reader, node.clause)
  return `${node.kind} ${condition}do ${inLoop(reader, () => readBody(reader, node.body))}done`
}

/** `break` in the condition of a loop is about that loop in some shells and about the next in others. */
const inCondition = (reader: Reader, list: CompoundList): string => {
  const { loops } = reader
  reader.loops = 0
  const text = readBody(reader, list)
  reader.loops = loops
  return text
}

/** The variable that an item of a list is, alone and unquoted, when it is certainly set. */
const listVariable = (reader: Reader, item: Node): string | undefined => {
  const name = /^\$(?:\{([A-Za-z_]\w*)\}|([A-Za-z_]\w*))$/.exec(item.text)
  const variable = name?.[1] ?? name?.[2]
  return variable !== undefined && reader.assigned.has(variable) ? variable : undefined
}

const readFor = (reader: Reader, node: For): string => {
  const name = node.name.text
  // Without a list, it would be the positional parameters.
  if (node.wordlist === undefined) return refuseAt(reader, "construct/loop", node)
  if (!isScriptVariable(name)) return refuseAt(reader, "env-assignment", node.name)
  const items = node.wordlist.map((item) => {
    const { number, word } = readWord(reader, item)
    // Each item of an expanded glob is one value; of a split value nothing is known.
    const value = word._tag === "Dynamic" && word.count === "each" ? ({ ...word, count: "one" } as const) : word
    const list = listVariable(reader, item)
    recordValue(reader, name, { word: value, number, ...(list === undefined ? {} : { fieldsOf: list }) })
    return renderWord(word)
  })
  const body = inLoop(reader, () => {
    reader.assigned = new Set([...reader.assigned, name])
    return readBody(reader, node.body)
  })
  return `for ${[name, "in", ...items].join(" ")}; do ${body}done`
}

const readPattern = (reader: Reader, node: Node): string => {
  const { word } = readWord(reader, node)
  if (word._tag === "Static") return quoteName(word.text)
  // A value in a pattern is a pattern itself to some shells and text to others.
  return word.count === "each" ? word.text : refuseAt(reader, "construct/case-pattern", node)
}

const readCase = (reader: Reader, node: Case): string => {
  const { word } = readWord(reader, node.word)
  const items = node.items.map((item) => {
    if (item.terminator !== undefined && item.terminator !== ";;")
      return refuseAt(reader, "construct/case-pattern", item)
    const patterns = item.pattern.map((pattern) => readPattern(reader, pattern)).join(" | ")
    const body =
      item.body.commands.length === 0
        ? ""
        : withoutAssignments(reader, () => ` ${readStatements(reader, item.body.commands, item)}`)
    return ` ${patterns})${body}${reader.pending.length === 0 ? " " : separator(reader)};;`
  })
  return `case ${renderWord(word)} in${items.join("")} esac`
}

const readRedirected = (reader: Reader, node: Redirected): string => {
  const redirections = readRedirections(reader, node.redirects)
  const { commands, enclosing } = reader
  const from = commands.length
  reader.enclosing = [...redirections.files, ...enclosing]
  // A redirection may fail, and then the command does not run.
  const text = withoutAssignments(reader, () => readNode(reader, node.command))
  reader.enclosing = enclosing
  // Assignments and control words open the file too, and no rule is asked about these.
  const [file] = redirections.files
  if (file !== undefined && !commands.slice(from).some((each) => each.redirections.includes(file))) {
    return refuseAt(reader, "construct/redirection-alone", node)
  }
  reader.pending.push(...redirections.bodies)
  return text + redirections.text
}

/** Reads a whole script, or that of a substitution: every level has errors of its own. */
export const readScript = (reader: Reader, script: ParsedScript, where: Place): string => {
  if ((script.errors?.length ?? 0) > 0) return refuseAt(reader, "parse", where)
  return readStatements(reader, script.commands, where)
}

/** Reads the script of a substitution. */
export const readSubstitution = (reader: Reader, script: ParsedScript | undefined, where: Place): string => {
  if (script === undefined) return refuseAt(reader, "parse", where)
  if (reader.substitutions >= MAX_SUBSTITUTIONS) return refuseAt(reader, "too-many-commands", where)
  return nested(reader, where, () =>
    inOtherShell(reader, () => {
      const { enclosing, pending, place } = reader
      // Redirections and here-documents around are not of what runs inside a word.
      reader.enclosing = []
      reader.pending = []
      reader.place = script.source === undefined ? place : (place ?? where)
      reader.substitutions++
      const text = readScript(reader, script, where)
      reader.substitutions--
      reader.place = place
      reader.pending = pending
      reader.enclosing = enclosing
      return text
    })
  )
}
