import type { PlannedCommand } from "./Plan.ts"
import type { CheckedCommand } from "./shell/ShellCommand.ts"
import type { DynamicWord } from "./shell/Word.ts"

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
const mayBecome = (text: string, word: DynamicWord): boolean =>
  endsWithStartOf(word.prefix, text) || startsWithEndOf(word.suffix, text)

/** The words that the host expands and that show a part of what they become, each kind of them once. */
const literalEnds = ({ commands }: CheckedCommand): ReadonlyArray<DynamicWord> => {
  const found = new Map<string, DynamicWord>()
  for (const { words } of commands) {
    for (const word of words) {
      if (word._tag === "Static" || (word.prefix.length < MIN_OVERLAP && word.suffix.length < MIN_OVERLAP)) continue
      found.set(`${word.prefix}\0${word.suffix}`, word)
    }
  }
  return [...found.values()]
}

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
  const ends = literalEnds(command)
  return texts.some((text) => forms.some((form) => form.includes(text)) || ends.some((word) => mayBecome(text, word)))
}
