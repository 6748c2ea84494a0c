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

/** The offset behind the next unescaped `delimiter`, or none. A bracket expression that could hide one is refused. */
const skipDelimited = (script: string, from: number, delimiter: string): number | undefined => {
  for (let at = from; at < script.length; at++) {
    const character = script[at]
    if (character === "\\") at++
    else if (character === delimiter) {
      const open = script.slice(from, at).lastIndexOf("[")
      return open >= 0 && !script.slice(from + open, at).includes("]") ? undefined : at + 1
    }
  }
  return undefined
}

const skipAddress = (script: string, at: number): number | undefined => {
  if (script[at] !== "/") return skip(NUMBER, script, at)
  const end = skipDelimited(script, at + 1, "/")
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
  const middle = skipDelimited(script, at + 2, delimiter)
  const end = middle === undefined ? undefined : skipDelimited(script, middle, delimiter)
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
