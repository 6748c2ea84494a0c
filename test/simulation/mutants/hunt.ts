/**
 * Runs seeds 1, 2, … on the sources in a directory until one breaks an invariant, and prints what was found as one line of
 * JSON. A process of its own for each mutant: two copies of the sources would otherwise share what is loaded.
 *
 * Usage: node hunt.ts DIRECTORY SEEDS
 */
import { pathToFileURL } from "node:url"
import type * as Simulation from "../../../src/simulation/Simulation.ts"

/** What a hunt came to. */
export interface Hunt {
  /** Seeds that were run; the last of them broke an invariant, if one did. */
  readonly seeds: number
  readonly tasks: number
  readonly invariant?: string
  readonly detail?: string
}

const [directory = "", seeds = "0"] = process.argv.slice(2)
const simulation: typeof Simulation = await import(pathToFileURL(`${directory}/src/simulation/Simulation.ts`).href)
const { failures, runs, tasks } = simulation.simulate({ seed: 1, runs: Number(seeds), shrink: false })
const found = failures[0]?.violation
const hunt: Hunt = {
  seeds: runs,
  tasks,
  ...(found === undefined ? {} : { invariant: found.invariant, detail: found.detail })
}
process.stdout.write(`${JSON.stringify(hunt)}\n`)
