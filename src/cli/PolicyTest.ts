import { Effect, FileSystem, Path, Result, Stdio, Stream } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { loadPolicy } from "../config/LoadPolicy.ts"
import { formatProblem, type Problem } from "../config/Problem.ts"
import { decide } from "../policy/Policy.ts"
import { CliFailure, EXIT, failed, wrongUsage } from "./CliFailure.ts"
import { MAX_CASES_BYTES, parseCases, type PolicyTestCase } from "./PolicyTestCases.ts"
import { explainMismatch, isMatch, summary, toJson } from "./PolicyTestReport.ts"
import { printLines, printRemarks } from "./Printer.ts"
import { printable } from "./Table.ts"

/** Cases that are decided and printed at a time: in between a Ctrl-C is heeded and a slow reader waited for. */
const AT_ONCE = 500

/** The text of a file or a pipe, `-` being stdin. */
const readText = Effect.fn("cli.policyTest.read")(function* (file: string) {
  const fs = yield* FileSystem.FileSystem
  const { stdin } = yield* Stdio.Stdio
  const unusable = (why: string) => wrongUsage(`${printable(file)}: ${why}`)
  const bytes = yield* (file === "-" ? stdin : fs.stream(file)).pipe(
    Stream.mapError((error) => unusable(`cannot be read: ${error.reason._tag}`)),
    Stream.limitBytes(MAX_CASES_BYTES, () => Stream.fail(unusable(`is larger than ${MAX_CASES_BYTES >> 20} MiB`))),
    Stream.mkUint8Array
  )
  const text = Result.try(() => new TextDecoder("utf-8", { fatal: true }).decode(bytes))
  return yield* Result.isSuccess(text) ? Effect.succeed(text.success) : Effect.fail(unusable("is not valid UTF-8"))
})

const readCases = Effect.fn("cli.policyTest.cases")(function* (file: string, name: string) {
  const cases = parseCases(name, yield* readText(file))
  return yield* Result.isSuccess(cases)
    ? Effect.succeed(cases.success)
    : Effect.fail(wrongUsage(cases.failure.map(formatProblem).join("\n")))
})

const isError = ({ severity }: Problem): boolean => severity === "error"

const readPolicy = Effect.gen(function* () {
  const policy = yield* Effect.mapError(loadPolicy, (problems) =>
    failed(["The policy cannot be used:", ...problems.filter(isError).map(formatProblem)].join("\n"))
  )
  if (policy.ruleCount === 0) yield* printRemarks(["The policy has no rules: it denies everything."])
  return policy
})

const chunksOf = (cases: ReadonlyArray<PolicyTestCase>): ReadonlyArray<ReadonlyArray<PolicyTestCase>> =>
  Array.from({ length: Math.ceil(cases.length / AT_ONCE) }, (_, index) =>
    cases.slice(index * AT_ONCE, (index + 1) * AT_ONCE)
  )

/** `policy test`: decides each case of a file with policy.yml, and fails when a decision is not the expected one. */
const test = Command.make(
  "test",
  {
    file: Argument.String("FILE").pipe(
      Argument.withDescription(
        `File of cases, one JSON object a line, at most ${MAX_CASES_BYTES >> 20} MiB; - reads stdin. ` +
          'A case is {"id"?, "alias", "tags"?, "command", "expect": "allow" or "deny", "why"?}'
      )
    ),
    json: Flag.Boolean("json").pipe(
      Flag.withDescription("Print every decision as one JSON object a line on stdout, mismatches on stderr"),
      Flag.withDefault(false)
    )
  },
  Effect.fn("cli.policyTest")(function* ({ file, json }) {
    const name = file === "-" ? "stdin" : printable((yield* Path.Path).normalize(file))
    const cases = yield* readCases(file, name)
    const policy = yield* readPolicy
    const counts = yield* Effect.forEach(
      chunksOf(cases),
      Effect.fnUntraced(function* (chunk) {
        const decided = chunk.map((each) => [each, decide(policy, each, each.command)] as const)
        const wrong = decided.filter(([each, decision]) => !isMatch(each, decision))
        const mismatches = wrong.flatMap(([each, decision]) => explainMismatch(name, each, decision))
        if (json) yield* printLines(decided.map(([each, decision]) => JSON.stringify(toJson(each, decision))))
        yield* json ? printRemarks(mismatches) : printLines(mismatches)
        return wrong.length
      })
    )
    const mismatched = counts.reduce((sum, count) => sum + count, 0)
    yield* printRemarks([summary(cases.length, mismatched)])
    if (mismatched > 0) return yield* new CliFailure({ exitCode: EXIT.failed, text: "" })
  })
).pipe(
  Command.withDescription(
    "Decide commands with policy.yml as if their hosts existed, and print each decision that is not the expected one"
  ),
  Command.withExamples([
    {
      command: "mcp-ssh-orchestrator policy test cases.jsonl",
      description:
        'A line of it: {"id": "no-restart", "alias": "web-1", "tags": ["prod"], "command": "systemctl restart nginx", "expect": "deny"}'
    },
    { command: "mcp-ssh-orchestrator policy test --json - < cases.jsonl", description: "Every decision as JSON" }
  ])
)

/** `policy`: what can be done with a policy without a host. Alone it shows its help. */
export const policy = Command.make("policy").pipe(
  Command.withDescription("Work with policy.yml without a host"),
  Command.withSubcommands([test])
)
