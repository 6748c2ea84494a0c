import type { SchemaAST, SchemaIssue } from "effect"
import { shown } from "./SafeText.ts"

/** One thing that is wrong with a call's arguments. */
interface Problem {
  readonly path: ReadonlyArray<PropertyKey>
  /** Begins with the field's name, or continues a sentence that does ("must be an integer"). */
  readonly message: string
  readonly unexpected: boolean
}

/** What a value of this schema node has to be, for a value of another type. */
const expectation = (ast: SchemaAST.AST): string => {
  const expected = ast.annotations?.["expected"]
  if (typeof expected === "string") return `must be ${expected}`
  switch (ast._tag) {
    case "String":
      return "must be a string"
    case "Number":
      return "must be an integer (a JSON number)"
    case "Arrays":
      return "must be a list (a JSON array)"
    case "Objects":
      return "must be an object"
    default:
      return "is not valid"
  }
}

/** The text that a check returned, for checks that choose among several. */
const messageOf = (issue: SchemaIssue.Issue): unknown =>
  issue._tag === "InvalidValue" ? issue.annotations?.["message"] : undefined

const problemsOf = (issue: SchemaIssue.Issue, path: ReadonlyArray<PropertyKey>): ReadonlyArray<Problem> => {
  const problem = (message: string, unexpected = false): ReadonlyArray<Problem> => [{ path, message, unexpected }]
  switch (issue._tag) {
    case "Pointer":
      return problemsOf(issue.issue, [...path, ...issue.path])
    case "Composite":
      return issue.issues.flatMap((inner) => problemsOf(inner, path))
    case "Encoding":
      return problemsOf(issue.issue, path)
    case "Filter": {
      const { expected, message = messageOf(issue.issue) } = issue.filter.annotations ?? {}
      if (typeof message === "string") return problem(message)
      return problem(typeof expected === "string" ? `must be ${expected}` : "is not valid")
    }
    case "AnyOf":
    case "InvalidType":
      // A tool without arguments gives every key the type of no value.
      if (issue.ast._tag === "Never") return problem("", true)
      return problem(expectation(issue.ast))
    case "MissingKey":
      return problem("is required")
    case "UnexpectedKey":
      return problem("", true)
    default:
      return problem("is not valid")
  }
}

/** `only[3]`, for a path inside the arguments. */
const fieldName = (path: ReadonlyArray<PropertyKey>): string =>
  path
    .map((key, depth) => (typeof key === "number" ? `[${key}]` : `${depth > 0 ? "." : ""}${shown(String(key))}`))
    .join("")

const sentence = ({ message, path }: Problem): string => {
  const [field] = path
  if (path.length === 1 && message.startsWith(`${String(field)} `)) return message
  // A list element's check names the kind of element ("alias too long"), not the place: say both.
  return /^(must|is) /.test(message) ? `${fieldName(path)} ${message}` : `${fieldName(path)}: ${message}`
}

/**
 * Everything that is wrong with a call's arguments, one text a field, fields before unknown arguments. Values are
 * never repeated; names of unknown arguments are cut and cleaned.
 */
export const argumentProblems = (issue: SchemaIssue.Issue, known: ReadonlyArray<string>): ReadonlyArray<string> => {
  const problems = problemsOf(issue, [])
  const firsts = new Map<string, string>()
  for (const problem of problems.filter(({ unexpected }) => !unexpected)) {
    const name = fieldName(problem.path)
    if (!firsts.has(name)) firsts.set(name, sentence(problem))
  }
  const takes = known.length === 0 ? "there are none" : `known: ${known.join(", ")}`
  return [
    ...firsts.values(),
    ...problems
      .filter(({ unexpected }) => unexpected)
      .map(({ path }, position) => `unknown argument ${fieldName(path)}${position === 0 ? ` (${takes})` : ""}`)
  ]
}
