import { assert } from "@effect/vitest"
import type { DocumentProblem } from "../../../src/policy/DocumentProblem.ts"
import { checkPolicyDocument } from "../../../src/policy/PolicyDocument.ts"
import { decodeDocument } from "../corpus.ts"
import { engine } from "./RegexFixture.ts"

/** A problem on one line: severity, place, message. */
export const lineOf = ({ message, path, severity }: DocumentProblem): string =>
  `${severity} ${path.join(".")}: ${message}`

/** What `check` says about a document, one line each. Version 3 leaves out what concerns files of the original. */
export const problemsOf = (document: Readonly<Record<string, unknown>>, version = 3): ReadonlyArray<string> =>
  checkPolicyDocument(decodeDocument({ version, ...document }), engine).map(lineOf)

/** The problems of one allow rule. */
export const allowProblems = (rule: object): ReadonlyArray<string> =>
  problemsOf({ rules: [{ action: "allow", ...rule }] })

/** Asserts that a document has exactly these problems, each matched by an expression. */
export const hasProblems = (problems: ReadonlyArray<string>, expected: ReadonlyArray<RegExp>): void => {
  assert.strictEqual(problems.length, expected.length, problems.join("\n"))
  for (const [index, pattern] of expected.entries()) assert.match(problems[index] ?? "", pattern)
}
