import type { Assignment, Command, Redirection, Word as Node } from "unbash"
import { isScriptVariable } from "../Environment.ts"
import { isProgramName } from "../ProgramName.ts"
import { type SimpleCommand, wordsText } from "../SimpleCommand.ts"
import { isText, renderWord, unknownWord, type Word, type Words } from "../Word.ts"
import { type Place, type Reader, MAX_COMMANDS, recordValue, refuseAt } from "./Reader.ts"
import { readRedirections, type Redirections } from "./Redirections.ts"
import type { Value } from "./Variables.ts"
import { readWord } from "./WordReader.ts"

const isRedirection = (item: Command["prefix"][number] | Command["suffix"][number]): item is Redirection =>
  item.type === "Redirect" || item.type === "HereDoc" || item.type === "HereString"

interface ReadAssignment {
  readonly name: string
  readonly value: Value
  /** `name=value`. */
  readonly text: string
}

const readAssignment = (reader: Reader, node: Assignment): ReadAssignment | undefined => {
  const { append, index, name, value } = node
  if (value.type !== "Word" || append === true || index !== undefined || !/^[A-Za-z_]\w*$/.test(name)) {
    refuseAt(reader, "construct/assignment", node)
    return undefined
  }
  // A `~` behind a `:` would expand too, as in PATH.
  if (/:~/.test(value.text)) refuseAt(reader, "construct/tilde", node)
  const read = readWord(reader, value)
  return {
    name,
    value: read,
    text: `${name}=${read.word._tag === "Static" && read.word.text === "" ? "" : renderWord(read.word)}`
  }
}

const isAssignment = (read: ReadAssignment | undefined): read is ReadAssignment => read !== undefined

const assign = (reader: Reader, { name, value }: ReadAssignment, where: Place): void => {
  if (!isScriptVariable(name)) {
    refuseAt(reader, "env-assignment", where)
    return
  }
  recordValue(reader, name, value)
  reader.assigned = new Set([...reader.assigned, name])
}

/** Commands that may set any variable, now or later. */
const SETS_ANY = new Set(
  "eval . source getopts let export declare typeset local readonly unset mapfile readarray set".split(" ")
)

/** What a command may set without an assignment is not followed: nothing is then taken for known. */
const recordUnseen = (reader: Reader, words: Words): void => {
  const has = (test: (text: string) => boolean) => words.some((word) => word._tag === "Static" && test(word.text))
  const prints =
    has((text) => text === "printf") &&
    words.slice(1).some((word) => word._tag === "Dynamic" || word.text.startsWith("-v"))
  if (prints || has((text) => SETS_ANY.has(text))) reader.setsUnseen = true
  if (!has((text) => text === "read")) return
  for (const word of words) {
    if (word._tag === "Dynamic") reader.setsUnseen = true
    else recordValue(reader, word.text, { word: unknownWord("", "one"), number: undefined })
  }
}

/** `break`, `continue` and `exit` with a number: they run nothing, and belong to the grammar like `done`. */
const isControl = (reader: Reader, node: Command, words: Words): boolean => {
  const [name, count, more] = words
  if (more !== undefined || node.prefix.length > 0 || node.suffix.some(isRedirection)) return false
  if (isText(name, "exit")) {
    return count === undefined || /^\d{1,3}$/.test(count.text) || /^"?\$\?"?$/.test(count.text)
  }
  if (reader.loops === 0 || !(isText(name, "break") || isText(name, "continue"))) return false
  return count === undefined || (count._tag === "Static" && /^[1-9]$/.test(count.text))
}

/** Reads the arguments; a command that takes assignments (`export a=b`) is a built-in that is denied anyway. */
const readWords = (reader: Reader, nodes: Command["suffix"]): ReadonlyArray<Word> =>
  nodes.flatMap((node): ReadonlyArray<Word> => {
    if (isRedirection(node)) return []
    if (node.type === "Word") return [readWord(reader, node).word]
    refuseAt(reader, "construct/assignment", node)
    return []
  })

const readName = (reader: Reader, node: Node): Word => {
  const { word } = readWord(reader, node)
  if (word._tag === "Dynamic") refuseAt(reader, "dynamic-command-name", node)
  else if (!isProgramName(word.text)) refuseAt(reader, "command-name", node)
  return word
}

const assignmentNodes = (node: Command): ReadonlyArray<Assignment> =>
  node.prefix.filter((item) => item.type === "Assignment")

const redirectionNodes = (node: Command): ReadonlyArray<Redirection> =>
  [...node.prefix, ...node.suffix].filter(isRedirection)

/** A statement of assignments alone: they set the script's own variables, in order. */
const readAssignments = (reader: Reader, node: Command): string =>
  assignmentNodes(node)
    .map((each) => {
      const read = readAssignment(reader, each)
      if (read === undefined) return ""
      assign(reader, read, each)
      return read.text
    })
    .join(" ")

/** Adds a command and those in its substitutions, in the order of the text: the command first. */
const addCommand = (reader: Reader, node: Command, read: () => Omit<SimpleCommand, "span"> | undefined): void => {
  if (++reader.count > MAX_COMMANDS) refuseAt(reader, "too-many-commands", node)
  const { commands } = reader
  reader.commands = []
  const command = read()
  const inside = reader.commands
  reader.commands = commands
  const { end, pos } = reader.place ?? node
  if (command !== undefined) commands.push({ ...command, span: [pos, end] })
  commands.push(...inside)
}

const commandText = (assignments: ReadonlyArray<ReadAssignment>, words: Words, redirections: Redirections): string =>
  [...assignments.map((each) => each.text), wordsText(words)].join(" ") + redirections.text

/** Reads a simple command and gives its canonical text. */
export const readCommand = (reader: Reader, node: Command): string => {
  const { name } = node
  if (name === undefined) {
    // Without a command there is no rule that could allow a redirection.
    const [redirection] = redirectionNodes(node)
    if (redirection !== undefined) return refuseAt(reader, "construct/redirection-alone", redirection)
    let text = ""
    addCommand(reader, node, () => {
      text = readAssignments(reader, node)
      return undefined
    })
    return text
  }
  let text = ""
  addCommand(reader, node, () => {
    const assignments = assignmentNodes(node)
      .map((each) => readAssignment(reader, each))
      .filter(isAssignment)
    const given: Words = [readName(reader, name), ...readWords(reader, node.suffix)]
    const redirections = readRedirections(reader, redirectionNodes(node))
    reader.pending.push(...redirections.bodies)
    if (isControl(reader, node, given)) {
      text = wordsText(given)
      return undefined
    }
    recordUnseen(reader, given)
    const words = reader.rewrite(given)
    text = commandText(assignments, words, redirections)
    return {
      words,
      written: given,
      assignments: assignments.map((each) => each.name),
      redirections: [...redirections.files, ...reader.enclosing],
      text
    }
  })
  return text
}
