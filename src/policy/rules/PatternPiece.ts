/** A blank-separated piece of a pattern, in which quotes group as in a shell. */
export interface PatternPiece {
  /** The text without its quotes. */
  readonly text: string
  /** The text as a glob, in which quoted wildcard characters stand for themselves. */
  readonly glob: string
  /** The text without its quoted wildcard characters: what tells whether the piece is more than a literal. */
  readonly bare: string
  /** Whether it is `~` or begins with `~/` outside quotes: the home directory of the account. */
  readonly isHome: boolean
}

const plainPiece = (text: string): PatternPiece => ({ text, glob: text, bare: text, isHome: /^~(?:\/|$)/.test(text) })

/** Splits a pattern on blanks. A quote that is never closed is a character like others, and then so are all. */
export const splitPattern = (source: string): ReadonlyArray<PatternPiece> => {
  const balanced = /^(?:[^'"]|'[^']*'|"[^"]*")*$/.test(source)
  if (!balanced) return (source.match(/\S+/g) ?? []).map(plainPiece)
  const pieces = source.match(/(?:[^\s'"]|'[^']*'|"[^"]*")+/g) ?? []
  return pieces.map((piece) => {
    const parts = piece.match(/'[^']*'|"[^"]*"|[^'"]+/g) ?? []
    const join = (mapQuoted: (text: string) => string): string =>
      parts.map((part) => (/^['"]/.test(part) ? mapQuoted(part.slice(1, -1)) : part)).join("")
    return {
      text: join((text) => text),
      glob: join((text) => text.replace(/[*?[]/g, "[$&]")),
      bare: join((text) => text.replace(/[*?[]/g, "")),
      isHome: /^~(?:\/|$)/.test(piece)
    }
  })
}
