import { Clock, Context, Duration, Effect, type Exit, Logger, Random, References } from "effect"
import { Scheduler, type SchedulerDispatcher } from "effect/Scheduler"
import type { SeededRandom } from "./SeededRandom.ts"
import { makeTimerHeap } from "./TimerHeap.ts"

/** The wall clock when a run begins: 2026-01-01T00:00:00Z. */
const EPOCH_MILLIS = 1_767_225_600_000

/** The bounds of a run. Passing one is a finding, not an error of the caller. */
export interface WorldBounds {
  /** Turns of the scheduler. */
  readonly maxTurns: number
  /** Virtual milliseconds. */
  readonly maxMillis: number
}

/** What a small program never needs: some seconds of real time, and 30 days of virtual time. */
export const WORLD_BOUNDS: WorldBounds = { maxTurns: 2_000_000, maxMillis: 30 * 24 * 3600 * 1000 }

/** A world of its own for one effect: time and the order in which fibers run are functions of the seed. */
export interface World {
  /** Virtual milliseconds since the run began, in steps of a microsecond. */
  readonly now: () => number
  /** Sets the wall clock forward, or back; the monotonic clock and sleeps go on as before. */
  readonly jump: (millis: number) => void
  /** Turns of the scheduler so far. */
  readonly turns: () => number
  /** Sleeps that wait at this moment. */
  readonly sleeping: () => number
  /**
   * Runs an effect to its end, without giving way to the event loop. All else that waits when it has ended is dropped. A
   * world runs one effect in its life. The bounds are `WORLD_BOUNDS` when absent.
   */
  readonly run: <A, E>(effect: Effect.Effect<A, E>, bounds?: WorldBounds) => WorldEnd<A, E>
}

/** How an effect ended in a world. */
export type WorldEnd<A, E> =
  | { readonly _tag: "Ended"; readonly exit: Exit.Exit<A, E> }
  /** No fiber can run, no sleep is waited for, and the effect has not ended: a wake-up was lost, or real time is awaited. */
  | { readonly _tag: "Stuck" }
  /** A bound was passed. */
  | { readonly _tag: "Exhausted"; readonly bound: "turns" | "time" }

/** Tasks that are ready to run, of one priority. */
interface Bucket {
  readonly priority: number
  readonly tasks: Array<() => void>
}

/** The ready tasks; one of the lowest priority number is drawn at a time. */
const makeReady = (random: SeededRandom) => {
  const buckets: Array<Bucket> = []
  let size = 0
  return {
    add: (task: () => void, priority: number): void => {
      size++
      const at = buckets.findIndex((bucket) => bucket.priority >= priority)
      const bucket = buckets[at]
      if (bucket?.priority === priority) bucket.tasks.push(task)
      else buckets.splice(at < 0 ? buckets.length : at, 0, { priority, tasks: [task] })
    },
    take: (): (() => void) | undefined => {
      if (size === 0) return undefined
      for (const { tasks } of buckets) {
        if (tasks.length === 0) continue
        size--
        const at = random.below(tasks.length)
        const last = tasks.pop()
        const drawn = tasks[at]
        if (drawn === undefined || last === undefined) return last
        tasks[at] = last
        return drawn
      }
      return undefined
    }
  }
}

/** Operations that a fiber runs before it may be made to give way: fewer, and it would not come forward. */
const MIN_OPERATIONS = 2

/**
 * Makes a world. Which fiber runs next, and after how many operations it is made to give way, is drawn from `random`; how
 * often that happens is drawn once (from nearly every operation to hardly ever), since rare and frequent pre-emption find
 * different bugs. One loop does everything: it runs what is ready, and when nothing is, sets the clock to the next sleep.
 * Sleeps that end at the same moment end in drawn order.
 */
export const makeWorld = (random: SeededRandom): World => {
  const preemption = random.fork("preemption")
  const maxOperations = 4 << preemption.below(12)
  const ready = makeReady(random.fork("order"))
  const timers = makeTimerHeap()
  let micros = 0
  let wallOffset = EPOCH_MILLIS
  let turns = 0
  let operationsLeft = maxOperations

  // Every fiber asks for a dispatcher: handing out one makes the order global.
  const dispatcher: SchedulerDispatcher = { scheduleTask: ready.add, flush: () => undefined }
  const scheduler: Scheduler = {
    executionMode: "async",
    makeDispatcher: () => dispatcher,
    shouldYield: (fiber) => {
      if (--operationsLeft > 0 || fiber.currentOpCount <= MIN_OPERATIONS) return false
      operationsLeft = 1 + preemption.below(maxOperations)
      return true
    }
  }

  const wallMillis = () => Math.floor(micros / 1000) + wallOffset
  const wallNanos = () => BigInt(wallOffset) * 1_000_000n + BigInt(micros) * 1000n
  const monotonicNanos = () => BigInt(micros) * 1000n
  const clock: Clock.Clock = {
    currentTimeMillisUnsafe: wallMillis,
    currentTimeMillis: Effect.sync(wallMillis),
    currentTimeNanosUnsafe: wallNanos,
    currentTimeNanos: Effect.sync(wallNanos),
    monotonicTimeNanosUnsafe: monotonicNanos,
    monotonicTimeNanos: Effect.sync(monotonicNanos),
    sleep: (duration) => {
      const millis = Duration.toMillis(duration)
      if (millis <= 0) return Effect.yieldNow
      if (!Number.isFinite(millis)) return Effect.never
      return Effect.callback<void>((resume) => {
        const timer = timers.add(micros + Math.ceil(millis * 1000), () => resume(Effect.void))
        return Effect.sync(() => timers.cancel(timer))
      })
    }
  }

  const numbers = random.fork("effect")
  /** 53 random bits, as a fraction. */
  const fraction = () => ((numbers.next() >>> 11) * 2 ** 32 + numbers.next()) / 2 ** 53
  const effectRandom: Random.Random = {
    nextDoubleUnsafe: fraction,
    nextIntUnsafe: () =>
      Math.floor(fraction() * (Number.MAX_SAFE_INTEGER - Number.MIN_SAFE_INTEGER + 1)) + Number.MIN_SAFE_INTEGER
  }

  const services = Context.empty().pipe(
    Context.add(Scheduler, scheduler),
    Context.add(Clock.Clock, clock),
    Context.add(Random.Random, effectRandom),
    // Spans cost a third of a run and nobody reads them.
    Context.add(References.TracerEnabled, false),
    Context.add(Logger.CurrentLoggers, new Set<Logger.Logger<unknown, unknown>>())
  )

  /** Sets the clock to the next sleep and makes all that end then ready; false when nobody sleeps. */
  const advance = (): boolean => {
    const due = timers.nextDue()
    if (due === undefined) return false
    micros = due
    for (let timer = timers.takeDue(due); timer !== undefined; timer = timers.takeDue(due)) ready.add(timer.run, 0)
    return true
  }

  const drive = <A, E>(effect: Effect.Effect<A, E>, { maxMillis, maxTurns }: WorldBounds): WorldEnd<A, E> => {
    const fiber = Effect.runForkWith(services)(effect)
    while (true) {
      const exit = fiber.pollUnsafe()
      if (exit !== undefined) return { _tag: "Ended", exit }
      const task = ready.take()
      if (task === undefined) {
        if (!advance()) return { _tag: "Stuck" }
        if (micros > maxMillis * 1000) return { _tag: "Exhausted", bound: "time" }
        continue
      }
      if (++turns > maxTurns) return { _tag: "Exhausted", bound: "turns" }
      task()
    }
  }

  const run: World["run"] = (effect, bounds = WORLD_BOUNDS) => {
    // Effect takes a stack at each call of a named function; nobody else runs meanwhile who could miss his.
    const limit = Error.stackTraceLimit
    Error.stackTraceLimit = 0
    const end = drive(effect, bounds)
    Error.stackTraceLimit = limit
    return end
  }

  return {
    now: () => micros / 1000,
    jump: (millis) => {
      wallOffset += millis
    },
    turns: () => turns,
    sleeping: timers.size,
    run
  }
}
