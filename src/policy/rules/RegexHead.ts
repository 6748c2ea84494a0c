/** What every match of a regular expression begins with. */
export interface RegexHead {
  readonly text: string
  /** Whether it is the whole match. */
  readonly isWhole: boolean
}

const NO_HEAD: RegexHead = { text: "", isWhole: false }

/** The place behind the set that opens at `open`, or none when where it ends is not certain (RE2 syntax). */
const endOfSet = (source: string, open: number): number | undefined => {
  let at = open + 1
  if (source[at] === "^") at++
  if (source[at] === "]") at++
  while (at < source.length) {
    const character = source[at]
    if (character === "]") return at + 1
    if (character === "[" && source[at - 1] === "-") return undefined
    const named = character === "[" && source[at + 1] === ":" ? source.indexOf(":]", at + 2) : -1
    at = named >= 0 ? named + 2 : character === "\\" ? at + 2 : at + 1
  }
  return undefined
}

/** Whether a regular expression may be a choice between alternatives as a whole, outside of every group. */
const mayAlternate = (source: string): boolean => {
  let depth = 0
  for (let at = 0; at < source.length;) {
    switch (source[at]) {
      case "\\":
        if (source[at + 1] === "Q") return true
        at += 2
        continue
      case "[": {
        const end = endOfSet(source, at)
        if (end === undefined) return true
        at = end
        continue
      }
      case "(":
        depth++
        break
      case ")":
        depth--
        break
      case "|":
        if (depth <= 0) return true
    }
    at++
  }
  return false
}

/**
 * The literal text before the first character with a meaning. Shorter than it might be where that is not plain: a choice as
 * a whole has none, and a character that a quantifier makes optional ends it.
 */
export const regexHead = (source: string): RegexHead => {
  if (mayAlternate(source)) return NO_HEAD
  const characters = Array.from(source.startsWith("^") ? source.slice(1) : source)
  let text = ""
  for (let at = 0; at < characters.length;) {
    const character = characters[at] ?? ""
    const isEscape = character === "\\"
    const literal = isEscape ? (characters[at + 1] ?? "") : character
    if (isEscape ? !/^[!-/:-@[-`{-~]$/.test(literal) : /^[.[\](){}|*+?^$]$/.test(literal)) {
      return { text, isWhole: character === "$" && at === characters.length - 1 }
    }
    at += isEscape ? 2 : 1
    const next = characters[at] ?? ""
    if (next === "*" || next === "?" || next === "{") return { text, isWhole: false }
    text += literal
    if (next === "+") return { text, isWhole: false }
  }
  return { text, isWhole: true }
}
