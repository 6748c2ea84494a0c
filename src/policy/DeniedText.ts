import type { PlannedCommand } from "./Plan.ts"
import type { CheckedCommand } from "./shell/ShellCommand.ts"
import type { Word } from "./shell/Word.ts"

/** Characters of a denied text that the literal part of a word must have in common with it, at least. */
const MIN_OVERLAP = 2

/** Whether some beginning of `text`, of two characters at least and not all of it, ends `head`. */
const endsWithStartOf = (head: string, text: string): boolean => {
  for (let length = Math.min(head.length, text.length - 1); length >= MIN_OVERLAP; length--) {
    if (head.endsWith(text.slice(0, length))) return true
  }
  return false
}

const startsWithEndOf = (tail: string, text: string): boolean => {
  for (let length = Math.min(tail.length, text.length - 1); length >= MIN_OVERLAP; length--) {
    if (tail.startsWith(text.slice(-length))) return true
  }
  return false
}

/** Whether a word that the host expands may become a denied text of which it shows a part: `/etc/sh*` for `/etc/shadow`. */
const mayBecome = (text: string, word: Word): boolean =>
  word._tag === "Dynamic" && (endsWithStartOf(word.prefix, text) || startsWithEndOf(word.suffix, text))

/**
 * Whether a configured text occurs in a command: in its raw, blank-collapsed, canonical or decoded form, or, as far as the
 * literal part of an expanded word tells, in what the host makes of it.
 */
export const holdsDeniedText = (
  texts: ReadonlyArray<string>,
  command: CheckedCommand,
  parts: ReadonlyArray<PlannedCommand>
): boolean => {
  if (texts.length === 0) return false
  const forms = [
    command.requested,
    command.requested.replace(/\s+/g, " "),
    command.canonical,
    ...parts.map((part) => part.argv.join(" "))
  ]
  const dynamic = command.commands.flatMap(({ words }) => words.filter((word) => word._tag === "Dynamic"))
  return texts.some(
    (text) => forms.some((form) => form.includes(text)) || dynamic.some((word) => mayBecome(text, word))
  )
}
