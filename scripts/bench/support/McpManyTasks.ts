import { Effect } from "effect"
import { monitorEventLoopDelay } from "node:perf_hooks"
import { type Load, runManyTasks } from "../../../test/fleet/ManyTasks.ts"
import { atMost, type Findings, type Row } from "./Row.ts"

const RESOLUTION_MS = 10

/**
 * How long the event loop is held up while 2,000 commands on simulated hosts print and 50 readers poll them, in one
 * process with hosts, server and readers: what the server does alone is less.
 */
export const manyTasks = Effect.fn("bench.manyTasks")(function* (quick: boolean) {
  const load: Load = { tasks: quick ? 500 : 2000, readers: 50, lines: 100, printEvery: 250, readEvery: 20 }
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  const start = performance.now()
  delay.enable()
  const delivered = yield* runManyTasks(load)
  delay.disable()
  const seconds = (performance.now() - start) / 1000
  const measure = `${load.tasks} tasks at once that print ${1000 / load.printEvery} times a second, ${load.readers} readers that ask ${1000 / load.readEvery} times a second`
  const lines = delivered.reduce((sum, { lines }) => sum + lines.length, 0)
  // The histogram holds the time between two looks, of which the resolution is not delay.
  const late = (nanoseconds: number): number => Number(Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS).toFixed(1))
  const p99 = late(delay.percentile(99))
  const rows: ReadonlyArray<Row> = [
    {
      measure,
      subject: "lines delivered",
      unit: "",
      value: lines,
      goal: { text: "all", met: lines === load.tasks * load.lines }
    },
    {
      measure,
      subject: "pages read",
      unit: "/s",
      value: Math.round(delivered.reduce((sum, { pages }) => sum + pages, 0) / seconds)
    },
    { measure, subject: "event loop delay, median", unit: "ms", value: late(delay.percentile(50)) },
    { measure, subject: "event loop delay, p99", unit: "ms", value: p99, goal: atMost(p99, 50, "at most 50 ms") },
    { measure, subject: "event loop delay, most", unit: "ms", value: late(delay.max) }
  ]
  return { rows, skipped: [] } satisfies Findings
})
