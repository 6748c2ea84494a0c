import type { Scheduler, SchedulerDispatcher } from "effect/Scheduler"

/** Mulberry32: 32 bits of state are enough to draw interleavings. */
const numbers = (seed: number) => {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

interface Ready {
  readonly task: () => void
  readonly priority: number
}

/**
 * A scheduler whose run order and pre-emption points are a function of the seed alone. All fibers share one dispatcher,
 * so that the order is global; `maxOps` bounds how long a fiber runs before it may be pre-empted.
 */
export const seededScheduler = (seed: number, maxOps: number): Scheduler => {
  const random = numbers(seed)
  const ready: Array<Ready> = []
  let armed = false
  const drain = () => {
    armed = false
    while (ready.length > 0) {
      const best = Math.min(...ready.map(({ priority }) => priority))
      const candidates = ready.filter(({ priority }) => priority === best)
      const chosen = candidates[Math.floor(random() * candidates.length)]!
      ready.splice(ready.indexOf(chosen), 1)
      chosen.task()
    }
  }
  const dispatcher: SchedulerDispatcher = {
    scheduleTask: (task, priority) => {
      ready.push({ task, priority })
      if (armed) return
      armed = true
      setImmediate(drain)
    },
    flush: drain
  }
  return {
    executionMode: "async",
    shouldYield: (fiber) => fiber.currentOpCount > 2 + random() * maxOps,
    makeDispatcher: () => dispatcher
  }
}
