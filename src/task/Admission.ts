import { HashMap, Option } from "effect"

/** A command that asks for a slot, with the limits it was submitted under: a reload changes nothing for it. */
export interface Ticket {
  /** Unique, and rising in the order of submission. */
  readonly sequence: number
  readonly alias: string
  /** `max_concurrent_tasks`: it starts only while fewer commands than this run in the whole process. */
  readonly globalLimit: number
  /** `max_tasks_per_host`: it starts only while fewer commands than this run on its host. */
  readonly hostLimit: number
}

/** One host: how many slots are taken, and who waits, oldest first. Kept only while either is not empty. */
interface Lane<T> {
  readonly running: number
  readonly waiting: ReadonlyArray<T>
}

/** Who runs and who waits. Immutable; every function below returns the next one. */
export interface Admission<T extends Ticket> {
  readonly running: number
  readonly queued: number
  readonly lanes: HashMap.HashMap<string, Lane<T>>
}

/** Nobody runs, nobody waits. */
export const empty = <T extends Ticket>(): Admission<T> => ({ running: 0, queued: 0, lanes: HashMap.empty() })

const laneOf = <T extends Ticket>(admission: Admission<T>, alias: string): Lane<T> =>
  Option.getOrElse(HashMap.get(admission.lanes, alias), () => ({ running: 0, waiting: [] }))

const withLane = <T extends Ticket>(admission: Admission<T>, alias: string, lane: Lane<T>): Admission<T>["lanes"] =>
  lane.running === 0 && lane.waiting.length === 0
    ? HashMap.remove(admission.lanes, alias)
    : HashMap.set(admission.lanes, alias, lane)

/** The oldest of the lanes' first tickets that both limits let pass. */
const nextTicket = <T extends Ticket>(admission: Admission<T>): Option.Option<T> => {
  let best: T | undefined
  for (const lane of HashMap.values(admission.lanes)) {
    const head = lane.waiting[0]
    if (head === undefined || lane.running >= head.hostLimit || admission.running >= head.globalLimit) continue
    if (best === undefined || head.sequence < best.sequence) best = head
  }
  return Option.fromUndefinedOr(best)
}

const admit = <T extends Ticket>(admission: Admission<T>, ticket: T): Admission<T> => {
  const lane = laneOf(admission, ticket.alias)
  return {
    running: admission.running + 1,
    queued: admission.queued - 1,
    lanes: withLane(admission, ticket.alias, { running: lane.running + 1, waiting: lane.waiting.slice(1) })
  }
}

/** Gives out every slot that can be given: the tickets that got one, oldest first, and the state after it. */
const fill = <T extends Ticket>(admission: Admission<T>): readonly [ReadonlyArray<T>, Admission<T>] => {
  const admitted: Array<T> = []
  let current = admission
  while (current.queued > 0) {
    const ticket = nextTicket(current)
    if (Option.isNone(ticket)) break
    admitted.push(ticket.value)
    current = admit(current, ticket.value)
  }
  return [admitted, current]
}

/**
 * Asks for a slot. Returns the tickets that got one now (this one, or none), or none and `Option.none()` as the state
 * when it would have to wait although `maxQueued` others wait already.
 */
export const request = <T extends Ticket>(
  admission: Admission<T>,
  ticket: T,
  maxQueued: number
): Option.Option<readonly [ReadonlyArray<T>, Admission<T>]> => {
  const lane = laneOf(admission, ticket.alias)
  const [admitted, next] = fill({
    running: admission.running,
    queued: admission.queued + 1,
    lanes: withLane(admission, ticket.alias, { running: lane.running, waiting: [...lane.waiting, ticket] })
  })
  const waits = !admitted.some(({ sequence }) => sequence === ticket.sequence)
  return waits && next.queued > maxQueued ? Option.none() : Option.some([admitted, next])
}

/**
 * Gives up: returns the slot of a ticket that got one, or takes a waiting one out of the queue. To be called exactly
 * once a ticket. Returns the tickets that got a slot because of it.
 */
export const leave = <T extends Ticket>(
  admission: Admission<T>,
  ticket: T
): readonly [ReadonlyArray<T>, Admission<T>] => {
  const lane = laneOf(admission, ticket.alias)
  const others = lane.waiting.filter(({ sequence }) => sequence !== ticket.sequence)
  const waited = others.length < lane.waiting.length
  const running = waited ? lane.running : lane.running - 1
  return fill({
    running: waited ? admission.running : admission.running - 1,
    queued: waited ? admission.queued - 1 : admission.queued,
    lanes: withLane(admission, ticket.alias, { running, waiting: others })
  })
}

/** Which limit a waiting ticket waits for: its host's, when the host has no slot for it, or the whole process's. */
export const waitsFor = <T extends Ticket>(
  admission: Admission<T>,
  ticket: T
): "max_tasks_per_host" | "max_concurrent_tasks" =>
  laneOf(admission, ticket.alias).running >= ticket.hostLimit ? "max_tasks_per_host" : "max_concurrent_tasks"
