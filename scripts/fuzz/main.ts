import { parseArgs } from "node:util"
import { NodeRuntime } from "@effect/platform-node"
import { Console, Effect } from "effect"
import { differential, type Finding } from "../../test/policy/fuzz/Differential.ts"
import { generateScript } from "../../test/policy/fuzz/ScriptGenerator.ts"
import { makeShellRunner, type ShellName, SHELLS } from "../../test/policy/fuzz/ShellRunner.ts"
import { FUZZ_STUBS } from "../../test/policy/fuzz/Stubs.ts"

/**
 * The differential fuzz for longer than a test may take:
 * `npm run fuzz -- --scripts 100000 --seed 7 --shell bash,dash`. `--show seed:index` prints the script of a finding.
 */

const { values } = parseArgs({
  options: {
    scripts: { type: "string", default: "20000" },
    first: { type: "string", default: "0" },
    seed: { type: "string", default: "1" },
    shell: { type: "string", default: "bash,dash" },
    show: { type: "string" }
  }
})

const isShell = (name: string): name is ShellName => Object.hasOwn(SHELLS, name)

const describe = (finding: Finding): string =>
  [
    `=== ${finding.kind} (${finding.shell}) ${finding.token}`,
    `--- requested\n${finding.requested}`,
    `--- canonical\n${finding.canonical}`,
    `--- detail\n${finding.detail}`
  ].join("\n")

/** Scripts between two lines of progress. */
const STEP = 5_000

const fuzz = Effect.gen(function* () {
  const runner = yield* makeShellRunner(FUZZ_STUBS)
  const total = Number(values.scripts)
  const seed = Number(values.seed)
  const shells = values.shell.split(",").filter(isShell)
  const start = Number(values.first)
  const sum = { generated: 0, accepted: 0, executed: 0, compared: 0, findings: 0 }
  const refusals = new Map<string, number>()
  for (let done = 0; done < total; done += STEP) {
    const scripts = Math.min(STEP, total - done)
    const report = yield* differential(runner, { seed, scripts, shells, first: start + done })
    sum.generated += report.generated
    sum.accepted += report.accepted
    sum.executed += report.executed
    sum.compared += report.compared
    sum.findings += report.findings.length
    for (const [code, count] of report.refusals) refusals.set(code, (refusals.get(code) ?? 0) + count)
    for (const finding of report.findings) yield* Console.log(describe(finding))
    yield* Console.log(JSON.stringify(sum))
  }
  yield* Console.log(JSON.stringify(Object.fromEntries([...refusals].toSorted(([, a], [, b]) => b - a)), null, 2))
  if (sum.findings > 0) return yield* Effect.fail(`${sum.findings} findings`)
}).pipe(Effect.scoped)

const show = (token: string) => {
  const [seed = 0, index = 0] = token.split(":").map(Number)
  return Console.log(generateScript(seed, index).text)
}

NodeRuntime.runMain(values.show === undefined ? fuzz : show(values.show))
