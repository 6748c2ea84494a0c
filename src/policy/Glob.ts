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

/** Whether a pattern holds `*`, `?` or a closed `[set]`, so that it is not a plain literal. An unclosed `[` is literal. */
export const hasWildcard = (pattern: string): boolean => {
  if (/[*?]/.test(pattern)) return true
  for (let open = pattern.indexOf("["); open >= 0; open = pattern.indexOf("[", open + 1)) {
    if (matchSet(pattern, open, "") !== undefined) return true
  }
  return false
}

/** A pattern of `matchesGlob`, taken apart once so that it can be matched often and compared with other patterns. */
export interface Glob {
  readonly pattern: string
  /** Its text, when it holds no wildcard. */
  readonly literal: string | undefined
  /** What every match begins with, and ends with. */
  readonly head: string
  readonly tail: string
  /** Whether the pattern is its head, stars and its tail, so that every text of head, anything and tail matches. */
  readonly isSpan: boolean
  /** The same answer as `matchesGlob`. Linear in the text for a pattern without `?` and sets. */
  readonly matches: (text: string) => boolean
}

const matchesPieces = (head: string, middle: ReadonlyArray<string>, tail: string, text: string): boolean => {
  const end = text.length - tail.length
  if (head.length > end || !text.startsWith(head) || !text.endsWith(tail)) return false
  let at = head.length
  for (const piece of middle) {
    const found = text.indexOf(piece, at)
    if (found < 0 || found + piece.length > end) return false
    at = found + piece.length
  }
  return true
}

/** Takes a pattern apart. */
export const compileGlob = (pattern: string): Glob => {
  if (!hasWildcard(pattern)) {
    const matches = (text: string): boolean => text === pattern
    return { pattern, literal: pattern, head: pattern, tail: pattern, isSpan: false, matches }
  }
  if (pattern.includes("?") || hasWildcard(pattern.replaceAll("*", "x"))) {
    const matches = (text: string): boolean => text.startsWith(head) && matchesGlob(pattern, text)
    const head = /^[^*?[]*/.exec(pattern)?.[0] ?? ""
    const tail = pattern.slice(Math.max(...["*", "?", "]"].map((each) => pattern.lastIndexOf(each))) + 1)
    return { pattern, literal: undefined, head, tail, isSpan: false, matches }
  }
  const pieces = pattern.split("*")
  const [head = ""] = pieces
  const tail = pieces.at(-1) ?? ""
  const middle = pieces.slice(1, -1).filter((piece) => piece !== "")
  return {
    pattern,
    literal: undefined,
    head,
    tail,
    isSpan: middle.length === 0,
    matches: (text) => matchesPieces(head, middle, tail, text)
  }
}
