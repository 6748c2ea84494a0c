import { Effect, Stdio } from "effect"
import { makePrinter } from "../Printer.ts"
import { printable } from "../Table.ts"

/** How the walk-through tells what it does: headings, calls, answers and remarks. Colours only on a terminal. */
export interface Narration {
  /** A numbered heading and what is about to be shown. */
  readonly step: (title: string) => Effect.Effect<void>
  readonly remark: (text: string) => Effect.Effect<void>
  readonly call: (name: string, input: object) => Effect.Effect<void>
  /** The fields of an answer, one a line; long ones go on below. */
  readonly answer: (value: unknown) => Effect.Effect<void>
}

/** Columns of one shown line. */
const WIDTH = 110

/** Lines shown of one text; what is left is cut off with a mark. */
const MAX_LINES = 8

/** A text in lines of at most `WIDTH`, broken after a blank or a comma where there is one. Pure. */
export const wrap = (text: string): ReadonlyArray<string> => {
  const lines: Array<string> = []
  let rest = text
  while (rest.length > WIDTH && lines.length < MAX_LINES - 1) {
    const head = rest.slice(0, WIDTH)
    const end = Math.max(head.lastIndexOf(" "), head.lastIndexOf(",")) + 1
    lines.push(head.slice(0, end === 0 ? WIDTH : end).trimEnd())
    rest = rest.slice(end === 0 ? WIDTH : end)
  }
  return [...lines, rest.length > WIDTH ? `${rest.slice(0, WIDTH - 1)}…` : rest]
}

const shown = (value: unknown): ReadonlyArray<string> => {
  if (typeof value !== "string") return wrap(printable(JSON.stringify(value)))
  const lines = value.split("\n")
  if (lines.at(-1) === "") lines.pop()
  return lines.flatMap((line) => wrap(printable(line)))
}

/** The lines of a field: behind its name when it is one line, below it otherwise. Pure. */
export const fieldLines = (name: string, value: unknown): ReadonlyArray<string> => {
  const isList = Array.isArray(value) && value.length > 1 && value.every((item) => typeof item === "object")
  const lines = isList ? value.flatMap(shown) : shown(value)
  return lines.length === 1 && !isList
    ? [`${name}: ${lines[0] ?? ""}`]
    : [`${name}:`, ...lines.map((line) => `  ${line}`)]
}

/** A narration on this process's stdout. */
export const makeNarration = Effect.gen(function* () {
  const printer = yield* makePrinter
  const coloured = yield* (yield* Stdio.Stdio).stdoutIsTerminal
  const paint = (code: number, text: string) => (coloured ? `\u001b[${code}m${text}\u001b[0m` : text)
  let steps = 0
  const narration: Narration = {
    step: (title) =>
      Effect.suspend(() => {
        steps += 1
        return printer.out(`\n${paint(1, `${steps}. ${title}`)}\n`)
      }),
    remark: (text) => printer.out(`   ${text}\n`),
    call: (name, input) => printer.out(`   ${paint(36, `→ ${name}`)} ${JSON.stringify(input)}\n`),
    answer: (value) =>
      printer.out(
        (typeof value === "object" && value !== null && !Array.isArray(value)
          ? Object.entries(value).flatMap(([name, field]) => fieldLines(name, field))
          : shown(value)
        )
          .map((line) => `   ${paint(32, "←")} ${line}\n`)
          .join("")
      )
  }
  return narration
})
