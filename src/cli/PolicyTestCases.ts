import { Result, Schema } from "effect"
import { decodeFile } from "../config/DecodeFile.ts"
import { Alias, Tag } from "../config/Names.ts"
import { makeProblem, type Problem } from "../config/Problem.ts"

/** Bytes of one file of cases. It is read whole, so that nothing is decided when a line of it is wrong. */
export const MAX_CASES_BYTES = 64 * 1024 * 1024

/** Wrong lines that are told; a file of another format is wrong in every line. */
const MAX_PROBLEMS = 20

const EXPECT = Schema.Literals(["allow", "deny"])

/** A line of a file of cases. The host need not exist; the command may be any text, also one that no tool would take. */
const CaseLine = Schema.Struct({
  /** Names the case in the output; the number of its line when it is missing. */
  id: Schema.optionalKey(Schema.NonEmptyString.check(Schema.isMaxLength(200))),
  /** Alias of the host that the command is for. */
  alias: Alias,
  /** Tags of that host, none when missing. */
  tags: Schema.optionalKey(Schema.Array(Tag).check(Schema.isMaxLength(1_000))),
  /** The command as a client would send it. */
  command: Schema.String,
  /** What the policy is expected to decide. */
  expect: EXPECT.annotate({ message: 'must be "allow" or "deny"' }),
  /** A remark for readers of the file. */
  why: Schema.optionalKey(Schema.String)
})

/** A command with the decision that is expected about it. */
export interface PolicyTestCase {
  readonly id: string
  /** Its line in the file, from 1. */
  readonly line: number
  readonly alias: string
  readonly tags: ReadonlyArray<string>
  readonly command: string
  readonly expect: typeof EXPECT.Type
}

const decode = decodeFile(CaseLine, () => undefined)

const parseLine = (file: string, text: string, line: number): Result.Result<PolicyTestCase, ReadonlyArray<Problem>> => {
  const place = { line, column: 1 }
  const value = Result.try((): unknown => JSON.parse(text))
  if (Result.isFailure(value)) return Result.fail([makeProblem("error", file, place, [], "is not valid JSON")])
  // A line is what a configuration file is: a mapping with known keys.
  const document = { name: file, value: value.success, complete: value.success, locate: () => place, warnings: [] }
  return Result.map(decode(document), ({ alias, command, expect, id, tags }) => ({
    id: id ?? String(line),
    line,
    alias,
    tags: tags ?? [],
    command,
    expect
  }))
}

/**
 * The cases of a text in the format JSON Lines, blank lines left out; or what is wrong with its lines, the first twenty
 * things. `file` is how problems call it. Pure.
 */
export const parseCases = (
  file: string,
  text: string
): Result.Result<ReadonlyArray<PolicyTestCase>, ReadonlyArray<Problem>> => {
  const cases: Array<PolicyTestCase> = []
  const problems: Array<Problem> = []
  for (const [index, line] of text.split("\n").entries()) {
    if (line.trim() === "") continue
    const parsed = parseLine(file, line, index + 1)
    if (Result.isSuccess(parsed)) cases.push(parsed.success)
    else problems.push(...parsed.failure)
    if (problems.length >= MAX_PROBLEMS) break
  }
  if (problems.length > 0) return Result.fail(problems.slice(0, MAX_PROBLEMS))
  return cases.length > 0
    ? Result.succeed(cases)
    : Result.fail([makeProblem("error", file, { line: 1, column: 1 }, [], "holds no case")])
}
