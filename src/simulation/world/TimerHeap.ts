/** Something that is to happen at a time, unless it is cancelled before. */
export interface Timer {
  /** Virtual microseconds. */
  readonly due: number
  /** Which of two timers for the same moment was made first. */
  readonly sequence: number
  readonly run: () => void
  cancelled: boolean
}

/** The timers of a virtual clock, by due time and then in the order of their making. */
export interface TimerHeap {
  readonly add: (due: number, run: () => void) => Timer
  readonly cancel: (timer: Timer) => void
  /** When the next one is due; undefined when there is none. */
  readonly nextDue: () => number | undefined
  /** Takes out the next one if it is due at `now`. */
  readonly takeDue: (now: number) => Timer | undefined
  /** How many there are, without the cancelled ones. */
  readonly size: () => number
}

/** Cancelled timers stay in the heap until they are due or are more than this many and more than the live ones. */
const MIN_SWEEP = 1024

const isBefore = (one: Timer, other: Timer): boolean =>
  one.due < other.due || (one.due === other.due && one.sequence < other.sequence)

/** Makes an empty binary heap: a timer costs the logarithm of the live ones, a cancel is constant. */
export const makeTimerHeap = (): TimerHeap => {
  let heap: Array<Timer> = []
  let sequence = 0
  let dead = 0

  const sink = (from: number): void => {
    const timer = heap[from]
    if (timer === undefined) return
    let at = from
    while (true) {
      const left = 2 * at + 1
      const one = heap[left]
      if (one === undefined) break
      const other = heap[left + 1]
      const child = other !== undefined && isBefore(other, one) ? left + 1 : left
      const least = other !== undefined && isBefore(other, one) ? other : one
      if (!isBefore(least, timer)) break
      heap[at] = least
      at = child
    }
    heap[at] = timer
  }

  const rise = (timer: Timer): void => {
    let at = heap.length
    heap.push(timer)
    while (at > 0) {
      const parent = (at - 1) >> 1
      const above = heap[parent]
      if (above === undefined || !isBefore(timer, above)) break
      heap[at] = above
      at = parent
    }
    heap[at] = timer
  }

  const removeFirst = (): void => {
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return
    heap[0] = last
    sink(0)
  }

  const first = (): Timer | undefined => {
    let timer = heap[0]
    while (timer?.cancelled === true) {
      removeFirst()
      dead--
      timer = heap[0]
    }
    return timer
  }

  return {
    add: (due, run) => {
      const timer: Timer = { due, sequence: sequence++, run, cancelled: false }
      rise(timer)
      return timer
    },
    cancel: (timer) => {
      if (timer.cancelled) return
      timer.cancelled = true
      dead++
      if (dead < MIN_SWEEP || dead < heap.length / 2) return
      heap = heap.filter(({ cancelled }) => !cancelled)
      dead = 0
      for (let at = (heap.length >> 1) - 1; at >= 0; at--) sink(at)
    },
    nextDue: () => first()?.due,
    takeDue: (now) => {
      const timer = first()
      if (timer === undefined || timer.due > now) return undefined
      removeFirst()
      // A cancel that comes too late must not count it as one of the heap's dead.
      timer.cancelled = true
      return timer
    },
    size: () => heap.length - dead
  }
}
