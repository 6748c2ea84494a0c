import { Effect, Result } from "effect"
import { decide } from "../../../src/policy/Policy.ts"
import { type CheckedCommand, parseCommand } from "../../../src/policy/shell/ShellCommand.ts"
import { staticText } from "../../../src/policy/shell/Word.ts"
import { policyOf } from "../corpus.ts"
import { type Analysed, explains, possibleCommands } from "./Explanation.ts"
import { type GeneratedScript, generateScript } from "./ScriptGenerator.ts"
import type { Locale, ShellJob, ShellName, ShellRun, ShellRunner, ShellRunnerError } from "./ShellRunner.ts"

/** A script for which what ran is not what the analysis said, or whose canonical text is not a fixed point. */
export interface Finding {
  /** `seed:index` of the generator: `generateScript(seed, index)` makes the script again. */
  readonly token: string
  readonly kind: "unseen" | "file" | "invalid" | "meaning" | "endless" | "fixed-point" | "not-run"
  readonly shell: ShellName
  readonly detail: string
  readonly requested: string
  readonly canonical: string
}

/** What a differential run did and found. */
export interface DifferentialReport {
  readonly generated: number
  /** Scripts that the policy allowed; each of their canonical texts ran under every shell. */
  readonly accepted: number
  /** Programs that those canonical texts executed, over all shells. */
  readonly executed: number
  /** Scripts whose own text ran as well, to be compared with the canonical text. */
  readonly compared: number
  /** How often each code refused a script. */
  readonly refusals: ReadonlyMap<string, number>
  readonly findings: ReadonlyArray<Finding>
}

/** How much to run, and with what. */
export interface DifferentialOptions {
  readonly seed: number
  /** Scripts to generate. */
  readonly scripts: number
  readonly shells: ReadonlyArray<ShellName>
  /** Index of the first script, 0 by default. */
  readonly first?: number
}

/** Everything but what the built-in refusals and guards stop, and files only in three directories. */
const policy = policyOf({
  limits: { deny_substrings: [] },
  rules: [
    { action: "allow", commands: ["*"], env: ["LC_*"], redirect_write: ["out/*"], redirect_read: ["in/*"] },
    { action: "allow", commands: ["p", "p *"], env: ["LC_*"], redirect_write: ["own/*"] }
  ]
})

const host = { alias: "h", tags: [] }

interface Accepted {
  readonly script: GeneratedScript
  readonly command: CheckedCommand
  /** The names of the programs that the policy decided about, those inside wrappers too. */
  readonly decided: ReadonlySet<string>
}

type Complaint = Omit<Finding, "token" | "requested" | "canonical">

/** A fault of the text itself; faults of a value in arithmetic are of the values at run time. */
const SYNTAX =
  /syntax error near|syntax error: unexpected|Syntax error:|unexpected EOF|unterminated|[Bb]ad substitution|[Bb]ad for loop|delimited by end-of-file/

/** An error of a value ends the line that it stands in: the canonical text has fewer lines, and may then run less. */
const VALUE_ERROR =
  /division by 0|syntax error in expression|error token|arithmetic expression|parameter (?:null or )?not set/

/** Bash expands braces before it looks at quotes inside backquotes: `"\`a "{x,y}"\`"` becomes two words. */
const isBraceInBackquotes = (text: string): boolean => text.includes("`") && /\{[^}]*(?:,|\.\.)/s.test(text)

/** The canonical text is what bash makes of the caller's; dash does not know all that bash knows. */
const isForDash = (text: string): boolean => text.includes("dash")

/** A counter becomes a quoted word: one word even where the program, here a missing one, prints nothing. */
const isSilentCounter = (canonical: string): boolean => canonical.includes("nproc")

/** Names that a shell looked for in vain, from its messages; the last line of names of several lines. */
const missing = (stderr: string): ReadonlyArray<string> =>
  stderr.split("\n").flatMap((line) => {
    const found = /^(?:\/bin\/)?(?:bash|dash): (?:line )?[0-9]+: (?:eval: |exec: )?(.*?): (?:command )?not found$/.exec(
      line
    )
    // Messages of two processes of a pipeline may lie in one another.
    return found?.[1] === undefined || /^\$'|: not found|command not found/.test(found[1]) ? [] : [found[1]]
  })

const show = (value: unknown): string => JSON.stringify(value)

/** Whether the rules of the fuzz allow the file, by its path alone, and the analysis knows of it. */
const mayWrite = (known: ReadonlyArray<Analysed>, file: string): boolean => {
  const writers = known.filter(({ redirections }) =>
    redirections.some(({ access, path }) => access === "write" && path === file)
  )
  return file.startsWith("out/")
    ? writers.length > 0
    : file.startsWith("own/") && writers.length > 0 && writers.every(({ words }) => staticText(words[0]) === "p")
}

/** The files that a copier found in its input, by what they hold, but those that the rules of the fuzz allow. */
const forbiddenReads = (run: ShellRun): ReadonlyArray<string> =>
  run.inputs.flatMap((text) =>
    [...text.matchAll(/^from (.+)$/gm)].flatMap(([, file = ""]) => (file.startsWith("in/") ? [] : [file]))
  )

const checkRun = (
  { command, decided, script }: Accepted,
  shell: ShellName,
  run: ShellRun
): ReadonlyArray<Complaint> => {
  const known = possibleCommands(command.commands)
  const names = known.map(({ words }) => staticText(words[0]))
  const unseen = run.executed.find((argv) => !known.some(({ words }) => explains(words, argv)))
  const undecided = run.executed.find(([name]) => !decided.has(name))
  const lost = missing(run.stderr).find((name) => !names.some((each) => each?.split("\n").at(-1) === name))
  const written = run.wrote.find((file) => !mayWrite(known, file))
  const [read] = forbiddenReads(run)
  const complaints: ReadonlyArray<Complaint | false> = [
    unseen !== undefined && { kind: "unseen", shell, detail: show(unseen) },
    undecided !== undefined && { kind: "unseen", shell, detail: `not decided about: ${show(undecided)}` },
    lost !== undefined && { kind: "unseen", shell, detail: `looked for ${show(lost)}` },
    written !== undefined && { kind: "file", shell, detail: `wrote ${show(written)}` },
    read !== undefined && { kind: "file", shell, detail: `read ${show(read)}` },
    SYNTAX.test(run.stderr) && { kind: "invalid", shell, detail: run.stderr.slice(0, 300) },
    run.code === -1 && { kind: "not-run", shell, detail: "no exit status was logged" },
    run.endless && !script.mutated && { kind: "endless", shell, detail: "used up its processor time" }
  ]
  return complaints.filter((each) => each !== false)
}

/** Shells count lines in their messages, and the canonical text has fewer. */
const withoutLine = (text: string): string => text.replaceAll(/((?:line|dash:|sh:)(?: |","))[0-9]+:/g, "$1N:")

const isShell = (text: string | undefined): boolean => /^(?:ba|da|)sh$/.test(text ?? "")

/** The text that a shell is given differs: it is the caller's own in one run, and in its canonical form in the other. */
const withoutScripts = (argv: ReadonlyArray<string>): ReadonlyArray<string> =>
  argv.map((text, index) => {
    const before = argv.slice(0, index)
    return isShell(before.findLast((each) => !each.startsWith("-"))) && /^-[a-z]*c[a-z]*$/.test(before.at(-1) ?? "")
      ? "SCRIPT"
      : text
  })

const bag = (run: ShellRun): string =>
  [
    ...run.executed.map((argv) => show(withoutScripts(argv))),
    ...run.inputs.map((each) => `stdin ${show(each)}`),
    ...run.wrote.map((file) => `wrote ${show(file)}`)
  ]
    .map(withoutLine)
    .toSorted()
    .join("\n")

/** Compares what the caller's own text ran with what the canonical text ran; a text that bash rejects has no meaning. */
const checkMeaning = (command: CheckedCommand, raw: ShellRun, canonical: ShellRun): ReadonlyArray<Complaint> =>
  SYNTAX.test(raw.stderr) ||
  VALUE_ERROR.test(raw.stderr) ||
  raw.endless ||
  isBraceInBackquotes(command.requested) ||
  isSilentCounter(command.canonical) ||
  isForDash(command.canonical) ||
  bag(raw) === bag(canonical)
    ? []
    : [{ kind: "meaning", shell: "bash", detail: `raw ran\n${bag(raw)}\ncanonical ran\n${bag(canonical)}` }]

const checkFixedPoint = (command: CheckedCommand): ReadonlyArray<Complaint> => {
  const again = parseCommand(command.canonical)
  const fault = (detail: string): ReadonlyArray<Complaint> => [{ kind: "fixed-point", shell: "bash", detail }]
  if (Result.isFailure(again)) return fault(`refused: ${again.failure.code}: ${again.failure.reason}`)
  if (again.success.canonical !== command.canonical) return fault(again.success.canonical)
  const words = (each: CheckedCommand) => show(each.commands.map((one) => one.words))
  return words(again.success) === words(command) ? [] : fault(`${words(again.success)}\nnot\n${words(command)}`)
}

const findingOf =
  ({ command, script }: Accepted) =>
  (complaint: Complaint): Finding => ({
    ...complaint,
    token: `${script.seed}:${script.index}`,
    requested: command.requested,
    canonical: command.canonical
  })

const BATCH = 150

const runBatch = (
  runner: ShellRunner,
  shells: ReadonlyArray<ShellName>,
  batch: ReadonlyArray<Accepted>,
  locale: Locale
) => {
  // Outside of UTF-8 the caller's own text means something else where it escapes characters.
  const compares = shells.includes("bash") && locale !== "C"
  const jobs = batch.flatMap(({ command }): ReadonlyArray<ShellJob> => [
    ...shells.map((shell) => ({ shell, text: command.canonical })),
    ...(compares && command.requested !== command.canonical
      ? [{ shell: "bash" as const, text: command.requested }]
      : [])
  ])
  return Effect.map(runner.run(jobs, locale), (runs) => {
    const left = [...runs]
    let executed = 0
    let compared = 0
    const findings = batch.flatMap((accepted): ReadonlyArray<Finding> => {
      const { command } = accepted
      const own = left.splice(0, shells.length)
      executed += own.reduce((sum, run) => sum + run.executed.length, 0)
      const complaints = own.flatMap((run, index) => checkRun(accepted, shells[index] ?? "bash", run))
      const canonical = own[shells.indexOf("bash")]
      if (canonical !== undefined && compares && command.requested !== command.canonical) {
        const [raw] = left.splice(0, 1)
        compared++
        if (raw !== undefined) complaints.push(...checkMeaning(command, raw, canonical))
      }
      return [...complaints, ...checkFixedPoint(command)].map(findingOf(accepted))
    })
    return { executed, compared, findings }
  })
}

/** Processes of a pipeline race: a difference counts when it is there again in a run of that script alone. */
const isRepeatable = (runner: ShellRunner, finding: Finding): Effect.Effect<boolean, ShellRunnerError> => {
  const parsed = parseCommand(finding.requested)
  if (finding.kind !== "meaning" || Result.isFailure(parsed)) return Effect.succeed(true)
  const jobs = [finding.canonical, finding.requested].map((text) => ({ shell: "bash" as const, text }))
  return Effect.map(runner.run(jobs, "C.UTF-8"), ([canonical, raw]) =>
    canonical === undefined || raw === undefined ? true : checkMeaning(parsed.success, raw, canonical).length > 0
  )
}

/**
 * Generates scripts, lets the policy decide, runs the canonical text of each allowed one with stub programs, and compares
 * every executed argument list, and every file that was written or read, with the analysis and the rules.
 */
export const differential = (
  runner: ShellRunner,
  options: DifferentialOptions
): Effect.Effect<DifferentialReport, ShellRunnerError> =>
  Effect.gen(function* () {
    const refusals = new Map<string, number>()
    const accepted: Array<Accepted> = []
    const first = options.first ?? 0
    for (let index = first; index < first + options.scripts; index++) {
      const script = generateScript(options.seed, index)
      const decision = decide(policy, host, script.text)
      if (decision._tag === "Allowed") {
        const decided = new Set(decision.parts.map(({ argv }) => argv[0] ?? ""))
        accepted.push({ script, command: decision.command, decided })
      } else refusals.set(decision.code, (refusals.get(decision.code) ?? 0) + 1)
    }
    const batches = Array.from({ length: Math.ceil(accepted.length / BATCH) }, (_, index) =>
      accepted.slice(index * BATCH, (index + 1) * BATCH)
    )
    const results = yield* Effect.forEach(
      batches,
      (batch, index) => runBatch(runner, options.shells, batch, index % 5 === 4 ? "C" : "C.UTF-8"),
      {
        concurrency: 2
      }
    )
    const findings = yield* Effect.filter(
      results.flatMap((each) => each.findings),
      (finding) => isRepeatable(runner, finding)
    )
    return {
      generated: options.scripts,
      accepted: accepted.length,
      executed: results.reduce((sum, each) => sum + each.executed, 0),
      compared: results.reduce((sum, each) => sum + each.compared, 0),
      refusals,
      findings
    }
  })
