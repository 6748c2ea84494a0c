/** What may stand before a `/` that opens a regular expression; anywhere else it is taken for a division. */
const BEFORE_REGEX = /[({,!~&|;}\n]/

/**
 * Whether an awk program cannot run a command or write a file, as far as its text tells: no `system`, no pipe, no `>` in
 * a print statement, no `@` directive, no network file. Where the text is ambiguous it is taken the dangerous way.
 */
export const isPlainAwkProgram = (program: string): boolean => {
  if (/\bsystem\b|\/inet|\bclose\b|\bfflush\b|\bextension\b/.test(program)) return false
  let printing = false
  let depth = 0
  let previous = "\n"
  for (let at = 0; at < program.length; at++) {
    const character = program[at] ?? ""
    if (character === '"') {
      const string = /"(?:[^"\\\n]|\\.)*"/sy
      string.lastIndex = at
      if (!string.test(program)) return false
      at = string.lastIndex - 1
    } else if (character === "/" && BEFORE_REGEX.test(previous)) {
      const regex = /\/(?:[^/\\[\n]|\\.|\[\^?\]?[^\]/\\\n"]*\])*\//y
      regex.lastIndex = at
      if (!regex.test(program)) return false
      at = regex.lastIndex - 1
    } else if (character === "#" || character === "@" || character === "\\") {
      // A comment or a continued line could shift what follows; `@` calls by name or loads.
      return false
    } else if (character === "|") {
      if (program[at + 1] !== "|") return false
      at++
    } else if (character === ">") {
      if (printing && depth === 0) return false
    } else if (character === "(") depth++
    else if (character === ")") depth--
    else if (character === ";" || character === "{" || character === "}") {
      printing = false
      depth = 0
    } else if (character === "\n") {
      if (!/[,&|]/.test(previous)) printing = false
    } else if (/[A-Za-z_]/.test(character)) {
      const word = /\w+/y
      word.lastIndex = at
      const [name = ""] = word.exec(program) ?? []
      if (name === "print" || name === "printf") {
        printing = true
        depth = 0
      }
      at += Math.max(name.length, 1) - 1
    }
    if (!/[ \t]/.test(character)) previous = program[at] ?? character
  }
  return true
}
