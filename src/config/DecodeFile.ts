import { Result, Schema, SchemaAST, SchemaIssue } from "effect"
import type { KnownMistakes } from "./KnownMistakes.ts"
import { makeProblem, type Problem } from "./Problem.ts"
import { nearestName } from "./Suggestion.ts"
import type { YamlFile } from "./YamlFile.ts"

/** One thing that a value did wrong, with the schema that it did not fit. */
interface Fault {
  readonly path: ReadonlyArray<PropertyKey>
  readonly issue: SchemaIssue.Leaf
  /** The text of the failed check, when it has one. */
  readonly message?: string
}

const OPTIONS = { errors: "all", onExcessProperty: "error" } as const

/** What an empty file, or one that holds nothing but unset keys, decodes as. */
const EMPTY = Object.freeze({})

/**
 * A decoder of a configuration file: the schema's value, or every problem at its line and column. Unknown keys are
 * errors, also when they are unset. An empty file is a mapping without keys.
 */
export const decodeFile = <S extends Schema.Codec<unknown, unknown>>(schema: S, mistakes: KnownMistakes) => {
  const decode = Schema.decodeUnknownResult(schema, OPTIONS)
  return (file: YamlFile): Result.Result<S["Type"], ReadonlyArray<Problem>> => {
    const decoded = decode(file.value ?? EMPTY)
    const misspelt = unexpectedKeys(decode(file.complete ?? EMPTY))
    const faults = Result.isFailure(decoded) ? faultsOf(decoded.failure.issue, []) : []
    if (Result.isSuccess(decoded) && misspelt.length === 0) return Result.succeed(decoded.success)
    return Result.fail(unique([...faults, ...misspelt].map((fault) => toProblem(file, fault, mistakes))))
  }
}

const unexpectedKeys = (decoded: Result.Result<unknown, Schema.SchemaError>): ReadonlyArray<Fault> =>
  Result.isSuccess(decoded)
    ? []
    : faultsOf(decoded.failure.issue, []).filter(({ issue }) => issue._tag === "UnexpectedKey")

const faultsOf = (
  issue: SchemaIssue.Issue,
  path: ReadonlyArray<PropertyKey>,
  message?: string
): ReadonlyArray<Fault> => {
  switch (issue._tag) {
    case "Pointer":
      return faultsOf(issue.issue, [...path, ...issue.path], message)
    case "Encoding":
      return faultsOf(issue.issue, path, message)
    case "Filter":
      return faultsOf(issue.issue, path, message ?? checkMessage(issue))
    case "Composite":
      return issue.issues.flatMap((inner) => faultsOf(inner, path, message))
    case "AnyOf": {
      const inner = issue.issues.map((member) => faultsOf(member, path, message ?? annotated(issue.ast)))
      // The member that got furthest is the one that was meant.
      const reached = (faults: ReadonlyArray<Fault>) => Math.max(0, ...faults.map((fault) => fault.path.length))
      const best = inner.toSorted((a, b) => reached(b) - reached(a))[0]
      return (
        best ?? [
          { path, issue: new SchemaIssue.InvalidType(issue.ast), message: annotated(issue.ast) ?? "has the wrong type" }
        ]
      )
    }
    default:
      return [message === undefined ? { path, issue } : { path, issue, message }]
  }
}

const annotated = (ast: SchemaAST.AST): string | undefined => {
  const message = ast.annotations?.["message"]
  return typeof message === "string" ? message : undefined
}

const checkMessage = (issue: SchemaIssue.Filter): string | undefined => {
  const message = SchemaIssue.defaultCheckHook(issue)
  if (message !== undefined) return message
  const expected = issue.filter.annotations?.expected
  return typeof expected === "string" ? `must be ${expected}` : undefined
}

const toProblem = (file: YamlFile, { issue, message, path }: Fault, mistakes: KnownMistakes): Problem => {
  const problem = (part: "key" | "value", text: string, suggestion?: string) =>
    makeProblem("error", file.name, file.locate(path, part), path, text, suggestion)
  switch (issue._tag) {
    case "UnexpectedKey": {
      const mistake = mistakes(path)
      return mistake === undefined
        ? problem("key", "unknown key", nearestName(String(path.at(-1)), keysOf(issue.ast)))
        : problem("key", mistake.message ?? "unknown key", mistake.suggestion)
    }
    case "MissingKey":
      return problem("value", message ?? `${String(path.at(-1))} is required`)
    case "InvalidType":
      return problem("value", message ?? annotated(issue.ast) ?? `must be ${expectedOf(issue.ast)}`)
    default:
      return problem("value", message ?? SchemaIssue.defaultLeafHook(issue))
  }
}

/** Schema types in the words of the file format. */
const expectedOf = (ast: SchemaAST.AST): string => {
  switch (ast._tag) {
    case "String":
      return "text (put it in quotes)"
    case "Number":
      return "a number"
    case "Boolean":
      return "true or false"
    case "Arrays":
      return "a list"
    case "Objects":
      return "a mapping"
    case "Literal":
      return JSON.stringify(ast.literal)
    default:
      return "of another type"
  }
}

const keysOf = (ast: SchemaAST.AST): ReadonlyArray<string> =>
  SchemaAST.isObjects(ast) ? ast.propertySignatures.map(({ name }) => String(name)) : []

const unique = (problems: ReadonlyArray<Problem>): ReadonlyArray<Problem> => [
  ...new Map(problems.map((problem) => [`${problem.line}:${problem.column}:${problem.key}`, problem])).values()
]
