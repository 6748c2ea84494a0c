import { quoteCommand } from "../policy/shell/Quote.ts"

/**
 * The command text that a POSIX shell splits into exactly these words: each word is quoted where it has to be. A single
 * word is a command text already and is passed on untouched, as `ssh host "df -h"` does.
 */
export const joinWords = (words: readonly [string, ...ReadonlyArray<string>]): string =>
  words.length === 1 ? words[0] : quoteCommand(words)
