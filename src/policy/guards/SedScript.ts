/**
 * The commands of sed that only select and substitute text: `p d q Q =`, `s` with the flags `g p i I` and a number. Any
 * other, also `e`, `w`, `r` and `s///e`, is refused.
 */

const NUMBER = /\d+(?:~\d+)?|\$/y
const FLAGS = /[gpIi0-9]*/y
const SEPARATOR = /[\s;{}]*/y

/** The offset behind a run of `pattern` at `at`, or `at` itself. */
const skip = (pattern: RegExp, script: string, at: number): number => {
  pattern.lastIndex = at
  return pattern.test(script) ? pattern.lastIndex : at
}

/**
 * The offset behind a bracket expression at `at`, or none when a sed could see its end elsewhere: it holds the delimiter,
 * which some take for the end of the whole, or an escaped `]`, which some take for its end.
 */
const skipBracket = (script: string, at: number, delimiter: string): number | undefined => {
  const match = /\[\^?\]?(?:\[([:.=])[a-z]*\1\]|\[(?![:.=])|\\[^\]]|[^\][\\])*\]/y
  match.lastIndex = at
  const [bracket] = match.exec(script) ?? []
  return bracket === undefined || bracket.replaceAll(/\\./gs, "").includes(delimiter) ? undefined : at + bracket.length
}

/** The offset behind the next unescaped `delimiter`, or none. `brackets`: whether bracket expressions may hide one. */
const skipDelimited = (script: string, from: number, delimiter: string, brackets: boolean): number | undefined => {
  for (let at = from; at < script.length;) {
    const character = script[at]
    if (character === "\\") at += 2
    else if (character === delimiter) return at + 1
    else if (character === "[" && brackets) {
      const end = skipBracket(script, at, delimiter)
      if (end === undefined) return undefined
      at = end
    } else at++
  }
  return undefined
}

const skipAddress = (script: string, at: number): number | undefined => {
  if (script[at] !== "/") return skip(NUMBER, script, at)
  const end = skipDelimited(script, at + 1, "/", true)
  return end === undefined ? undefined : skip(/[IM]*/y, script, end)
}

const skipCommand = (script: string, from: number): number | undefined => {
  let at = skipAddress(script, from)
  if (at === undefined) return undefined
  if (script[at] === ",") {
    at = skipAddress(script, script[at + 1] === "+" || script[at + 1] === "~" ? at + 2 : at + 1)
    if (at === undefined) return undefined
  }
  at = skip(/[ \t]*!?[ \t]*/y, script, at)
  const command = script[at]
  if (command === undefined) return undefined
  if ("pd=".includes(command) || command === "{") return at + 1
  if ("qQ".includes(command)) return skip(/[ \t]*\d*/y, script, at + 1)
  if (command !== "s" && command !== "y") return undefined
  const delimiter = script[at + 1]
  if (delimiter === undefined || /[\w\s\\;[{}]/.test(delimiter)) return undefined
  const middle = skipDelimited(script, at + 2, delimiter, command === "s")
  const end = middle === undefined ? undefined : skipDelimited(script, middle, delimiter, false)
  return end === undefined ? undefined : skip(FLAGS, script, end)
}

/** Whether a sed script only prints, deletes, numbers, translates or substitutes. */
export const isPlainSedScript = (script: string): boolean => {
  let at = skip(SEPARATOR, script, 0)
  while (at < script.length) {
    const end = skipCommand(script, at)
    if (end === undefined) return false
    const next = skip(SEPARATOR, script, end)
    if (next === end && next < script.length && script[end - 1] !== "{") return false
    at = next
  }
  return true
}
