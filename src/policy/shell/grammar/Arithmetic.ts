/** Digits, names (also as `$name` and `${name}`) and operators that POSIX has and every shell reads the same way. */
const TOKEN =
  /\s+|(0[xX][0-9A-Fa-f]{1,15}|\d{1,18})(?!\w)|\$\{([A-Za-z_]\w*)\}|\$?([A-Za-z_]\w*)|(<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%()<>!~&|^?:])/y

/** An arithmetic expression: its canonical text, and the variables in it. */
export interface Arithmetic {
  readonly text: string
  readonly names: ReadonlyArray<string>
}

/**
 * Reads the text between `$((` and `))`; none when it holds anything else than whole numbers, names, and operators without
 * side effects. Parentheses must match, since `$((a)+(b))` is a substitution of two subshells to some shells.
 */
export const readArithmetic = (source: string): Arithmetic | undefined => {
  const tokens: Array<string> = []
  const names: Array<string> = []
  let depth = 0
  let at = 0
  while (at < source.length) {
    TOKEN.lastIndex = at
    const match = TOKEN.exec(source)
    if (match === null) return undefined
    at = TOKEN.lastIndex
    const name = match[2] ?? match[3]
    const token = match[1] ?? name ?? match[4]
    if (token === undefined) continue
    if (name !== undefined) names.push(name)
    if (token === "(") depth++
    if (token === ")" && --depth < 0) return undefined
    // `++` and `--` are other operators, and dash has none of them.
    if (/^[-+]$/.test(token) && tokens.at(-1) === token) return undefined
    tokens.push(token)
  }
  return depth === 0 && tokens.length > 0 ? { text: tokens.join(" "), names } : undefined
}
