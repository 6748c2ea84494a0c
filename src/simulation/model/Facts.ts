import { createHash } from "node:crypto"
import type { AuditRecord } from "../../audit/AuditLog.ts"
import type { TaskStatus } from "../../task/Task.ts"
import type { LoggedEvent } from "../world/EventLog.ts"
import type { Subject } from "./ExpectedLimits.ts"
import type { ProcessEnd } from "../hosts/HostEvent.ts"
import { commandText } from "../workload/Program.ts"
import { isSubmit, type Scenario, type ScenarioHost, type SubmitStep } from "../workload/Scenario.ts"

/** The command of one step, or of several with the very same text. */
export interface CommandFacts {
  /** As in the ids of its tasks: the first 16 hex digits of SHA-256 of the caller's text. */
  readonly hash: string
  /** What has to run: the words with one blank between. */
  readonly canonical: string
  /** The steps that submit it. Only a `Text` has more than one. */
  readonly steps: ReadonlyArray<SubmitStep>
}

/** What was seen of one task. Times are virtual milliseconds. */
export interface TaskFacts {
  readonly id: string
  /** The host's, or `tag.` and the tag. */
  readonly alias: string
  readonly hash: string
  readonly fanOut: boolean
  /** When it was first heard of: not before it was admitted. */
  readonly seenAt: number
  /** Every state after `pending`, in order. */
  readonly history: Array<{ readonly at: number; readonly status: TaskStatus }>
  readonly audits: Array<AuditRecord>
}

/** What a host saw of one command: all its runs there, which is one unless several steps have the same text. */
export interface RunFacts {
  readonly alias: string
  readonly command: CommandFacts | undefined
  readonly canonical: string
  readonly tags: Set<string>
  /** Processes that ran, and of those the ones that are alive, by pid. */
  started: number
  readonly live: Set<number>
  readonly ends: Array<{ readonly end: ProcessEnd; readonly sent: number }>
  /** Channels that are open for it. */
  readonly channels: Set<number>
  /** Bytes that the product took from channels that are closed. */
  readBytes: number
}

/** A call that has no answer yet. */
export interface CallFacts {
  readonly step: number
  readonly tool: string
  readonly input: unknown
  readonly beganAt: number
  /** The number of its event. */
  readonly beganIndex: number
}

/** What was seen of one submission to a host: the decisions, which come before the task. */
export interface DecisionFacts {
  allowed: number
  denied: number
}

/** The facts of a run, as its events tell them. Mutable; only `event` changes them. */
export interface Facts {
  readonly event: (logged: LoggedEvent) => void
  readonly scenario: Scenario
  readonly hosts: ReadonlyMap<string, ScenarioHost>
  readonly commands: ReadonlyMap<string, CommandFacts>
  /** The command whose canonical text that is. */
  readonly byCanonical: ReadonlyMap<string, CommandFacts>
  readonly tasks: ReadonlyMap<string, TaskFacts>
  /** The newest tasks, oldest of them first. */
  readonly newest: (count: number) => ReadonlyArray<TaskFacts>
  /** How many command tasks have not ended: in all, or on a host. */
  readonly live: (alias?: string) => number
  /** How many command tasks ended: before a moment, or at it. Only for the newest moment that was seen, or a later one. */
  readonly ended: (at: number) => { readonly before: number; readonly then: number }
  /** The tasks of a command on a host (or of the fan-out itself, under `tag.TAG`). */
  readonly tasksOf: (alias: string, hash: string) => ReadonlyArray<TaskFacts>
  readonly runs: ReadonlyMap<string, RunFacts>
  readonly runOf: (alias: string, canonical: string) => RunFacts | undefined
  /** The runs of a task's command: on its host, or for a fan-out on all. */
  readonly runsOf: (task: Pick<TaskFacts, "alias" | "fanOut" | "hash">) => ReadonlyArray<RunFacts>
  /** Whether the task's host (of a fan-out: every host) saw no run of its command but the task's own. */
  readonly isOnly: (task: Pick<TaskFacts, "hash">) => boolean
  readonly runOfTag: (tag: string) => RunFacts | undefined
  readonly runOfChannel: (channel: number) => RunFacts | undefined
  readonly decisions: (alias: string, hash: string) => DecisionFacts
  /** Whom the limits of a task are for. */
  readonly subjectOf: (task: Pick<TaskFacts, "alias" | "fanOut" | "hash">) => Subject
  /** The earliest moment at which the task can have been submitted: its configuration was read between then and `seenAt`. */
  readonly submittedFrom: (task: Pick<TaskFacts, "hash">) => number
  /** Decisions that allowed a command, over all. */
  readonly allowed: () => number
  /** Commands that may have been admitted without a word about their tasks so far: in all, or on a host. */
  readonly unheard: (alias?: string) => number
  /** The calls without an answer, oldest first. */
  readonly calls: ReadonlyArray<CallFacts>
  /** Command tasks in the state `running`: in all, and on a host. */
  readonly running: (alias?: string) => number
  /** Whether the server was told to stop. */
  readonly stopping: () => boolean
}

/** What the id of a task says: the alias of its host, or `tag.` and the tag; and the hash of its command. */
export const taskOfId = (id: string): Pick<TaskFacts, "alias" | "fanOut" | "hash"> => {
  const [alias = "", hash = ""] = id.split(":")
  return { alias, hash, fanOut: alias.startsWith("tag.") }
}

/** The state of a task at the end of what was seen. */
export const statusNow = ({ history }: TaskFacts): TaskStatus => history.at(-1)?.status ?? "pending"

/** Whether a state is one that nothing leaves. */
export const isTerminalStatus = (status: TaskStatus): boolean => status !== "pending" && status !== "running"

/** When the task ended, if it did. */
export const endedAt = ({ history }: TaskFacts): number | undefined => {
  const last = history.at(-1)
  return last === undefined || !isTerminalStatus(last.status) ? undefined : last.at
}

const commandsOf = ({ steps }: Scenario): ReadonlyMap<string, CommandFacts> => {
  const commands = new Map<string, CommandFacts>()
  for (const step of steps) {
    if (!isSubmit(step)) continue
    const text = commandText(step.program, step.key, " ".repeat(step.blanks)).trim()
    const hash = createHash("sha256").update(text).digest("hex").slice(0, 16)
    const same = commands.get(hash)?.steps ?? []
    commands.set(hash, { hash, canonical: text.replace(/ +/g, " "), steps: [...same, step] })
  }
  return commands
}

/** Stands for all hosts together in counts by alias: no alias is empty. */
const EVERYWHERE = ""

/** Adds to the counts of a host and of all. */
const addTo = (counts: Map<string, number>, alias: string, by: number): void => {
  for (const key of [alias, EVERYWHERE]) counts.set(key, (counts.get(key) ?? 0) + by)
}

const pairKey = (alias: string, name: string): string => `${alias} ${name}`

/** Makes the facts of a run that did not begin yet. They grow with the number of tasks of the run. */
export const makeFacts = (scenario: Scenario): Facts => {
  const hosts = new Map(scenario.hosts.map((host) => [host.alias, host]))
  const commands = commandsOf(scenario)
  const byCanonical = new Map([...commands.values()].map((command) => [command.canonical, command]))
  const tasks = new Map<string, TaskFacts>()
  const order: Array<TaskFacts> = []
  /** Of all hosts together under `EVERYWHERE`. */
  const live = new Map<string, number>()
  const unheard = new Map<string, number>()
  const ends = { before: 0, then: 0, at: 0 }
  const byPair = new Map<string, Array<TaskFacts>>()
  const runs = new Map<string, RunFacts>()
  const byCommand = new Map<string, Array<RunFacts>>()
  const byTag = new Map<string, RunFacts>()
  const byChannel = new Map<number, RunFacts>()
  const decided = new Map<string, DecisionFacts>()
  const calls: Array<CallFacts> = []
  const running = new Map<string, number>()
  let allowed = 0
  let stopping = false

  const taskOf = (id: string, at: number): TaskFacts => {
    const known = tasks.get(id)
    if (known !== undefined) return known
    const task: TaskFacts = { id, ...taskOfId(id), seenAt: at, history: [], audits: [] }
    tasks.set(id, task)
    order.push(task)
    if (!task.fanOut) addTo(live, task.alias, 1)
    const key = pairKey(task.alias, task.hash)
    const same = byPair.get(key)
    const heard = same?.length ?? 0
    if (same === undefined) byPair.set(key, [task])
    else same.push(task)
    if (heard < (decided.get(key)?.allowed ?? 0)) addTo(unheard, task.alias, -1)
    return task
  }

  const runFacts = (alias: string, canonical: string): RunFacts => {
    const key = pairKey(alias, canonical)
    const known = runs.get(key)
    if (known !== undefined) return known
    const run: RunFacts = {
      alias,
      canonical,
      command: byCanonical.get(canonical),
      tags: new Set(),
      started: 0,
      live: new Set(),
      ends: [],
      channels: new Set(),
      readBytes: 0
    }
    runs.set(key, run)
    const same = byCommand.get(canonical)
    if (same === undefined) byCommand.set(canonical, [run])
    else same.push(run)
    return run
  }

  const decisionFacts = (alias: string, hash: string): DecisionFacts => {
    const key = pairKey(alias, hash)
    const known = decided.get(key) ?? { allowed: 0, denied: 0 }
    decided.set(key, known)
    return known
  }

  const countRunning = (task: TaskFacts, by: number): void => {
    if (!task.fanOut && by !== 0) addTo(running, task.alias, by)
  }

  const countEnd = (at: number): void => {
    if (at > ends.at) {
      ends.before += ends.then
      ends.then = 0
      ends.at = at
    }
    ends.then++
  }

  const answered = (step: number, value: unknown, at: number): void => {
    const index = calls.findIndex((call) => call.step === step)
    if (index >= 0) calls.splice(index, 1)
    if (typeof value === "object" && value !== null && "task_id" in value && "hash" in value) {
      const { task_id: id } = value
      if (typeof id === "string" && commands.has(taskOfId(id).hash)) taskOf(id, at)
    }
  }

  const event = ({ at, event: happened, index }: LoggedEvent): void => {
    switch (happened._tag) {
      case "StepBegan":
        if (happened.tool !== "") {
          const { input, step, tool } = happened
          calls.push({ step, tool, input, beganAt: at, beganIndex: index })
        }
        return
      case "Answered":
        return answered(happened.step, happened.value, at)
      case "Disconnected":
      case "Died":
        return answered(happened.step, undefined, at)
      case "TaskStarted":
        taskOf(happened.taskId, at)
        return
      case "ShutdownBegan":
        stopping = true
        return
      case "Transition": {
        const task = taskOf(happened.task_id, at)
        const before = statusNow(task)
        const status = happened.to as TaskStatus
        task.history.push({ at, status })
        if (isTerminalStatus(status) && !isTerminalStatus(before) && !task.fanOut) {
          addTo(live, task.alias, -1)
          countEnd(at)
        }
        return countRunning(task, Number(status === "running") - Number(before === "running"))
      }
      case "Audit": {
        const record = happened.record as AuditRecord
        taskOf(record.task_id, at).audits.push(record)
        return
      }
      case "Decision": {
        const facts = decisionFacts(happened.alias, happened.hash)
        if (happened.allowed) {
          facts.allowed++
          allowed++
          const known = byPair.get(pairKey(happened.alias, happened.hash))?.length ?? 0
          if (known < facts.allowed) addTo(unheard, happened.alias, 1)
        } else facts.denied++
        return
      }
      case "ExecRequested": {
        const run = runFacts(happened.alias, happened.command)
        run.tags.add(happened.tag)
        run.channels.add(happened.channel)
        byTag.set(happened.tag, run)
        byChannel.set(happened.channel, run)
        return
      }
      case "ProcessStarted": {
        const run = runFacts(happened.alias, happened.command)
        run.started++
        run.live.add(happened.pid)
        return
      }
      case "ProcessEnded": {
        const run = byTag.get(happened.tag)
        run?.live.delete(happened.pid)
        run?.ends.push({ end: happened.end, sent: happened.sent.stdout + happened.sent.stderr })
        return
      }
      case "ChannelClosed": {
        const run = byChannel.get(happened.channel)
        byChannel.delete(happened.channel)
        if (run === undefined) return
        run.channels.delete(happened.channel)
        run.readBytes += happened.read.stdout + happened.read.stderr
        return
      }
      default:
        return
    }
  }

  return {
    event,
    scenario,
    hosts,
    commands,
    byCanonical,
    tasks,
    newest: (count) => order.slice(-count),
    live: (alias = EVERYWHERE) => live.get(alias) ?? 0,
    ended: (at) => (at > ends.at ? { before: ends.before + ends.then, then: 0 } : ends),
    tasksOf: (alias, hash) => byPair.get(pairKey(alias, hash)) ?? [],
    runs,
    runOf: (alias, canonical) => runs.get(pairKey(alias, canonical)),
    runsOf: ({ alias, fanOut, hash }) => {
      const canonical = commands.get(hash)?.canonical
      if (canonical === undefined) return []
      const run = runs.get(pairKey(alias, canonical))
      return fanOut ? (byCommand.get(canonical) ?? []) : run === undefined ? [] : [run]
    },
    isOnly: ({ hash }) => commands.get(hash)?.steps.length === 1,
    runOfTag: (tag) => byTag.get(tag),
    runOfChannel: (channel) => byChannel.get(channel),
    subjectOf: ({ alias, fanOut, hash }) =>
      fanOut
        ? { alias: "", tags: [alias.slice("tag.".length)], command: "" }
        : { alias, tags: hosts.get(alias)?.tags ?? [], command: commands.get(hash)?.canonical ?? "" },
    submittedFrom: ({ hash }) => Math.min(...(commands.get(hash)?.steps ?? []).map((step) => step.at)),
    decisions: decisionFacts,
    allowed: () => allowed,
    unheard: (alias = EVERYWHERE) => unheard.get(alias) ?? 0,
    calls,
    running: (alias = EVERYWHERE) => running.get(alias) ?? 0,
    stopping: () => stopping
  }
}
