/** Why a text is refused before any rule is asked, by stable code: what is wrong, and what to do instead. */
const REASONS = {
  "invalid-text": "The command is not an acceptable text.",
  parse: "The command could not be parsed as one complete shell command. Check its quotes.",
  "too-long": "The command is too long.",
  "too-many-commands": "The command nests too deeply or holds too many commands. Run its parts one by one.",
  "dynamic-word":
    "A variable, glob or ~ is expanded on the host. Write the value out, or quote it to pass it literally.",
  "dynamic-command-name": "The program's name must be a literal, not a variable or a glob.",
  "command-name": "The program's name may not be empty, begin with -, = or %, or hold the path segments . or .. or //.",
  "construct/pipeline": "Pipelines are not supported. Run the first command alone, with its own options to filter.",
  "construct/list": "More than one command in a call is not supported. Run each command on its own.",
  "construct/background": "Background commands (&) are not supported. Use ssh_run_async to start a command and go on.",
  "construct/redirection": "Redirections are not supported. Output and errors are returned together without them.",
  "construct/here-document": "Here-documents are not supported.",
  "construct/here-string": "Here-strings are not supported.",
  "construct/substitution": "Command substitutions are not supported. Run the inner command first and use its output.",
  "construct/process-substitution": "Process substitutions are not supported. Run the inner command on its own.",
  "construct/arithmetic": "Arithmetic is not supported. Write the result out.",
  "construct/brace-expansion": "Brace expansion is not supported. Write the words out, or quote the braces.",
  "construct/extended-glob": "Extended globs are not supported. Quote the word to pass it literally.",
  "construct/locale-string": 'Translated strings ($"...") are not supported. Use plain double quotes.',
  "construct/byte-escape": "Escapes of bytes that are not UTF-8 text are not supported.",
  "construct/control-character": "A word decodes to a control or invisible character. Leave it out.",
  "construct/assignment": "Variable assignments are not supported. Run the command without them.",
  "construct/group": "Groups and subshells are not supported. Run each command on its own.",
  "construct/condition": "Conditions are not supported. Run each command on its own.",
  "construct/loop": "Loops are not supported. Run each command on its own.",
  "construct/function": "Function definitions are not supported. Run each command on its own.",
  "construct/coprocess": "Coprocesses are not supported. Run the command on its own.",
  "construct/test": "[[ ]] is not supported. Use the test command.",
  "construct/time": "The time keyword is not supported. Every result has its duration.",
  "construct/negation": "The ! prefix is not supported. Every result has its exit code.",
  "construct/unknown": "This shell construct is not supported. Run one plain command."
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
