import { Clock, Effect, Option, Result, Schema } from "effect"
import { Command, Flag } from "effect/cli"
import { FaultLevel } from "../simulation/hosts/Faults.ts"
import { readReplayToken, replayToken } from "../simulation/report/ReplayToken.ts"
import { MAX_HOSTS, MAX_STEPS } from "../simulation/workload/Scenario.ts"
import {
  openSimulation,
  runScenario,
  type SimulationFailure,
  type SimulationOptions,
  type SimulationReport,
  type SimulationRuns
} from "../simulation/Simulation.ts"
import { coverageOf, coverageTable, reportOfRun, summaryLines, summaryOf } from "../simulation/report/Summary.ts"
import { timeline } from "../simulation/report/Timeline.ts"
import { CliFailure, EXIT, wrongUsage } from "./CliFailure.ts"
import { makePrinter, printJson, printLines, printRemarks } from "./Printer.ts"
import { makeProgressLine } from "./ProgressLine.ts"

/** The most runs of one invocation: more than anybody waits for. */
const MAX_RUNS = 100_000_000
const DEFAULT_SEED = 1
const DEFAULT_RUNS = 100
const DEFAULT_FAULTS: FaultLevel = "medium"

/** Events that the timeline of a replay shows. */
const REPLAY_EVENTS = 20_000

const between = (name: string, minimum: number, maximum: number, metavar: string, description: string) =>
  Flag.Int(name).pipe(
    Flag.withMetavar(metavar),
    Flag.withDescription(description),
    Flag.withSchema(Schema.Int.check(Schema.isBetween({ minimum, maximum }))),
    Flag.optional
  )

const flags = {
  seed: between("seed", 0, 0xffff_ffff, "N", `Seed of the first run; the others have those after it (${DEFAULT_SEED})`),
  runs: between("runs", 1, MAX_RUNS, "N", `Runs, each with a scenario of its own (${DEFAULT_RUNS})`),
  hosts: between("hosts", 1, MAX_HOSTS, "N", "Hosts in each run; drawn when absent"),
  tasks: between("tasks", 1, MAX_STEPS, "N", "Calls that run commands in each run; drawn when absent"),
  faults: Flag.Literals("faults", FaultLevel.literals).pipe(
    Flag.withMetavar("LEVEL"),
    Flag.withDescription(`How much goes wrong (${DEFAULT_FAULTS})`),
    Flag.optional
  ),
  replay: Flag.String("replay").pipe(
    Flag.withMetavar("TOKEN"),
    Flag.withDescription("Run the scenario of a failure again and show its timeline"),
    Flag.optional
  ),
  json: Flag.Boolean("json").pipe(
    Flag.withDescription("Print the summary as one JSON object on stdout, failures on stderr"),
    Flag.withDefault(false)
  )
}

/** The arguments that repeat a seed's run. */
const argumentsOf = ({ faults, hosts, seed, tasks }: SimulationOptions): string =>
  [
    `simulate --seed ${seed} --runs 1`,
    ...(hosts === undefined ? [] : [`--hosts ${hosts}`]),
    ...(tasks === undefined ? [] : [`--tasks ${tasks}`]),
    ...(faults === undefined || faults === DEFAULT_FAULTS ? [] : [`--faults ${faults}`])
  ].join(" ")

const explain = (
  options: SimulationOptions,
  { minimal, seed, violation }: SimulationFailure
): ReadonlyArray<string> => [
  `Seed ${seed} broke the invariant ${violation.invariant}: ${violation.detail}`,
  "",
  "The smallest scenario found that breaks it:",
  ...timeline(minimal),
  "",
  `To repeat it:     mcp-ssh-orchestrator simulate --replay ${replayToken(minimal.scenario)}`,
  `The whole of it:  mcp-ssh-orchestrator ${argumentsOf({ ...options, seed })}`,
  ""
]

/** Prints what a simulation came to, and fails when an invariant was broken. */
const conclude = Effect.fnUntraced(function* (
  report: SimulationReport,
  realMillis: number,
  json: boolean,
  failures: ReadonlyArray<string>
) {
  const summary = summaryOf(report, realMillis)
  if (failures.length > 0) yield* json ? printRemarks(failures) : printLines(failures)
  if (json) yield* printJson(summary)
  else {
    const coverage = coverageOf(report)
    yield* printLines([...coverageTable(coverage), "", ...summaryLines(summary, coverage)])
  }
  if (report.failures.length > 0) return yield* new CliFailure({ exitCode: EXIT.failed, text: "" })
})

/** Does the runs one by one; in between a Ctrl-C is heeded and the progress shown, once a second. */
const driven = Effect.fnUntraced(function* (simulation: SimulationRuns) {
  const line = yield* makeProgressLine(yield* makePrinter)
  let shown = 0
  while (true) {
    const progress = simulation.next()
    if (progress === undefined) break
    yield* Effect.yieldNow
    const seconds = yield* line.elapsedSeconds
    if (seconds === shown) continue
    shown = seconds
    const { done, failures, runs, tasks } = progress
    yield* line.show(`${seconds} s: ${done} of ${runs} runs, ${tasks} tasks, ${failures} failed`)
  }
  yield* line.end
})

const repeatToken = Effect.fnUntraced(function* (token: string, json: boolean) {
  const scenario = readReplayToken(token)
  if (Result.isFailure(scenario)) return yield* wrongUsage(`--replay: ${scenario.failure.message}`)
  const from = yield* Clock.currentTimeMillis
  const outcome = runScenario(scenario.success, { keepEvents: REPLAY_EVENTS })
  const real = (yield* Clock.currentTimeMillis) - from
  yield* conclude(reportOfRun(outcome), real, json, json ? [] : [...timeline(outcome, REPLAY_EVENTS), ""])
})

/** `simulate`: the real server on simulated hosts in virtual time, checked against its invariants. */
export const simulate = Command.make(
  "simulate",
  flags,
  Effect.fn("cli.simulate")(function* ({ faults, hosts, json, replay, runs, seed, tasks }) {
    if (Option.isSome(replay)) {
      if ([faults, hosts, runs, seed, tasks].some((flag) => Option.isSome<unknown>(flag))) {
        return yield* wrongUsage("--replay holds the whole scenario: only --json goes with it")
      }
      return yield* repeatToken(replay.value, json)
    }
    const options: SimulationOptions = {
      seed: Option.getOrElse(seed, () => DEFAULT_SEED),
      runs: Option.getOrElse(runs, () => DEFAULT_RUNS),
      faults: Option.getOrElse(faults, () => DEFAULT_FAULTS),
      ...(Option.isSome(hosts) ? { hosts: hosts.value } : {}),
      ...(Option.isSome(tasks) ? { tasks: tasks.value } : {})
    }
    const from = yield* Clock.currentTimeMillis
    const simulation = openSimulation(options)
    yield* driven(simulation)
    const real = (yield* Clock.currentTimeMillis) - from
    const report = simulation.report()
    yield* conclude(
      report,
      real,
      json,
      report.failures.flatMap((failure) => explain(options, failure))
    )
  })
).pipe(
  Command.withDescription(
    "Run the server on simulated hosts in virtual time, with faults drawn from seeds, and check that it keeps its word"
  ),
  Command.withExamples([
    { command: "mcp-ssh-orchestrator simulate --runs 2000", description: "Seeds 1 to 2000" },
    {
      command: "mcp-ssh-orchestrator simulate --seed 7 --runs 1 --hosts 1000 --tasks 5000 --faults high --json",
      description: "One large run"
    }
  ])
)
