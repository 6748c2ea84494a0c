import { makeConfigFacts } from "../model/ConfigFacts.ts"
import type { LoggedEvent } from "../world/EventLog.ts"
import { makeFacts } from "../model/Facts.ts"
import { answersAsModelled } from "./AnswersAsModelled.ts"
import { deniedNeverRuns } from "./DeniedNeverRuns.ts"
import { keptUntilTtl } from "./KeptUntilTtl.ts"
import { limitsKept } from "./LimitsKept.ts"
import { lostNeverUsed } from "./LostNeverUsed.ts"
import { monotonicStatus } from "./MonotonicStatus.ts"
import { oneAuditRecord } from "./OneAuditRecord.ts"
import { oneTerminalState } from "./OneTerminalState.ts"
import { outputPages } from "./OutputPages.ts"
import { reloadChangesNothing } from "./ReloadChangesNothing.ts"
import { runEnds } from "./RunEnds.ts"
import { shutdownInTime } from "./ShutdownInTime.ts"
import { stoppedMeansGone } from "./StoppedMeansGone.ts"
import { timesKept } from "./TimesKept.ts"
import type { Answer, MakeWatch, Watch } from "./Watch.ts"
import type { Checker } from "./Observation.ts"
import type { Scenario } from "../workload/Scenario.ts"
import { InvariantName, type Violation } from "./Violation.ts"

export { InvariantName, Violation } from "./Violation.ts"

/** Every invariant by its name. */
export const INVARIANTS: Readonly<Record<InvariantName, MakeWatch>> = {
  "one-terminal-state": oneTerminalState,
  "denied-never-runs": deniedNeverRuns,
  "stopped-means-gone": stoppedMeansGone,
  "limits-kept": limitsKept,
  "times-kept": timesKept,
  "lost-never-used": lostNeverUsed,
  "one-audit-record": oneAuditRecord,
  "output-pages": outputPages,
  "kept-until-ttl": keptUntilTtl,
  "monotonic-status": monotonicStatus,
  "reload-changes-nothing": reloadChangesNothing,
  "shutdown-in-time": shutdownInTime,
  "answers-as-modelled": answersAsModelled,
  "run-ends": runEnds
}

/** Violations that are kept of one run: a bug that shows everywhere would fill the memory. */
const MAX_VIOLATIONS = 100

/** Watches a run of the scenario by the given invariants, all when absent. */
export const makeChecker = (
  scenario: Scenario,
  invariants: ReadonlyArray<InvariantName> = InvariantName.literals
): Checker => {
  const facts = makeFacts(scenario)
  const config = makeConfigFacts(scenario)
  const violations: Array<Violation> = []
  let now = 0
  let answers: Array<Answer> = []

  const watches = invariants.map((invariant): Watch => {
    const violated = (detail: string): void => {
      if (violations.length < MAX_VIOLATIONS) violations.push({ invariant, detail, at: now })
    }
    return INVARIANTS[invariant]({ facts, config, violated })
  })
  const onEvent = watches.flatMap(({ event }) => event ?? [])
  const onAnswer = watches.flatMap(({ answer }) => answer ?? [])
  const onSettled = watches.flatMap(({ settled }) => settled ?? [])
  const onObserve = watches.flatMap(({ observe }) => observe ?? [])

  /** The clock goes on: all that happens at its last instant has happened. */
  const settle = (at: number): void => {
    if (at <= now) return
    const due = answers
    answers = []
    for (const answer of due) for (const check of onAnswer) check(answer)
    for (const check of onSettled) check(now)
    now = at
  }

  const event = (logged: LoggedEvent): void => {
    settle(logged.at)
    const { at, event: happened, index } = logged
    if (happened._tag === "Answered") {
      const { isError, outcome, step, value } = happened
      const call = facts.calls.find((one) => one.step === step)
      if (call !== undefined) answers.push({ ...call, outcome, isError, value, at, index })
    }
    facts.event(logged)
    config.event(logged)
    for (const check of onEvent) check(logged)
  }

  return {
    event,
    observe: (observation) => {
      settle(observation.at)
      if (observation.phase === "closed") settle(Number.POSITIVE_INFINITY)
      for (const check of onObserve) check(observation)
    },
    violations: () => violations
  }
}
