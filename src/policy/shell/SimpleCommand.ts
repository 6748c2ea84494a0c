import { quoteName } from "./Quote.ts"
import { renderWord, type Words } from "./Word.ts"

/** A file that a command reads from or writes to by redirection. `/dev/null` and descriptors need no permission and are left out. */
export interface FileRedirection {
  readonly access: "read" | "write"
  /** The decoded path, always static. */
  readonly path: string
}

/** One simple command of a text (POSIX XCU 2.9.1): what the rules are asked about. */
export interface SimpleCommand {
  /** The program's name and its arguments, as they will be executed. The name is static. */
  readonly words: Words
  /** The same as written, before the shell text among them (`sh -c`) was brought to its canonical form. */
  readonly written: Words
  /** Names of the variables that are set for this command alone (`NAME=value command`). */
  readonly assignments: ReadonlyArray<string>
  /** Its own redirections to files, and those of the compound commands around it. */
  readonly redirections: ReadonlyArray<FileRedirection>
  /** Its canonical text, with assignments and redirections. */
  readonly text: string
  /** Its place in the requested text: UTF-16 offsets, half open. */
  readonly span: readonly [number, number]
}

/** The canonical text of words alone. */
export const wordsText = (words: Words): string => {
  const [name, ...args] = words
  return [name._tag === "Static" ? quoteName(name.text) : name.text, ...args.map(renderWord)].join(" ")
}
