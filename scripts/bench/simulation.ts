/**
 * How fast the simulation is and what a large run takes, printed as a table and as one line of JSON:
 *
 * - tasks a second for each of a few hundred seeds alone, as `simulate` draws them. Aim: a median of 1,000.
 * - one run with 10,000 hosts and 100,000 tasks (ten fan-outs over the whole fleet) in a process of its own: tasks a second
 *   and the most memory that the process ever had. Aim: at most 2 GB.
 *
 * Seconds are those of the processor, that of the collector included: what else the machine does then changes nothing, and
 * on an idle core they are real ones.
 *
 * Usage: node scripts/bench/simulation.ts [--seeds N] [--hosts N] [--tasks N]   Exit 1 when an aim is missed.
 *        node scripts/bench/simulation.ts --coverage N   prints instead which faults struck where in seeds 1 to N, as the
 *                                                        README has it
 */
import { spawnSync } from "node:child_process"
import { parseArgs } from "node:util"
import { rehearsalScenario } from "../../src/simulation/Rehearsal.ts"
import { runScenario, scenarioOf, simulate } from "../../src/simulation/Simulation.ts"
import { coverageMarkdown, coverageOf } from "../../src/simulation/report/Summary.ts"

const AIM_TASKS_A_SECOND = 1_000
const AIM_BYTES = 2 * 1024 ** 3

/** Runs that only warm the engine up. */
const WARM_UP = 20

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "300" },
    hosts: { type: "string", default: "10000" },
    tasks: { type: "string", default: "100000" },
    large: { type: "boolean", default: false },
    coverage: { type: "string", default: "0" }
  }
})

/** Seconds of the processor since `before`. */
const secondsSince = (before: NodeJS.CpuUsage): number => {
  const { system, user } = process.cpuUsage(before)
  return (system + user) / 1e6
}

/** What the large run came to. */
interface Large {
  readonly tasks: number
  readonly violations: number
  readonly virtual_seconds: number
  readonly seconds: number
  readonly peak_bytes: number
}

const large = (hosts: number, tasks: number): Large => {
  const scenario = rehearsalScenario({
    seed: 1,
    policy: { version: 3, rules: [{ action: "allow", commands: ["echo *"] }] },
    hosts: Array.from({ length: hosts }, (_, n) => ({ alias: `h${n}`, tags: ["all"] })),
    commands: Array.from({ length: Math.ceil(tasks / hosts) }, (_, n) => ({ tag: "all", command: `echo ${n}` })),
    faults: "low"
  })
  const before = process.cpuUsage()
  const outcome = runScenario(scenario, { keepEvents: 1_000 })
  return {
    tasks: outcome.tasks,
    violations: outcome.violations.length,
    virtual_seconds: Math.round(outcome.virtualMillis / 1000),
    seconds: secondsSince(before),
    // Kilobytes, also on macOS (Node's documentation of resourceUsage).
    peak_bytes: process.resourceUsage().maxRSS * 1024
  }
}

const quantile = (sorted: ReadonlyArray<number>, q: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN

/** Tasks a second of each seed, ascending; runs without a task say nothing. */
const rates = (seeds: number): ReadonlyArray<number> => {
  const measured: Array<number> = []
  for (let seed = 1 - WARM_UP; seed <= seeds; seed++) {
    const scenario = scenarioOf(Math.abs(seed))
    const before = process.cpuUsage()
    const { tasks } = runScenario(scenario, { keepEvents: 0 })
    if (seed > 0 && tasks > 0) measured.push(tasks / secondsSince(before))
  }
  return measured.toSorted((a, b) => a - b)
}

const report = (): void => {
  const sorted = rates(Number(values.seeds))
  const child = spawnSync(
    process.execPath,
    [import.meta.filename, "--large", "--hosts", values.hosts, "--tasks", values.tasks],
    { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"], maxBuffer: 1024 * 1024 }
  )
  const big: Large = JSON.parse(child.stdout)
  const rate = { median: quantile(sorted, 0.5), p10: quantile(sorted, 0.1), p90: quantile(sorted, 0.9) }
  const reached =
    rate.median >= AIM_TASKS_A_SECOND && big.peak_bytes <= AIM_BYTES && big.tasks >= Number(values.tasks) * 0.9
  process.stdout.write(
    [
      `Tasks a second over ${sorted.length} seeds`,
      `  median          ${rate.median.toFixed(0)}  (aim: at least ${AIM_TASKS_A_SECOND})`,
      `  p10, p90        ${rate.p10.toFixed(0)}, ${rate.p90.toFixed(0)}`,
      "",
      `One run with ${values.hosts} hosts`,
      `  tasks           ${big.tasks}, ${(big.tasks / big.seconds).toFixed(0)} a second`,
      `  time            ${big.seconds.toFixed(1)} s for ${big.virtual_seconds} s of virtual time`,
      `  memory          ${(big.peak_bytes / 1024 ** 2).toFixed(0)} MiB  (aim: at most ${AIM_BYTES / 1024 ** 2})`,
      `  violations      ${big.violations}`,
      "",
      JSON.stringify({ bench: "simulation", tasks_a_second: rate, seeds: sorted.length, large: big, reached }),
      ""
    ].join("\n")
  )
  process.exitCode = reached ? 0 : 1
}

const coverage = (runs: number): string =>
  coverageMarkdown(coverageOf(simulate({ seed: 1, runs, maxFailures: runs, shrink: false }))).join("\n")

if (values.coverage !== "0") process.stdout.write(`${coverage(Number(values.coverage))}\n`)
else if (values.large) process.stdout.write(JSON.stringify(large(Number(values.hosts), Number(values.tasks))))
else report()
