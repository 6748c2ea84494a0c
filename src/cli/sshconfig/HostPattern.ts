/**
 * Whether a text matches a pattern of ssh_config(5) PATTERNS: `*` is any text, `?` one character, all else itself.
 * Case-sensitive, as `Host` is. In time proportional to the product of the lengths.
 */
export const matchesPattern = (text: string, pattern: string): boolean => {
  // Most patterns are names.
  if (!pattern.includes("*") && !pattern.includes("?")) return text === pattern
  let at = 0
  let next = 0
  // Where the last star stood, and how much of the text it has taken so far.
  let star = -1
  let taken = 0
  while (at < text.length) {
    const char = pattern[next]
    if (char === "*") {
      star = next++
      taken = at
    } else if (char !== undefined && (char === "?" || char === text[at])) {
      next++
      at++
    } else if (star >= 0) {
      next = star + 1
      at = ++taken
    } else return false
  }
  while (pattern[next] === "*") next++
  return next === pattern.length
}

/** Whether the patterns of a `Host` line select this name: one matches, and none that is negated with `!` does. */
export const isSelected = (name: string, patterns: ReadonlyArray<string>): boolean => {
  let selected = false
  for (const pattern of patterns) {
    if (!pattern.startsWith("!")) selected ||= matchesPattern(name, pattern)
    else if (matchesPattern(name, pattern.slice(1))) return false
  }
  return selected
}

/** Whether a pattern of a `Host` line names one host. */
export const isConcrete = (pattern: string): boolean => pattern !== "" && !/^!|[*?]/u.test(pattern)
