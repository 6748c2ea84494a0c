/** Something wrong in the configuration, at a place an editor can jump to. */
export interface Problem {
  /** A structural error keeps the file set from being used, a key or secret error disables hosts; a warning changes nothing. */
  readonly severity: "error" | "warning"
  /** The base name only: problems are shown to clients, which do not learn the directory. */
  readonly file: string
  /** From 1. */
  readonly line: number
  /** From 1, counted in UTF-16 units as editors do. */
  readonly column: number
  /** The path of the key (`hosts[2].port`), or "" for the file as a whole. */
  readonly key: string
  readonly message: string
  /** The key that was probably meant. */
  readonly suggestion?: string
}

/** Whether a client may see a problem: remarks about a rule quote its patterns, and rules are shown only for their host. */
export const isForClients = ({ key, severity }: Problem): boolean =>
  severity === "error" || !(key === "rules" || key.startsWith("rules["))

/** `file:line:column: key: message (did you mean …?)`, the form that compilers print and editors parse. */
export const formatProblem = (problem: Problem): string => {
  const place = `${problem.file}:${problem.line}:${problem.column}`
  const key = problem.key === "" ? "" : `${problem.key}: `
  const severity = problem.severity === "warning" ? "warning: " : ""
  const suggestion = problem.suggestion === undefined ? "" : ` (did you mean ${problem.suggestion}?)`
  return `${place}: ${key}${severity}${problem.message}${suggestion}`
}

/** A path as an operator writes it: `overrides.aliases.web1`, `hosts[2].port`. */
export const formatKey = (path: ReadonlyArray<PropertyKey>): string =>
  path.reduce<string>(
    (text, part) => (typeof part === "number" ? `${text}[${part}]` : `${text}${text === "" ? "" : "."}${String(part)}`),
    ""
  )

/** Characters of a key or a message; both can quote a name of any length. */
const MAX_TEXT = 300

/** One line of bounded length: control and formatting characters of a file must not reach a terminal. */
const clean = (text: string): string => {
  const visible = text.replace(/[\p{C}\u2028\u2029]/gu, "\uFFFD")
  return visible.length > MAX_TEXT ? `${visible.slice(0, MAX_TEXT)}…` : visible
}

/** The first place of a file: that of a problem with the file as a whole. */
export const START = { line: 1, column: 1 } as const

/** A problem whose texts are bounded and free of control characters, whatever the file quotes in them. */
export const makeProblem = (
  severity: Problem["severity"],
  file: string,
  place: { readonly line: number; readonly column: number },
  path: ReadonlyArray<PropertyKey>,
  message: string,
  suggestion?: string
): Problem => ({
  severity,
  file,
  line: place.line,
  column: place.column,
  key: clean(formatKey(path)),
  message: clean(message),
  ...(suggestion === undefined ? {} : { suggestion: clean(suggestion) })
})

/** Problems listed for one file: a broken file of ten thousand entries says no more than a person can read. */
const MAX_PROBLEMS = 100

/** The problems of one file in the order of their places; above `MAX_PROBLEMS` the last one counts the rest. */
export const listProblems = (problems: ReadonlyArray<Problem>): ReadonlyArray<Problem> => {
  const sorted = problems.toSorted(
    (a, b) =>
      Number(a.severity === "warning") - Number(b.severity === "warning") || a.line - b.line || a.column - b.column
  )
  const last = sorted[MAX_PROBLEMS - 1]
  if (sorted.length <= MAX_PROBLEMS || last === undefined) return sorted
  const hidden = sorted.length - MAX_PROBLEMS + 1
  const { suggestion: _, ...place } = last
  return [...sorted.slice(0, MAX_PROBLEMS - 1), { ...place, key: "", message: `${hidden} more problems in this file` }]
}
