import { stopText, type StopOrder } from "../../ssh/process/Killer.ts"
import { encodeText, type LoginShell } from "../../ssh/process/LoginShell.ts"
import { canExec, runText } from "../../ssh/process/RemoteCommand.ts"

/** What the text of an exec request asks a simulated host to do. */
export type ExecRequest =
  /** Run the canonical text `command`. `form` is the shell that the text was made for; undefined for the probing text. */
  | { readonly _tag: "Run"; readonly tag: string; readonly command: string; readonly form: LoginShell | undefined }
  | { readonly _tag: "Stop"; readonly order: StopOrder }
  /** None of the texts that the product makes. */
  | { readonly _tag: "Unknown" }

const UNKNOWN: ExecRequest = { _tag: "Unknown" }

const TAG = /^[0-9a-f]{32}$/

/** The words of a text whose quoting is that of `quoteWord`: single quotes, and a backslash before one character. */
const words = (text: string): ReadonlyArray<string> => {
  const found: Array<string> = []
  let word = ""
  let inWord = false
  for (let at = 0; at < text.length; at++) {
    const character = text.charAt(at)
    if (character === " ") {
      if (inWord) found.push(word)
      word = ""
      inWord = false
      continue
    }
    inWord = true
    if (character === "'") {
      const end = text.indexOf("'", at + 1)
      word += text.slice(at + 1, end < 0 ? undefined : end)
      at = end < 0 ? text.length : end
    } else if (character === "\\") word += text.charAt(++at)
    else word += character
  }
  return inWord ? [...found, word] : found
}

/** The reverse of `encodeText`. */
const decodeText = (encoded: string): string =>
  encoded.replace(/(?:\\0[0-7]{3})+/g, (run) =>
    Buffer.from(Array.from(run.matchAll(/\\0([0-7]{3})/g), ([, digits]) => Number.parseInt(digits ?? "0", 8))).toString(
      "utf8"
    )
  )

const withoutExec = (text: string): string =>
  text.startsWith("exec ") && canExec(text.slice("exec ".length)) ? text.slice("exec ".length) : text

/** The tag and the command in the text for a POSIX shell. */
const POSIX_TEXT = /^printf "MCPRUN %s %s\\n" ([0-9a-f]{32}) \$\$ >&2; export LC_MCP_RUN=\1; ([^]*)$/

const readPosix = (text: string, form: LoginShell): ExecRequest => {
  const [, tag, command] = POSIX_TEXT.exec(text) ?? []
  return tag === undefined || command === undefined
    ? UNKNOWN
    : { _tag: "Run", tag, command: withoutExec(command), form }
}

const read = (text: string): ExecRequest => {
  if (!text.startsWith("exec sh -c ")) return readPosix(text, "posix")
  const [script = "", name, tag = "", ...rest] = words(text).slice(3)
  if (name === undefined) return readPosix(script, "other")
  if (name === "sh" && rest.length === 2 && encodeText(decodeText(rest[0] ?? "")) === rest[0]) {
    return { _tag: "Run", tag, command: withoutExec(decodeText(rest[0] ?? "")), form: undefined }
  }
  if (name !== "mcpstop") return UNKNOWN
  const [pid, alive, grace, sudo] = rest
  const order = { tag, pid: Number(pid), alive: alive === "1", graceTenths: Number(grace), sudo: sudo === "1" }
  return { _tag: "Stop", order }
}

/**
 * Reads the text of an exec request. Only what the product would send for the very request that was read is one: another
 * text, however like it, is `Unknown`.
 */
export const readExec = (text: string): ExecRequest => {
  const request = read(text)
  switch (request._tag) {
    case "Run":
      return TAG.test(request.tag) && runText(request.form, request.tag, request.command) === text ? request : UNKNOWN
    case "Stop":
      return TAG.test(request.order.tag) && stopText(request.order) === text ? request : UNKNOWN
    case "Unknown":
      return request
  }
}

/** Whether a login shell can read the text: fish and csh quote otherwise, and are sent the probing text alone. */
export const isReadBy = (request: ExecRequest, shell: LoginShell): boolean =>
  request._tag !== "Run" || request.form === undefined || shell !== "foreign"
