import { Effect } from "effect"
import type { StopOrder } from "../../ssh/process/Killer.ts"
import type { PlannedFault } from "./Faults.ts"
import { reactionTo, type Resistance, type SimulatedProcess, type StopSignal } from "./ProcessTable.ts"
import type { SimulatedHost } from "./SimulatedHost.ts"

/** Looks after KILL, and the pause between two, as the killer's script has them. */
const KILL_LOOKS = 10
const NAP_MILLIS = 100
/** The pauses before the first look, and before the second; later ones are `NAP_MILLIS`. */
const FIRST_NAPS = [20, 50]

/** What a process becomes that a fault of the stage `stop` strikes. */
const resistanceOf = (fault: PlannedFault | undefined): Resistance | undefined => {
  switch (fault?.kind) {
    case "ignores-term":
      return { _tag: "IgnoresTerm" }
    case "slow-to-stop":
      return { _tag: "SlowToStop", millis: fault.millis }
    case "unstoppable":
      return { _tag: "Unstoppable" }
    case "hidden-process":
      return { _tag: "Hidden" }
    default:
      return undefined
  }
}

const signal = (host: SimulatedHost, process: SimulatedProcess, name: StopSignal): Effect.Effect<void> =>
  Effect.suspend(() => {
    const { alias, pid } = process
    host.fleet.observe({ _tag: "ProcessSignalled", alias, pid, signal: name })
    const end = Effect.sync(() => host.table.end(process, { _tag: "Signalled", signal: name }))
    const reaction = reactionTo(host.table.resistance(process), name)
    if (reaction === "none") return Effect.void
    if (reaction === "ends") return end
    return Effect.asVoid(Effect.forkIn(Effect.delay(end, reaction.endsAfterMillis), host.fleet.scope))
  })

/**
 * Does what the killer's script does on a host (Killer.ts): TERM, looks until the grace is over, KILL, looks for a second
 * more. Gives its last line.
 */
export const runKiller = Effect.fnUntraced(function* (
  host: SimulatedHost,
  { graceTenths, tag }: StopOrder,
  fault: PlannedFault | undefined
) {
  const { table } = host
  const resistance = resistanceOf(fault)
  // A process that hides is told by its channel alone: without one, nothing could.
  const found = table.find(tag).filter((process) => resistance?._tag !== "Hidden" || table.isHeard(process))
  if (fault !== undefined && resistance !== undefined && found.length > 0) {
    host.chances.struck(fault)
    for (const process of found) table.resist(process, resistance)
  }
  const look = () => table.find(tag)
  for (const process of look()) yield* signal(host, process, "TERM")
  let tenths = 0
  for (let naps = 0; look().length > 0 && tenths < graceTenths; naps++) {
    yield* Effect.sleep(FIRST_NAPS[naps] ?? NAP_MILLIS)
    if (naps >= FIRST_NAPS.length) tenths++
  }
  for (let looks = 0; look().length > 0 && looks < KILL_LOOKS; looks++) {
    for (const process of look()) yield* signal(host, process, "KILL")
    yield* Effect.sleep(NAP_MILLIS)
  }
  const left = look().map(({ pid }) => pid)
  if (left.length > 0) return `SURVIVORS ${left.join(" ")}`
  if (fault?.kind !== "killer-unsure") return "DEAD"
  host.chances.struck(fault)
  return "UNSURE"
})
