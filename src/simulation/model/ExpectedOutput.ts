import { behaviourOf } from "../hosts/Behaviour.ts"
import { type Facts, taskOfId } from "./Facts.ts"
import type { FaultKind } from "../hosts/Faults.ts"

/** Faults after which a host's output is not what the program writes. */
const CHANGED: ReadonlySet<FaultKind> = new Set(["flood", "partial-utf8", "noisy-login", "login-refused"])

const linesOf = (command: string): ReadonlyArray<string> | undefined => {
  const { actions } = behaviourOf(command)
  let text = ""
  for (const action of actions) {
    if (action._tag === "Fill") return undefined
    if (action._tag === "Write") text += action.text
  }
  return text === "" ? [] : text.replace(/\n$/, "").split("\n")
}

/**
 * The lines that the program of a command's task writes from its start to its end; `undefined` where that cannot be told:
 * a fan-out, a flood, or a host whose faults change what is written. A task that was stopped has the first of them, the
 * last one perhaps cut.
 */
export type ExpectedLines = (taskId: string) => ReadonlyArray<string> | undefined

/** Makes the lines of a run's tasks; those of the command that was asked about last are kept. */
export const makeExpectedLines = (facts: Facts): ExpectedLines => {
  let last: { readonly command: string; readonly lines: ReadonlyArray<string> | undefined } | undefined
  return (taskId) => {
    const { alias, fanOut, hash } = taskOfId(taskId)
    const command = facts.commands.get(hash)?.canonical
    const host = facts.hosts.get(alias)
    if (fanOut || command === undefined || host === undefined) return undefined
    if (host.faults.some(({ kind }) => CHANGED.has(kind))) return undefined
    if (last?.command !== command) last = { command, lines: linesOf(command) }
    return last.lines
  }
}
