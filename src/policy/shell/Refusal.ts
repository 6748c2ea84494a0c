/** Why a text is refused before any rule is asked, by stable code: what is wrong, and what to do instead. */
const REASONS = {
  "invalid-text": "The command is not an acceptable text.",
  parse:
    "The command could not be parsed as complete shell text. Check its quotes, and that each if, loop and group is closed.",
  "too-long": "The command is too long.",
  "too-many-commands": "The command nests too deeply or holds too many commands. Run its parts one by one.",
  "dynamic-command-name": "The program's name must be a literal, not a variable, a substitution or a glob.",
  "command-name": "The program's name may not be empty, begin with -, = or %, or hold the path segments . or .. or //.",
  "env-assignment":
    "Only lower-case variables of the script's own may be set, none with a meaning to a shell. Use another name, in lower case.",
  "construct/background": "Background commands (&) are not accepted. Use ssh_run_async to start a command and go on.",
  "construct/redirection": "This redirection is not accepted. Use < > >> with one file, 2>&1, or descriptors 0 to 9.",
  "construct/redirection-target": "The file of a redirection must be a literal path.",
  "construct/redirection-alone": "A redirection without a command is not accepted. Put the command before it.",
  "construct/here-document":
    "A here-document with $, ` or \\ must have a quoted delimiter (<<'EOF'), so that its text is data.",
  "construct/here-document-inside": "Here-documents inside $( ) are not accepted. Run that command on its own.",
  "construct/here-string": "Here-strings (<<<) are not accepted. Use printf '%s\\n' ... | command.",
  "construct/process-substitution":
    "Process substitutions are not accepted. Use a pipe, or run the inner command on its own.",
  "construct/parameter":
    "This parameter expansion is not accepted. Use $name, ${name}, ${#name}, ${name:-word}, ${name#pattern} or ${name%pattern}.",
  "construct/arithmetic": "Only $(( )) with whole numbers, variables and operators without side effects is accepted.",
  "construct/arithmetic-variable":
    "A variable in $(( )) must be set in the same text to a number, to other arithmetic or to the count of wc -l or grep -c.",
  "construct/arithmetic-command": "(( )) is not accepted. Use test, or $(( )).",
  "construct/glob": "This glob is not accepted. Use *, ? and plain sets like [a-z] or [!0-9], or quote the word.",
  "construct/tilde": "Only a leading ~ or ~/path is accepted. Write the path out, or quote the word.",
  "construct/brace-expansion": "Brace expansion is not accepted. Write the words out, or quote the braces.",
  "construct/extended-glob": "Extended globs are not accepted. Quote the word to pass it literally.",
  "construct/locale-string": 'Translated strings ($"...") are not accepted. Use plain double quotes.',
  "construct/byte-escape":
    "Only \\n, \\t, quotes and codes of ASCII characters are accepted in $'...'. Write the text out.",
  "construct/control-character": "A word decodes to a control or invisible character. Leave it out.",
  "construct/assignment": "Arrays, += and assignments as arguments are not accepted. Use plain name=value.",
  "construct/loop": "This loop is not accepted. Use for name in words, while or until.",
  "construct/case-pattern": "In case, only literal patterns, * ? [a-z], and ;; are accepted.",
  "construct/function": "Functions are not accepted. Write their commands where they are used.",
  "construct/coprocess": "Coprocesses are not accepted. Run the command on its own.",
  "construct/test": "[[ ]] is not accepted. Use the test command.",
  "construct/time": "The time keyword is not accepted. Every result has its duration.",
  "construct/negation": "More than one ! is not accepted. Use one, or none.",
  "construct/unknown": "This shell construct is not accepted. Use plain POSIX shell."
} as const

/** The stable codes of a text that is refused before any rule is asked. */
export type RefusalCode = keyof typeof REASONS

/** Why a text is refused before any rule is asked. */
export interface Refusal {
  readonly code: string
  /** What is wrong and what to do instead, in a sentence. */
  readonly reason: string
  /** The offending piece of the text, at most 200 characters. */
  readonly text?: string
  /** Its place in the trimmed text: UTF-16 offsets, half open. */
  readonly span?: readonly [number, number]
}

const MAX_SHOWN = 200

/** Makes a refusal with the reason of its code, pointing at a piece of `text` when `where` is given. */
export const refuse = (
  code: RefusalCode,
  text: string,
  where?: { readonly pos: number; readonly end: number }
): Refusal =>
  where === undefined
    ? { code, reason: REASONS[code] }
    : {
        code,
        reason: REASONS[code],
        text: text.slice(where.pos, Math.min(where.end, where.pos + MAX_SHOWN)),
        span: [where.pos, where.end]
      }
