import { CliOutput } from "effect/cli"

/** Replaces control characters, so that a text from a file cannot steer the terminal. */
export const printable = (text: string): string => text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/gu, "?")

/**
 * Lines of a table with left-aligned columns two blanks apart, the header first. Cells are made printable. The last
 * column is not padded. Width is what a terminal
 * shows: wide characters count double.
 */
export const table = (
  header: ReadonlyArray<string>,
  rows: ReadonlyArray<ReadonlyArray<string>>
): ReadonlyArray<string> => {
  const cells = [header, ...rows].map((row) => row.map(printable))
  const widths = header.map((_, column) =>
    Math.max(0, ...cells.map((row) => CliOutput.displayWidth(row[column] ?? "")))
  )
  return cells.map((row) =>
    row
      .map((cell, column) => cell + " ".repeat(Math.max(0, (widths[column] ?? 0) - CliOutput.displayWidth(cell))))
      .join("  ")
      .trimEnd()
  )
}
