/** Whether `character` is in the set that opens at `pattern[open]` ("["), and where the set ends. No end: not a set. */
const matchSet = (
  pattern: string,
  open: number,
  character: string
): { readonly end: number; readonly matches: boolean } | undefined => {
  let at = open + 1
  const negated = pattern[at] === "!"
  if (negated) at++
  let found = false
  for (let first = true; ; first = false) {
    const low = pattern[at]
    if (low === undefined) return undefined
    if (low === "]" && !first) return { end: at + 1, matches: found !== negated }
    const high = pattern[at + 2]
    if (pattern[at + 1] === "-" && high !== undefined && high !== "]") {
      found ||= low <= character && character <= high
      at += 3
    } else {
      found ||= low === character
      at++
    }
  }
}

/**
 * Whether the whole of `text` matches an fnmatch(3) pattern without flags: `*` any run of characters (also `/`), `?` one
 * UTF-16 unit, `[set]` and `[!set]` with ranges. There is no escape character; an unclosed `[` is literal. Case-sensitive.
 *
 * Iterative with one back-track point: its steps are at most pattern length times text length, whatever the pattern.
 */
export const matchesGlob = (pattern: string, text: string): boolean => {
  let at = 0
  let position = 0
  let star = -1
  let mark = 0
  for (;;) {
    const token = pattern[at]
    if (token === "*") {
      star = ++at
      mark = position
      continue
    }
    const character = text[position]
    if (token === undefined) {
      if (character === undefined) return true
    } else if (character !== undefined) {
      const set = token === "[" ? matchSet(pattern, at, character) : undefined
      if (set !== undefined ? set.matches : token === "?" || token === character) {
        at = set === undefined ? at + 1 : set.end
        position++
        continue
      }
    }
    if (star < 0 || mark >= text.length) return false
    at = star
    position = ++mark
  }
}

/** Whether a pattern holds a character with a meaning in `matchesGlob`, so that it is not a plain literal. */
export const hasWildcard = (pattern: string): boolean => /[*?[]/.test(pattern)
