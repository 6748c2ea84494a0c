import type { LimitsPatch } from "../policy/Limits.ts"
import type { PolicyDocument } from "../policy/PolicyDocument.ts"
import type { PlannedFault } from "./hosts/Faults.ts"
import type { Program } from "./workload/Program.ts"
import type { Scenario, ScenarioHost, Step } from "./workload/Scenario.ts"

/** Runs of candidates after which shrinking gives what it has. */
export const MAX_ATTEMPTS = 600

/** The shrinking of one scenario: the smallest that still fails, and what may be spent on a smaller one. */
interface Search {
  readonly current: () => Scenario
  /** Takes a candidate when it still fails; false when it does not, or nothing may be tried any more. */
  readonly attempt: (candidate: Scenario) => boolean
}

/** Tries to go without parts of a list: halves first, then ever smaller runs, down to one (delta debugging, Zeller 1999). */
const removeParts = <A>(
  search: Search,
  parts: (scenario: Scenario) => ReadonlyArray<A>,
  withParts: (scenario: Scenario, parts: ReadonlyArray<A>) => Scenario
): void => {
  let size = Math.ceil(parts(search.current()).length / 2)
  while (size > 0) {
    for (let from = 0; from < parts(search.current()).length;) {
      const all = parts(search.current())
      const rest = [...all.slice(0, from), ...all.slice(from + size)]
      if (!search.attempt(withParts(search.current(), rest))) from += size
    }
    size = size === 1 ? 0 : Math.ceil(size / 2)
  }
}

/** Tries simpler forms of each part of a list, the simplest first, until none of them fails. */
const simplifyParts = <A>(
  search: Search,
  parts: (scenario: Scenario) => ReadonlyArray<A>,
  withParts: (scenario: Scenario, parts: ReadonlyArray<A>) => Scenario,
  simpler: (part: A) => ReadonlyArray<A>
): void => {
  let index = 0
  while (index < parts(search.current()).length) {
    const all = parts(search.current())
    const found = all
      .slice(index, index + 1)
      .flatMap(simpler)
      .some((candidate) => search.attempt(withParts(search.current(), all.with(index, candidate))))
    if (!found) index++
  }
}

/** Smaller numbers to try: the least, a half, one less. */
const smaller = (value: number, least = 0): ReadonlyArray<number> =>
  value <= least ? [] : [...new Set([least, least + Math.floor((value - least) / 2), value - 1])]

/** A record without one of its keys. */
const without = <A extends object, K extends keyof A>(record: A, key: K): Omit<A, K> => {
  const { [key]: _, ...rest } = record
  return rest
}

const simplerProgram = (program: Program): ReadonlyArray<Program> => {
  switch (program._tag) {
    case "Echo":
    case "Forbidden":
    case "Text":
      return []
    case "Lines":
      return [{ _tag: "Echo" }, ...smaller(program.count).map((count) => ({ ...program, count }))]
    case "Flood":
      return [{ _tag: "Echo" }, ...smaller(program.bytes).map((bytes) => ({ ...program, bytes }))]
    case "Ticks":
      return [
        { _tag: "Echo" },
        { _tag: "Sleep", millis: Math.min(120_000, program.count * program.everyMillis) },
        ...smaller(program.count).map((count) => ({ ...program, count })),
        ...smaller(program.everyMillis, 1).map((everyMillis) => ({ ...program, everyMillis }))
      ]
    case "Sleep":
      return [{ _tag: "Echo" }, ...smaller(program.millis).map((millis) => ({ ...program, millis }))]
    case "Fail":
      return [{ _tag: "Echo" }, ...smaller(program.code, 1).map((code) => ({ ...program, code }))]
    case "Die":
      return [{ _tag: "Echo" }]
  }
}

const simplerStep = (step: Step): ReadonlyArray<Step> => {
  const earlier = smaller(step.at).map((at) => ({ ...step, at }))
  switch (step._tag) {
    case "Run":
    case "Start":
      return [
        ...simplerProgram(step.program).map((program) => ({ ...step, program })),
        ...(step.blanks > 1 ? [{ ...step, blanks: 1 }] : []),
        ...(step.timeoutSeconds === undefined ? [] : [without(step, "timeoutSeconds")]),
        ...earlier
      ]
    case "RunOnTag": {
      const { at, key, program, tag } = step
      return [
        { _tag: "RunOnTag", at, key, program, tag, blanks: 1 },
        ...simplerProgram(program).map((simpler) => ({ ...step, program: simpler })),
        ...earlier
      ]
    }
    case "PageOutput":
      return [...smaller(step.maxLines, 1).map((maxLines) => ({ ...step, maxLines })), ...earlier]
    case "Await":
      return [...smaller(step.waitSeconds).map((waitSeconds) => ({ ...step, waitSeconds })), ...earlier]
    case "Reload":
      return step.change._tag === "Unchanged" ? earlier : [{ ...step, change: { _tag: "Unchanged" } }, ...earlier]
    case "DoubleCancel":
      return [{ ...step, _tag: "Cancel" }, ...earlier]
    default:
      return earlier
  }
}

const simplerFault = (fault: PlannedFault): ReadonlyArray<PlannedFault> => [
  ...smaller(fault.times, 1).map((times) => ({ ...fault, times })),
  ...smaller(fault.after).map((after) => ({ ...fault, after })),
  ...smaller(fault.millis).map((millis) => ({ ...fault, millis }))
]

const simplerHost = (host: ScenarioHost): ReadonlyArray<ScenarioHost> => {
  const [address] = host.addresses
  const [tag] = host.tags
  const simpler: ReadonlyArray<ScenarioHost> = [
    {
      ...host,
      shell: "posix",
      maxSessions: 10,
      latencyMillis: Math.min(2, host.latencyMillis),
      port: 22,
      configured: "name"
    },
    ...(host.jump === undefined ? [] : [without(host, "jump")]),
    ...(address === undefined || host.addresses.length === 1 ? [] : [{ ...host, addresses: [address] }]),
    ...(tag === undefined || host.tags.length === 1 ? [] : [{ ...host, tags: [tag] }]),
    ...(host.shell === "posix" ? [] : [{ ...host, shell: "posix" as const }]),
    ...(host.maxSessions === 10 ? [] : [{ ...host, maxSessions: 10 }]),
    ...smaller(host.latencyMillis).map((latencyMillis) => ({ ...host, latencyMillis })),
    ...host.faults.flatMap((fault, index) =>
      simplerFault(fault).map((one) => ({ ...host, faults: host.faults.with(index, one) }))
    )
  ]
  return simpler.filter((one) => JSON.stringify(one) !== JSON.stringify(host))
}

/** A policy without its overrides, its network lists, each of its limits, and each of its rules. */
const simplerPolicies = (policy: PolicyDocument): ReadonlyArray<PolicyDocument> => [
  ...(policy.overrides === undefined ? [] : [without(policy, "overrides")]),
  ...(policy.network === undefined ? [] : [without(policy, "network")]),
  ...Object.keys(policy.limits ?? {}).map((key) => ({
    ...policy,
    limits: without(policy.limits ?? {}, key as keyof LimitsPatch)
  })),
  ...(policy.rules ?? []).map((_, index) => ({ ...policy, rules: (policy.rules ?? []).toSpliced(index, 1) }))
]

const withSteps = (scenario: Scenario, steps: ReadonlyArray<Step>): Scenario => ({
  ...scenario,
  steps: steps.toSorted((a, b) => a.at - b.at)
})

const isAbout = (step: Step, alias: string): boolean => "alias" in step && step.alias === alias

/** Leaves hosts out, with those behind them and the steps about them. */
const withHosts = (scenario: Scenario, hosts: ReadonlyArray<ScenarioHost>): Scenario => {
  const left = new Set(hosts.map(({ alias }) => alias))
  const reached = hosts.filter(({ jump }) => jump === undefined || left.has(jump))
  const gone = scenario.hosts.filter((host) => !reached.includes(host))
  return {
    ...scenario,
    hosts: reached,
    steps: scenario.steps.filter((step) => !gone.some(({ alias }) => isAbout(step, alias)))
  }
}

const replaceHosts = (scenario: Scenario, hosts: ReadonlyArray<ScenarioHost>): Scenario => ({ ...scenario, hosts })

/** A fault and the host that has it. */
interface HostFault {
  readonly alias: string
  readonly fault: PlannedFault
}

const faultsOf = ({ hosts }: Scenario): ReadonlyArray<HostFault> =>
  hosts.flatMap(({ alias, faults }) => faults.map((fault) => ({ alias, fault })))

const withFaults = (scenario: Scenario, faults: ReadonlyArray<HostFault>): Scenario => ({
  ...scenario,
  hosts: scenario.hosts.map((host) => ({
    ...host,
    faults: faults.filter(({ alias }) => alias === host.alias).map(({ fault }) => fault)
  }))
})

const simplifyPolicy = (search: Search): void => {
  let shorter = true
  while (shorter)
    shorter = simplerPolicies(search.current().policy).some((policy) => search.attempt({ ...search.current(), policy }))
}

/** Tries to begin sooner, with the times between the steps as they are. */
const shift = (search: Search): void => {
  const first = search.current().steps[0]?.at ?? 0
  for (const by of smaller(first).map((at) => first - at)) {
    const { steps } = search.current()
    const sooner = steps.map((step) => ({ ...step, at: step.at - by }))
    if (search.attempt({ ...search.current(), steps: sooner })) return
  }
}

/** One round over everything that can be left out or made simpler, the largest parts first. */
const round = (search: Search): void => {
  removeParts(search, (scenario) => scenario.steps, withSteps)
  removeParts(search, (scenario) => scenario.hosts, withHosts)
  removeParts(search, faultsOf, withFaults)
  shift(search)
  simplifyPolicy(search)
  simplifyParts(search, (scenario) => scenario.steps, withSteps, simplerStep)
  simplifyParts(search, (scenario) => scenario.hosts, replaceHosts, simplerHost)
}

/**
 * The smallest scenario found that still fails, from one that does: steps, hosts, faults and parts of the policy are left
 * out, then numbers made smaller, round after round until nothing helps. `fails` must be a function of its argument, as a
 * run is; it is asked at most `attempts` times.
 */
export const shrinkScenario = (
  scenario: Scenario,
  fails: (candidate: Scenario) => boolean,
  attempts: number = MAX_ATTEMPTS
): Scenario => {
  let smallest = scenario
  let left = attempts
  const tried = new Set<string>()
  const search: Search = {
    current: () => smallest,
    attempt: (candidate) => {
      const text = JSON.stringify(candidate)
      if (left <= 0 || tried.has(text)) return false
      tried.add(text)
      left--
      if (!fails(candidate)) return false
      smallest = candidate
      return true
    }
  }
  let before: Scenario | undefined
  while (left > 0 && smallest !== before) {
    before = smallest
    round(search)
  }
  return smallest
}
