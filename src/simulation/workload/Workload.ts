import { Arbitrary, Effect, Schema } from "effect"
import { drawFleet } from "./DrawFleet.ts"
import { drawPolicy, TAGS } from "./DrawPolicy.ts"
import type { FaultLevel } from "../hosts/Faults.ts"
import { DrawnProgram } from "./Program.ts"
import {
  Await,
  ClockJump,
  type ConfigChange,
  List,
  PageOutput,
  type Scenario,
  type ScenarioHost,
  type Step,
  type SubmitStep,
  type TaskRef
} from "./Scenario.ts"
import type { SeededRandom } from "../world/SeededRandom.ts"

/** How large a drawn scenario is, and how much goes wrong in it. */
export interface ScenarioSize {
  /** Hosts; a few when absent. */
  readonly hosts?: number | undefined
  /** Steps that submit tasks, a fan-out being one; a few dozen at most when absent. */
  readonly tasks?: number | undefined
  readonly faults: FaultLevel
}

const int = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))

/** What Effect's Arbitrary draws of a step: all that depends on neither the other steps nor the fleet. */
const DRAFTS = {
  Command: Arbitrary.schema(
    Schema.Struct({ program: DrawnProgram, blanks: int(1, 3), timeoutSeconds: Schema.optionalKey(int(1, 100)) })
  ),
  FanOut: Arbitrary.schema(
    Schema.Struct({
      concurrency: Schema.optionalKey(int(1, 8)),
      batch: Schema.optionalKey(Schema.NonEmptyArray(int(1, 5)).check(Schema.isMaxLength(3))),
      maxFailures: Schema.optionalKey(int(0, 4))
    })
  ),
  PageOutput: Arbitrary.schema(PageOutput.mapFields(({ from, maxLines }) => ({ from, maxLines }))),
  Await: Arbitrary.schema(Await.mapFields(({ waitSeconds }) => ({ waitSeconds }))),
  List: Arbitrary.schema(List.mapFields(({ status }) => ({ status }))),
  ClockJump: Arbitrary.schema(ClockJump.mapFields(({ millis }) => ({ millis })))
}

/** Draws `count` values; equal streams draw equal values. */
const sample = <A>(random: SeededRandom, arbitrary: Arbitrary.Arbitrary<A>, count: number): ReadonlyArray<A> =>
  count === 0 ? [] : Effect.runSync(Effect.orDie(Arbitrary.sampleEffect(arbitrary, { seed: random.next(), count })))

/** Times from a submission to what a client does about it: at once, in the handshake, while it runs, after its end. */
const DELAYS = [0, 0, 0, 1, 5, 50, 400, 1_000, 2_500, 6_000, 20_000, 61_000, 310_000] as const

/** Milliseconds over which the submissions of a small scenario are spread. */
const SPREADS = [0, 2_000, 20_000, 120_000, 400_000] as const

/** Milliseconds between the submissions of a large one, on average. */
const PACE = 40

/** Submissions above which a scenario is a large one. */
const LARGE = 100

/** Tasks that the fan-outs of a large scenario may come to, in all. */
const FANNED_OUT = 2_000

/** The kinds of submissions in one scenario. */
type SubmitKinds = readonly [SubmitStep["_tag"], ...ReadonlyArray<SubmitStep["_tag"]>]

const KINDS: readonly [SubmitKinds, ...ReadonlyArray<SubmitKinds>] = [
  ["Run"],
  ["Start"],
  ["Run", "Start"],
  ["Run", "Start", "RunOnTag"],
  ["Start", "RunOnTag"]
]

const drawSubmits = (
  random: SeededRandom,
  hosts: ReadonlyArray<ScenarioHost>,
  count: number
): ReadonlyArray<SubmitStep> => {
  const spread = count > LARGE ? PACE * count : random.pick(SPREADS)
  const kinds = random.pick(KINDS)
  const fanOuts = Math.floor(FANNED_OUT / Math.max(1, hosts.length))
  const drafts = sample(random, DRAFTS.FanOut, Math.min(count, fanOuts))
  return sample(random, DRAFTS.Command, count).map(({ program, ...command }, key): SubmitStep => {
    const common = { ...command, program: { ...program }, key, at: random.below(spread + 1) }
    const kind = random.pick(kinds)
    const alias = random.pick(hosts)?.alias ?? "nobody"
    if (kind !== "RunOnTag") return { _tag: kind, ...common, alias }
    const draft = drafts[key]
    if (draft === undefined) return { _tag: "Start", ...common, alias }
    const [first, ...others] = hosts.slice(0, 20).flatMap((host) => (random.chance(0.5) ? [host.alias] : []))
    return {
      _tag: kind,
      ...common,
      ...draft,
      tag: random.pick(TAGS),
      ...(first === undefined || random.chance(0.7) ? {} : { only: [first, ...others] })
    }
  })
}

/** Lists in a large scenario. */
const LISTS = 200

const OBSERVED = ["Poll", "PageOutput", "Await", "Cancel", "DoubleCancel", "List", "Disconnect"] as const

/** What clients do about the tasks: swarm testing gives each scenario its own mix of kinds, some of them missing. */
const drawObservations = (
  random: SeededRandom,
  hosts: ReadonlyArray<ScenarioHost>,
  submits: ReadonlyArray<SubmitStep>
): ReadonlyArray<Step> => {
  const mix = OBSERVED.flatMap((tag) => Array.from({ length: random.below(4) }, () => tag))
  const [first, ...others] = mix
  if (first === undefined) return []
  const isLarge = submits.length > LARGE
  const count = random.below((isLarge ? Math.floor(submits.length / 2) : 2 * submits.length) + 1)
  const pages = sample(random, DRAFTS.PageOutput, count)
  const waits = sample(random, DRAFTS.Await, count)
  const lists = sample(random, DRAFTS.List, count)
  return Array.from({ length: count }, (_, index) => index).flatMap((index): ReadonlyArray<Step> => {
    const submit = random.pick(submits)
    if (submit === undefined) return []
    const delay = random.pick(DELAYS)
    const at = submit.at + random.below(2 * delay + 1)
    const child = submit._tag === "RunOnTag" && random.chance(0.3) ? random.pick(hosts)?.alias : undefined
    const task: TaskRef = { of: submit.key, ...(child === undefined ? {} : { child }) }
    const drawn = random.pick([first, ...others])
    // A list of all tasks is read from all that are kept.
    const tag = drawn === "List" && index >= LISTS ? "Poll" : drawn
    switch (tag) {
      case "PageOutput":
        return [{ _tag: tag, at, task, ...(pages[index] ?? { from: "newest", maxLines: 50 }) }]
      case "Await":
        return [{ _tag: tag, at, task, waitSeconds: waits[index]?.waitSeconds ?? 0 }]
      case "List": {
        const alias = random.chance(0.3) ? random.pick(hosts)?.alias : undefined
        return [{ _tag: tag, at, ...lists[index], ...(alias === undefined ? {} : { alias }) }]
      }
      case "Disconnect":
        return [{ _tag: tag, at, of: submit.key }]
      case "Poll":
      case "Cancel":
      case "DoubleCancel":
        return [{ _tag: tag, at, task }]
    }
  })
}

const FILES = ["servers", "credentials", "policy"] as const

const drawChange = (random: SeededRandom, hosts: ReadonlyArray<ScenarioHost>): ConfigChange => {
  const alias = random.pick(hosts)?.alias ?? "nobody"
  const changes: readonly [ConfigChange, ...ReadonlyArray<ConfigChange>] = [
    { _tag: "Unchanged" },
    { _tag: "NewPolicy", policy: drawPolicy(random.fork("policy")) },
    { _tag: "RemoveHost", alias },
    { _tag: "AddHost", alias },
    { _tag: "BadYaml", file: random.pick(FILES) },
    { _tag: "BadKey", file: random.pick(FILES) },
    { _tag: "BadReference" }
  ]
  return random.pick(changes)
}

/** What an operator does: few of it, in some scenarios only. */
const drawOperations = (
  random: SeededRandom,
  hosts: ReadonlyArray<ScenarioHost>,
  submits: ReadonlyArray<SubmitStep>
): ReadonlyArray<Step> => {
  const until = Math.max(0, ...submits.slice(0, LARGE).map(({ at }) => at)) + 30_000
  const at = () => random.below(until)
  const some = (p: number, most: number): ReadonlyArray<number> =>
    random.chance(p) ? Array.from({ length: 1 + random.below(most) }, (_, index) => index) : []
  const keyed = submits.length
  return [
    ...some(0.4, 4).map((n): Step => ({
      _tag: "Reload",
      at: at(),
      change: drawChange(random.fork(`reload ${n}`), hosts)
    })),
    ...some(0.2, 3).flatMap((n): ReadonlyArray<Step> => {
      const submit = random.pick(submits)
      if (submit === undefined || submit._tag === "RunOnTag") return []
      const { alias, blanks, program } = submit
      return [{ _tag: "Plan", at: at(), key: keyed + n, alias, blanks, program }]
    }),
    ...some(0.2, 3).map((): Step => ({ _tag: "Ping", at: at(), alias: random.pick(hosts)?.alias ?? "nobody" })),
    ...sample(random, DRAFTS.ClockJump, some(0.2, 2).length).map(({ millis }): Step => ({
      _tag: "ClockJump",
      at: at(),
      millis
    })),
    ...some(0.3, 1).map((): Step => ({ _tag: "Shutdown", at: at() }))
  ]
}

/** Few: most bugs need few of anything, and a small run is soon done. */
const drawSmall = (random: SeededRandom, most: number): number => 1 + random.below(1 + random.below(most))

/** Draws a scenario: a function of the stream's seed and the size alone. */
export const drawScenario = (random: SeededRandom, size: ScenarioSize): Scenario => {
  const counts = random.fork("counts")
  const few = drawSmall(counts, 8)
  const some = drawSmall(counts, 40)
  const hosts = drawFleet(random.fork("fleet"), size.hosts ?? few, size.faults)
  const submits = drawSubmits(random.fork("submits"), hosts, size.tasks ?? some)
  const steps: ReadonlyArray<Step> = [
    ...submits,
    ...drawObservations(random.fork("observations"), hosts, submits),
    ...drawOperations(random.fork("operations"), hosts, submits)
  ]
  return {
    seed: random.fork("run").next(),
    hosts,
    policy: drawPolicy(random.fork("policy")),
    steps: steps.toSorted((a, b) => a.at - b.at)
  }
}
