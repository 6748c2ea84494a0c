/** Edits (insert, delete, replace, swap neighbours) between two texts; Damerau's optimal string alignment distance. */
export const editDistance = (a: string, b: string): number => {
  let before: ReadonlyArray<number> = []
  let row: ReadonlyArray<number> = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1
      const swapped =
        i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? (before[j - 2] ?? Infinity) + 1 : Infinity
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + cost, swapped))
    }
    before = row
    row = next
  }
  return row[b.length] ?? a.length
}

/**
 * The name that was probably meant: at most two edits away, one for a name of two to four characters and none for a
 * single one (in which so many edits make any word of any other), ignoring case and `-` for `_`.
 */
export const nearestName = (written: string, names: ReadonlyArray<string>): string | undefined => {
  // A key longer than any name by more than the distance cannot be near one; this bounds the work too.
  const longest = names.reduce((most, name) => Math.max(most, name.length), 0)
  if (written.length > longest + 2) return undefined
  const text = written.toLowerCase().replaceAll("-", "_")
  const allowed = written.length === 1 ? 0 : written.length <= 4 ? 1 : 2
  const near = names
    .map((name) => ({ name, distance: editDistance(text, name) }))
    .filter(({ distance }) => distance <= allowed)
    .toSorted((a, b) => a.distance - b.distance)[0]
  return near?.name
}
