import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { type Allowed, compilePolicy, decide } from "../../../src/policy/Policy.ts"
import { staticText } from "../../../src/policy/shell/Word.ts"
import { decodeDocument, policyDocuments, type PolicyCase, readCases } from "../corpus.ts"
import { allCommands, type Analysed, explains, possibleCommands } from "./Explanation.ts"
import { INJECTIONS } from "./Injections.ts"
import { makeShellRunner } from "./ShellRunner.ts"
import { silent, type Stub, WRAPPER_STUBS } from "./Stubs.ts"

const policies = new Map(
  Object.entries(policyDocuments()).map(([name, document]) => [name, compilePolicy(decodeDocument(document))] as const)
)

const allowed = [...readCases("policy-cases.jsonl"), ...readCases("design-cases.jsonl")].filter(
  (each) => each.expect === "allow"
)

const decideText = (each: PolicyCase, text: string): Allowed | undefined => {
  const policy = policies.get(each.policy)
  if (policy === undefined) throw new Error(`no policy ${each.policy}`)
  const decision = decide(policy, { alias: each.host, tags: each.tags }, text)
  return decision._tag === "Allowed" ? decision : undefined
}

/** The names of all commands of an analysis that are literal. */
const namesOf = (commands: ReadonlyArray<Analysed>): ReadonlyArray<string> =>
  allCommands(commands).map(({ words }) => staticText(words[0]) ?? "")

const isReboot = (name: string | undefined): boolean => name?.split("/").at(-1) === "reboot"

/** What an allowed text would do that no policy of the corpora allows: none lets `reboot` run or a file be redirected. */
const harm = (decision: Allowed): string | undefined => {
  const { command, parts } = decision
  if (namesOf(command.commands).some(isReboot)) return "runs reboot"
  if (parts.some((part) => isReboot(part.argv[0]))) return "runs reboot inside a wrapper"
  if (possibleCommands(command.commands).some((each) => each.redirections.length > 0)) return "redirects a file"
  return undefined
}

interface Mutant {
  readonly text: string
  readonly decision: Allowed
}

/** About 250,000 decisions. */
const makeMutants = (): ReadonlyArray<Mutant> =>
  allowed.flatMap((each) =>
    Array.from({ length: each.command.length + 1 }, (_, at) => at).flatMap((at) =>
      INJECTIONS.flatMap((injection): ReadonlyArray<Mutant> => {
        const text = each.command.slice(0, at) + injection + each.command.slice(at)
        const decision = decideText(each, text)
        return decision === undefined ? [] : [{ text, decision }]
      })
    )
  )

/** Every program that the corpora name, and `reboot`; shells and wrappers also run what they are given. */
const stubs: ReadonlyArray<Stub> = [
  ...new Map(
    [
      ...["reboot", ...allowed.flatMap((each) => namesOf(decideText(each, each.command)?.command.commands ?? []))]
        .filter((name) => /^[a-z][a-z0-9-]*$/.test(name))
        .map(silent),
      ...WRAPPER_STUBS
    ].map((stub) => [stub.name, stub] as const)
  ).values()
]

const SAMPLE = 400

let made: ReadonlyArray<Mutant> | undefined

/** The mutants that their policies allow; made by the first test that needs them. */
const mutants = (): ReadonlyArray<Mutant> => (made ??= makeMutants())

describe("an allowed command with an injection at any offset", () => {
  it("is refused, or runs and redirects nothing that no rule allows", () => {
    assert.deepStrictEqual(
      mutants().flatMap(({ decision, text }) => {
        const found = harm(decision)
        return found === undefined
          ? []
          : [`${found}: ${JSON.stringify(text)} as ${JSON.stringify(decision.command.canonical)}`]
      }),
      []
    )
    assert.isAbove(mutants().length, 10_000)
  }, 120_000)

  it.live(
    "does not run the injected command when its canonical text is run, and nothing that was not analysed",
    () =>
      Effect.gen(function* () {
        const unique = [...new Map(mutants().map((each) => [each.decision.command.canonical, each])).values()].filter(
          (each) => !/(?:\/s?bin\/|\bkill\b)/.test(each.decision.command.canonical)
        )
        const sample = unique.filter((_, index) => index % Math.max(1, Math.floor(unique.length / SAMPLE)) === 0)
        const runner = yield* makeShellRunner(stubs)
        const runs = yield* runner.run(
          sample.flatMap(({ decision }) => [
            { shell: "bash", text: decision.command.canonical },
            { shell: "dash", text: decision.command.canonical }
          ])
        )
        const wrong = runs.flatMap((run, index) => {
          const mutant = sample[Math.floor(index / 2)]
          if (mutant === undefined) return []
          return run.executed.some(([name]) => isReboot(name)) ? [mutant.text] : []
        })
        assert.deepStrictEqual(wrong, [])
        assert.isAtLeast(sample.length, SAMPLE / 2)
        assert.isAbove(runs.flatMap((run) => run.executed).length, sample.length)
        for (const [index, run] of runs.entries()) {
          const mutant = sample[Math.floor(index / 2)]
          const known = allCommands(mutant?.decision.command.commands ?? [])
          const outer = run.executed[0]
          if (outer === undefined || mutant === undefined) continue
          assert.isTrue(
            known.some(({ words }) => explains(words, outer)),
            `${JSON.stringify(outer)} of ${mutant.text}`
          )
        }
      }).pipe(Effect.scoped),
    120_000
  )
})
