import type { ProcessEnd } from "./HostEvent.ts"

/** A process of a run, as the invariants see it. */
export interface SimulatedProcess {
  readonly alias: string
  readonly pid: number
  /** The tag of the run (`RunTag`), which all its processes carry. */
  readonly tag: string
  /** The canonical text that it runs. */
  readonly command: string
}

/** What a process does with TERM and KILL, and whether the killer sees it. */
export type Resistance =
  | { readonly _tag: "None" }
  | { readonly _tag: "IgnoresTerm" }
  /** Ends so long after TERM. */
  | { readonly _tag: "SlowToStop"; readonly millis: number }
  /** In uninterruptible sleep: no signal has an effect. */
  | { readonly _tag: "Unstoppable" }
  /** In a session of its own without the tag: the killer does not find it. */
  | { readonly _tag: "Hidden" }

/** The two signals that the killer sends. */
export type StopSignal = "TERM" | "KILL"

/** What a signal does to a process: nothing, its end, or its end after a while. */
export type Reaction = "none" | "ends" | { readonly endsAfterMillis: number }

/** What a process does when it gets a signal. KILL cannot be caught (signal(7)). */
export const reactionTo = (resistance: Resistance, signal: StopSignal): Reaction => {
  switch (resistance._tag) {
    case "Unstoppable":
      return "none"
    case "IgnoresTerm":
      return signal === "KILL" ? "ends" : "none"
    case "SlowToStop":
      return signal === "KILL" ? "ends" : { endsAfterMillis: resistance.millis }
    case "None":
    case "Hidden":
      return "ends"
  }
}

/** The pid of the first process of a host: those below are the system's. */
const FIRST_PID = 1_000
/** The pids of Linux (proc(5), pid_max), which begin anew after the last. */
const MAX_PID = 32_768

/** What a process is to whoever started it. */
export interface ProcessOwner {
  /** Told how it ended, once. */
  readonly onEnd: (end: ProcessEnd) => void
  /** Whether somebody is at the other end of its output. */
  readonly isHeard: () => boolean
}

/** The processes of runs on one host that are alive. */
export interface ProcessTable {
  readonly spawn: (tag: string, command: string, owner: ProcessOwner) => SimulatedProcess
  /** Ends a process; nothing when it has ended. */
  readonly end: (process: SimulatedProcess, end: ProcessEnd) => void
  readonly isAlive: (process: SimulatedProcess) => boolean
  /** Whether it is alive and somebody is at the other end of its output. */
  readonly isHeard: (process: SimulatedProcess) => boolean
  readonly resistance: (process: SimulatedProcess) => Resistance
  /** Gives a process another resistance. */
  readonly resist: (process: SimulatedProcess, resistance: Resistance) => void
  /** The processes that a killer finds which looks for a tag. */
  readonly find: (tag: string) => ReadonlyArray<SimulatedProcess>
  /** In the order of their start. */
  readonly alive: () => ReadonlyArray<SimulatedProcess>
}

interface Entry {
  readonly process: SimulatedProcess
  readonly owner: ProcessOwner
  resistance: Resistance
}

/** Makes the table of a host, empty. `all` has the processes of all hosts that are alive. */
export const makeProcessTable = (alias: string, all: Set<SimulatedProcess>): ProcessTable => {
  const entries = new Map<number, Entry>()
  let last = FIRST_PID - 1

  const nextPid = (): number => {
    do last = last >= MAX_PID ? FIRST_PID : last + 1
    while (entries.has(last))
    return last
  }
  const entryOf = (process: SimulatedProcess): Entry | undefined => {
    const entry = entries.get(process.pid)
    return entry?.process === process ? entry : undefined
  }
  return {
    spawn: (tag, command, owner) => {
      const process = { alias, pid: nextPid(), tag, command }
      entries.set(process.pid, { process, owner, resistance: { _tag: "None" } })
      all.add(process)
      return process
    },
    end: (process, end) => {
      const entry = entryOf(process)
      if (entry === undefined) return
      entries.delete(process.pid)
      all.delete(process)
      entry.owner.onEnd(end)
    },
    isAlive: (process) => entryOf(process) !== undefined,
    isHeard: (process) => entryOf(process)?.owner.isHeard() ?? false,
    resistance: (process) => entryOf(process)?.resistance ?? { _tag: "None" },
    resist: (process, resistance) => {
      const entry = entryOf(process)
      if (entry !== undefined) entry.resistance = resistance
    },
    find: (tag) =>
      [...entries.values()]
        .filter(({ process, resistance }) => process.tag === tag && resistance._tag !== "Hidden")
        .map(({ process }) => process),
    alive: () => [...entries.values()].map(({ process }) => process)
  }
}
