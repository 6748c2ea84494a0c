import { expectDecision, isForbidden } from "../model/ExpectedDecision.ts"
import type { CommandFacts, Facts } from "../model/Facts.ts"
import type { MakeWatch } from "./Watch.ts"

/** How many steps submit the command to the host, at most: a host of a fan-out gets it once. */
const submissions = ({ hosts }: Facts, command: CommandFacts, alias: string): number =>
  command.steps.filter((step) =>
    step._tag === "RunOnTag"
      ? hosts.get(alias)?.tags.includes(step.tag) === true && (step.only?.includes(alias) ?? true)
      : step.alias === alias
  ).length

/**
 * A command that policy or network denies never reaches the transport; what is executed is the normal form that was
 * decided on, on the host that it was decided for, and at most once.
 */
export const deniedNeverRuns: MakeWatch = ({ config, facts, violated }) => {
  const hasTexts = facts.scenario.steps.some((step) => "program" in step && step.program._tag === "Text")

  const checkExec = (alias: string, canonical: string): void => {
    const command = facts.byCanonical.get(canonical)
    if (command === undefined) {
      if (!hasTexts) violated(`${alias} was sent what no step submits: ${canonical}`)
      return
    }
    if (submissions(facts, command, alias) === 0) violated(`${alias} was sent what was meant for others: ${canonical}`)
    if (facts.decisions(alias, command.hash).allowed === 0)
      violated(`${alias} was sent ${canonical}, which was not allowed`)
    const tags = facts.hosts.get(alias)?.tags ?? []
    const expected = config.all().map(({ policy }) => expectDecision(policy, tags, canonical))
    if (expected.every((one) => one === "deny")) violated(`${alias} was sent ${canonical}, which the policy denies`)
  }

  const checkConnect = (alias: string, address: string, via: string | undefined): void => {
    const host = facts.hosts.get(alias)
    if (host === undefined) return violated(`a connection to ${alias}, which is no host`)
    if (via !== host.jump)
      violated(`a connection to ${alias} through ${via ?? "nothing"}, not ${host.jump ?? "nothing"}`)
    // What only the jump host can resolve is connected to by name.
    if (address === host.hostname && via !== undefined) return
    if (!host.addresses.includes(address)) violated(`a connection to ${alias} at ${address}, which is not its address`)
    if (config.all().every(({ policy }) => isForbidden(policy, address))) {
      violated(`a connection to ${alias} at ${address}, which the network policy forbids`)
    }
  }

  return {
    event: ({ event }) => {
      switch (event._tag) {
        case "UnknownExec":
          return violated(`${event.alias} was sent a text that is no wrapper of a command`)
        case "ExecRequested":
          return checkExec(event.alias, event.command)
        case "ConnectStarted":
          return checkConnect(event.alias, event.address, event.via)
        case "ProcessStarted": {
          const run = facts.runOf(event.alias, event.command)
          if (run?.command === undefined) return
          const most = submissions(facts, run.command, event.alias)
          if (run.started > most)
            violated(`${event.alias} ran ${event.command} ${run.started} times, asked for ${most}`)
          return
        }
        default:
          return
      }
    }
  }
}
