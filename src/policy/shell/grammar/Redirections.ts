import type { HereDoc, Redirect, Redirection } from "unbash"
import { quoteWord } from "../Quote.ts"
import type { FileRedirection } from "../SimpleCommand.ts"
import { type Reader, refuseAt } from "./Reader.ts"
import { readWord } from "./WordReader.ts"

/** The redirections of one command: their canonical text, the files, and the here-documents that follow the line. */
export interface Redirections {
  /** With a blank before each; empty when there is none. */
  readonly text: string
  readonly files: ReadonlyArray<FileRedirection>
  readonly bodies: ReadonlyArray<string>
}

const NONE: Redirections = { text: "", files: [], bodies: [] }

const refused = (reader: Reader, code: Parameters<typeof refuseAt>[1], where: Redirection): Redirections => {
  refuseAt(reader, code, where)
  return NONE
}

const FILES: Readonly<Record<string, { readonly access: FileRedirection["access"]; readonly canonical: string }>> = {
  ">": { access: "write", canonical: ">" },
  ">|": { access: "write", canonical: ">" },
  ">>": { access: "write", canonical: ">>" },
  "<": { access: "read", canonical: "<" }
}

/** One digit: dash takes `10>` for the word `1` and descriptor 0. */
const descriptorOf = (node: Redirect | HereDoc): string | undefined => {
  const { descriptor } = node
  if (descriptor === undefined) return ""
  return descriptor.type === "FileDescriptor" && descriptor.value <= 9 ? String(descriptor.value) : undefined
}

const fileOf = (access: FileRedirection["access"], path: string): ReadonlyArray<FileRedirection> =>
  path === "/dev/null" ? [] : [{ access, path }]

/** `&>file` and `>&file` are bash's own, and dash reads `cmd &` in the first: both become POSIX. */
const bothStreams = (operator: ">" | ">>", path: string): Redirections => ({
  text: ` ${operator}${quoteWord(path)} 2>&1`,
  files: fileOf("write", path),
  bodies: []
})

const readRedirect = (reader: Reader, node: Redirect): Redirections => {
  const descriptor = descriptorOf(node)
  if (descriptor === undefined || node.target === undefined) return refused(reader, "construct/redirection", node)
  const { word } = readWord(reader, node.target)
  if (word._tag !== "Static" || word.text === "") return refused(reader, "construct/redirection-target", node)
  const target = word.text
  const { operator } = node
  if (operator === "&>" || operator === "&>>") {
    return descriptor === ""
      ? bothStreams(operator === "&>" ? ">" : ">>", target)
      : refused(reader, "construct/redirection", node)
  }
  if (operator === ">&" || operator === "<&") {
    if (/^[0-9-]$/.test(target)) return { text: ` ${descriptor}${operator}${target}`, files: [], bodies: [] }
    return operator === ">&" && descriptor === "" && !/^[\d-]/.test(target)
      ? bothStreams(">", target)
      : refused(reader, "construct/redirection", node)
  }
  const file = FILES[operator]
  return file === undefined
    ? refused(reader, "construct/redirection", node)
    : { text: ` ${descriptor}${file.canonical}${quoteWord(target)}`, files: fileOf(file.access, target), bodies: [] }
}

/** A delimiter that no line of the body is. */
const delimiterFor = (body: string): string => {
  const lines = new Set(body.split("\n"))
  let delimiter = "EOF"
  for (let number = 1; lines.has(delimiter); number++) delimiter = `EOF${number}`
  return delimiter
}

/** A here-document is data: with an unquoted delimiter only when nothing in it would expand. */
const readHereDoc = (reader: Reader, node: HereDoc): Redirections => {
  const descriptor = descriptorOf(node)
  // Inside $( ), bash 5.2 loses the line end after a here-document.
  if (reader.substitutions > 0) return refused(reader, "construct/here-document-inside", node)
  if (descriptor === undefined || node.delimiter === undefined || node.closing === undefined) {
    return refused(reader, "parse", node)
  }
  if (!node.delimiter.quoted && /[$`\\]/.test(node.body.text)) return refused(reader, "construct/here-document", node)
  const body = node.operator === "<<-" ? node.body.text.replace(/^\t+/gm, "") : node.body.text
  const delimiter = delimiterFor(body)
  return { text: ` ${descriptor}<<'${delimiter}'`, files: [], bodies: [`${body}${delimiter}\n`] }
}

const readOne = (reader: Reader, node: Redirection): Redirections => {
  switch (node.type) {
    case "Redirect":
      return readRedirect(reader, node)
    case "HereDoc":
      return readHereDoc(reader, node)
    case "HereString":
      return refused(reader, "construct/here-string", node)
    default:
      return refused(reader, "construct/unknown", node)
  }
}

/** Reads redirections in their order, which is the order of their effects. */
export const readRedirections = (reader: Reader, nodes: ReadonlyArray<Redirection>): Redirections => {
  if (nodes.length === 0) return NONE
  const all = nodes.map((node) => readOne(reader, node))
  return {
    text: all.map((each) => each.text).join(""),
    files: all.flatMap((each) => each.files),
    bodies: all.flatMap((each) => each.bodies)
  }
}
