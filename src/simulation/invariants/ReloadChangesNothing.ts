import { Predicate } from "effect"
import { expectDecision } from "../model/ExpectedDecision.ts"
import { expectLimit } from "../model/ExpectedLimits.ts"
import { hostsOf } from "../workload/ScenarioConfig.ts"
import { taskAnswers } from "../model/TaskAnswers.ts"
import type { Answer, MakeWatch } from "./Watch.ts"

const commandIn = (input: unknown): { readonly alias: string; readonly command: string } | undefined =>
  Predicate.hasProperty(input, "alias") && Predicate.hasProperty(input, "command")
    ? { alias: String(input.alias), command: String(input.command) }
    : undefined

/**
 * A reload while tasks run changes nothing for them, and a bad configuration never replaces a good one: every decision is
 * that of a configuration that was in force, and a task's limits stay those that it began with.
 */
export const reloadChangesNothing: MakeWatch = ({ config, facts, violated }) => {
  const limits = new Map<string, number>()

  const checkReload = ({ isError, step, value }: Answer): void => {
    const expected = config.reload(step)
    const status = Predicate.hasProperty(value, "status") ? value.status : undefined
    if (expected === undefined || !expected.alone) return
    if (expected.bad !== (status === "error") || expected.bad !== isError) {
      return violated(
        `a reload of ${expected.bad ? "bad" : "good"} files was answered ${JSON.stringify(value).slice(0, 300)}`
      )
    }
    if (expected.bad || !Predicate.hasProperty(value, "hosts") || !Predicate.hasProperty(value, "rules")) return
    const hosts = hostsOf(facts.scenario, expected.state).length
    const rules = expected.state.policy.rules?.length ?? 0
    if (value.hosts !== hosts || value.rules !== rules) {
      violated(`a reload of ${hosts} hosts and ${rules} rules says ${String(value.hosts)} and ${String(value.rules)}`)
    }
  }

  const checkDecision = ({ at, beganAt, input, outcome, tool, value }: Answer): void => {
    const asked = commandIn(input)
    if (asked === undefined) return
    const states = config.inForce(beganAt, at)
    const known = states.map(({ removed }) => facts.hosts.has(asked.alias) && !removed.has(asked.alias))
    if (outcome === "rejected") {
      const isThere = known.every((one) => one)
      if (String(value).includes("Host alias not found") && isThere) violated(`${asked.alias} is not found`)
      if (String(value).includes("Configuration error")) violated(`a configuration that cannot be used is in force`)
      return
    }
    if (!known.some((one) => one)) return violated(`${asked.alias} is not in the inventory, and was answered for`)
    const tags = facts.hosts.get(asked.alias)?.tags ?? []
    const expected = new Set(states.map(({ policy }) => expectDecision(policy, tags, asked.command)))
    if (expected.has("unknown") || expected.size > 1) return
    const isPlan = tool === "ssh_plan" && Predicate.hasProperty(value, "commands") && Array.isArray(value.commands)
    const denied = isPlan
      ? Predicate.hasProperty(value, "why")
      : Predicate.hasProperty(value, "reason") && value.reason === "policy"
    if (denied !== expected.has("deny"))
      violated(`${asked.command} on ${asked.alias} was ${denied ? "denied" : "allowed"} by the policy`)
  }

  /** `max_seconds` is in every result: of the configuration that the task began with, and the same each time. */
  const checkLimits = ({ value }: Answer): void => {
    for (const { max_seconds: seconds, task_id: id } of taskAnswers(value)) {
      const task = facts.tasks.get(id)
      if (seconds === undefined || task === undefined || task.fanOut) continue
      const before = limits.get(id)
      if (before !== undefined && before !== seconds) violated(`max_seconds of ${id} was ${before} and is ${seconds}`)
      limits.set(id, seconds)
      const [step, ...others] = facts.commands.get(task.hash)?.steps ?? []
      if (step === undefined || others.length > 0) continue
      const states = config.inForce(facts.submittedFrom(task), task.seenAt)
      const limit = expectLimit(states, "max_seconds", facts.subjectOf(task))
      const asked = step.timeoutSeconds ?? Number.POSITIVE_INFINITY
      const actual = seconds === 0 ? Number.POSITIVE_INFINITY : seconds
      if (actual < Math.min(limit.lowest, asked) || actual > Math.min(limit.highest, asked)) {
        violated(`max_seconds of ${id} is ${seconds}, not of the configuration that it began with`)
      }
    }
  }

  return {
    answer: (answer) => {
      if (answer.tool === "ssh_reload_config") checkReload(answer)
      if (answer.tool === "ssh_run" || answer.tool === "ssh_run_async" || answer.tool === "ssh_plan")
        checkDecision(answer)
      checkLimits(answer)
    }
  }
}
