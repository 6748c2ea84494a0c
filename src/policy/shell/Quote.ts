/** Words that every shell reads as themselves in any place but the first. */
const PLAIN = /^[A-Za-z0-9_@%+:,./-][A-Za-z0-9_@%+:,./=-]*$/

/** Words with a meaning of their own where a command may begin: POSIX XCU 2.4, and those of bash, ksh and zsh. */
const RESERVED: ReadonlySet<string> = new Set(
  (
    "if then else elif fi for in do done while until case esac function select time coproc " +
    "repeat foreach end nocorrect noglob always namespace"
  ).split(" ")
)

const quote = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`

/**
 * A word as shell text that any POSIX shell, and zsh, reads back as exactly this word. `esac` is quoted in any place, since
 * it could end a `case`.
 */
export const quoteWord = (word: string): string => (PLAIN.test(word) && word !== "esac" ? word : quote(word))

/** Like `quoteWord` for the first word, which must not look like an assignment or a reserved word either. */
export const quoteName = (word: string): string =>
  PLAIN.test(word) && !word.includes("=") && !RESERVED.has(word) ? word : quote(word)

/** The canonical text of a simple command: what is shown, audited and executed. */
export const quoteCommand = (argv: readonly [string, ...ReadonlyArray<string>]): string =>
  [quoteName(argv[0]), ...argv.slice(1).map(quoteWord)].join(" ")
