import { Result } from "effect"
import { type ConfigLine, parseLine } from "./Line.ts"

/** A line and where it stands. */
export interface Directive extends ConfigLine {
  /** `file:line`, the file as it was named. */
  readonly place: string
}

/** A file as it is evaluated: its lines in order, with the files that an `Include` stands for in its place. */
export type Item =
  | { readonly _tag: "Line"; readonly line: Directive }
  | { readonly _tag: "Include"; readonly line: Directive; readonly files: ReadonlyArray<ReadonlyArray<Item>> }

/** Something in the files that is not carried over. */
export interface Fault {
  readonly place: string
  readonly message: string
}

/** The lines of one file, and those that cannot be read. */
export const parseFile = (
  name: string,
  text: string
): { readonly lines: ReadonlyArray<Directive>; readonly faults: ReadonlyArray<Fault> } => {
  const lines: Array<Directive> = []
  const faults: Array<Fault> = []
  for (const [index, raw] of text.split("\n").entries()) {
    const place = `${name}:${index + 1}`
    const parsed = parseLine(raw)
    if (Result.isFailure(parsed)) faults.push({ place, message: parsed.failure })
    else if (parsed.success !== undefined) lines.push({ ...parsed.success, place })
  }
  return { lines, faults }
}

/** Every line in the order of evaluation, included ones in their place. */
export const allLines = (items: ReadonlyArray<Item>): ReadonlyArray<Directive> =>
  items.flatMap((item) => (item._tag === "Line" ? [item.line] : item.files.flatMap(allLines)))
