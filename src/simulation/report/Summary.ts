import { createHash } from "node:crypto"
import { FAULT_STAGES, FaultKind, Stage } from "../hosts/Faults.ts"
import type { FaultCount, ScenarioOutcome } from "../RunScenario.ts"
import type { SimulationReport } from "../Simulation.ts"

/** What a simulation came to, as `simulate --json` prints it. Sums are over all runs. */
export interface Summary {
  readonly seed: number
  readonly runs: number
  /** Runs that broke an invariant. */
  readonly failures: number
  /** Tasks that the server admitted. */
  readonly tasks: number
  readonly hosts: number
  /** Injected faults by kind; kinds that never struck are missing. */
  readonly faults: Readonly<Record<string, number>>
  readonly virtual_seconds: number
  readonly real_ms: number
  /** Over the event logs of all runs. */
  readonly log_sha256: string
}

const countOf = (counts: ReadonlyArray<FaultCount>, kind: FaultKind, stage?: Stage): number =>
  counts.reduce(
    (sum, each) => (each.kind === kind && (stage === undefined || each.stage === stage) ? sum + each.count : sum),
    0
  )

/** The summary of a report; the real time was the caller's to measure. */
export const summaryOf = (report: SimulationReport, realMillis: number): Summary => ({
  seed: report.seed,
  runs: report.runs,
  failures: report.failures.length,
  tasks: report.tasks,
  hosts: report.hosts,
  faults: Object.fromEntries(
    FaultKind.literals.map((kind) => [kind, countOf(report.faults, kind)] as const).filter(([, count]) => count > 0)
  ),
  virtual_seconds: Math.round(report.virtualSeconds),
  real_ms: Math.round(realMillis),
  log_sha256: report.logSha256
})

/** A report on one run alone, as if its seed had been simulated. */
export const reportOfRun = (outcome: ScenarioOutcome): SimulationReport => {
  const { eventCount, faults, hosts, scenario, sha256, tasks, violations, virtualMillis } = outcome
  return {
    seed: scenario.seed,
    runs: 1,
    failures: violations.slice(0, 1).map((violation) => ({ seed: scenario.seed, violation, minimal: outcome })),
    tasks,
    hosts,
    faults,
    virtualSeconds: virtualMillis / 1000,
    events: eventCount,
    logSha256: createHash("sha256").update(sha256).digest("hex")
  }
}

/** Faults that were injected, by kind (a row) and stage (a column). */
export interface Coverage {
  readonly stages: ReadonlyArray<Stage>
  readonly rows: ReadonlyArray<{
    readonly kind: FaultKind
    /** One for each stage: how often it struck there; none where the kind cannot strike. */
    readonly counts: ReadonlyArray<number | undefined>
  }>
  /** Cells in which a fault struck at least once, of those in which one can. */
  readonly struck: number
  readonly cells: number
}

/** The fault × stage table of a report, in the order of the kinds and of the work on a host. */
export const coverageOf = ({ faults }: Pick<SimulationReport, "faults">): Coverage => {
  const stages = Stage.literals
  const rows = FaultKind.literals.map((kind) => ({
    kind,
    counts: stages.map((stage) => (FAULT_STAGES[kind].includes(stage) ? countOf(faults, kind, stage) : undefined))
  }))
  const cells = rows.flatMap(({ counts }) => counts.filter((count) => count !== undefined))
  return { stages, rows, struck: cells.filter((count) => count > 0).length, cells: cells.length }
}

/** The cell of a table: empty where a fault cannot strike. */
const cell = (count: number | undefined): string => (count === undefined ? "" : String(count))

const header = ({ stages }: Coverage): ReadonlyArray<string> => ["fault", ...stages]

const cellsOf = (coverage: Coverage): ReadonlyArray<ReadonlyArray<string>> =>
  coverage.rows.map(({ counts, kind }) => [kind, ...counts.map(cell)])

/** The table for a terminal: the kinds on the left, numbers on the right of their columns. */
export const coverageTable = (coverage: Coverage): ReadonlyArray<string> => {
  const rows = [header(coverage), ...cellsOf(coverage)]
  const widths = header(coverage).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? "").length)))
  return rows.map((row) =>
    row
      .map((text, column) => (column === 0 ? text.padEnd(widths[0] ?? 0) : text.padStart(widths[column] ?? 0)))
      .join("  ")
      .trimEnd()
  )
}

/** The same as a table of Markdown. */
export const coverageMarkdown = (coverage: Coverage): ReadonlyArray<string> => {
  const line = (cells: ReadonlyArray<string>) => `| ${cells.join(" | ")} |`
  const rule = header(coverage).map((_, column) => (column === 0 ? "---" : "--:"))
  return [line(header(coverage)), `|${rule.join("|")}|`, ...cellsOf(coverage).map(line)]
}

const grouped = (count: number): string => String(count).replace(/\B(?=(\d{3})+$)/g, ",")

const span = (seconds: number): string =>
  seconds < 7_200 ? `${grouped(Math.round(seconds))} s` : `${grouped(Math.round(seconds / 3_600))} h`

/** The summary for a person: what was run, how fast, and what came of it. */
export const summaryLines = (summary: Summary, coverage: Coverage): ReadonlyArray<string> => {
  const { failures, hosts, real_ms, runs, seed, tasks, virtual_seconds } = summary
  const faults = Object.values(summary.faults).reduce((sum, count) => sum + count, 0)
  const seeds = runs === 1 ? `seed ${seed}` : `seeds ${seed} to ${seed + runs - 1}`
  const speed = real_ms === 0 ? "" : `, ${grouped(Math.round((tasks * 1000) / real_ms))} tasks a second`
  return [
    `${grouped(runs)} ${runs === 1 ? "run" : "runs"} (${seeds}): ${failures === 0 ? "all invariants held" : `${failures} broke an invariant`}`,
    `${grouped(tasks)} tasks on ${grouped(hosts)} hosts, ${span(virtual_seconds)} of virtual time in ${(real_ms / 1000).toFixed(1)} s${speed}`,
    `${grouped(faults)} faults, ${coverage.struck} of ${coverage.cells} kinds and stages`,
    `log ${summary.log_sha256}`
  ]
}
