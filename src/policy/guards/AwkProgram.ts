/** Tokens behind which a `/` opens a regular expression in every awk. */
const BEFORE_REGEX = /^[({,!~&|;}\n=<>?:*%^]$/

/** Words behind which a `/` opens a regular expression in some awk. */
const BEFORE_REGEX_WORDS = new Set("print printf return else do in getline case exit length delete next".split(" "))

/** Regular expressions whose end every awk sees in the same place: no escape, slash or `[` in a bracket expression. */
const REGEX = /\/(?:[^/\\[\n]|\\.|\[\^?\]?(?:\[:[a-z]+:\]|[^\][/\\\n])*\])*\//y
const SLASH_PAIR = /\/[^/\n]*\//y
const STRING = /"(?:[^"\\\n]|\\.)*"/sy
const NAME = /\w+/y
const NUMBER = /[0-9.]+/y

/** The offset behind a match of `pattern` at `at`, or none. */
const behind = (pattern: RegExp, text: string, at: number): number | undefined => {
  pattern.lastIndex = at
  return pattern.test(text) ? pattern.lastIndex : undefined
}

/** What a `/` behind a token is: a division, the start of a regular expression, or a matter of the awk. */
const slashMeaning = (previous: string): "division" | "regex" | "unclear" => {
  if (BEFORE_REGEX.test(previous)) return "regex"
  if (BEFORE_REGEX_WORDS.has(previous)) return "unclear"
  return /^[\w.]+$/.test(previous) || previous === "]" ? "division" : "unclear"
}

/** Whether a line that ends with this token may end a statement; behind an operator some awk reads on. */
const mayEndStatement = (previous: string): boolean => /^(?:[\w.]+|[)\]"/}{;\n])$/.test(previous)

/**
 * Whether an awk program cannot run a command or write a file, as far as its text tells: no `system`, no pipe, no `>` in
 * a print statement, no `@` directive, no file or network address for `getline`. Where its tokens depend on the awk, or
 * cannot be told, it is refused.
 */
export const isPlainAwkProgram = (program: string): boolean => {
  if (/\bsystem\b|\/inet|\bclose\b|\bfflush\b|\bextension\b/.test(program)) return false
  if (/\bgetline\b/.test(program) && program.includes("<")) return false
  let printing = false
  let depth = 0
  let previous = "\n"
  for (let at = 0; at < program.length;) {
    const character = program[at] ?? ""
    let end: number | undefined = at + 1
    let token = character
    if (character === " " || character === "\t") {
      at++
      continue
    }
    if (character === '"') end = behind(STRING, program, at)
    else if (character === "/") {
      const meaning = slashMeaning(previous)
      if (meaning === "regex") end = behind(REGEX, program, at)
      // As a regular expression it would need a second slash on its line.
      else if (meaning === "unclear" && behind(SLASH_PAIR, program, at) !== undefined) return false
    } else if (/[#@\\]/.test(character)) {
      // A comment or a continued line could shift what follows; `@` calls by name or loads.
      return false
    } else if (character === "|") {
      if (program[at + 1] !== "|") return false
      end = at + 2
    } else if (character === ">") {
      if (printing && depth === 0) return false
    } else if (character === "(") depth++
    else if (character === ")") depth--
    else if (/[;{}]/.test(character)) {
      printing = false
      depth = 0
    } else if (character === "\n") {
      if (mayEndStatement(previous)) printing = false
      else token = previous
    } else if (/[A-Za-z_]/.test(character)) {
      end = behind(NAME, program, at)
      token = program.slice(at, end)
      if (token === "print" || token === "printf") {
        printing = true
        depth = 0
      }
    } else if (/[0-9.]/.test(character)) {
      end = behind(NUMBER, program, at)
      token = "0"
    }
    if (end === undefined) return false
    at = end
    previous = token
  }
  return true
}
