/**
 * Loaded into a server that is measured, with `node --expose-gc --import`: at SIGUSR2 it collects garbage and writes what
 * is left to the file that `MCP_BENCH_MEMORY` names. V8 and malloc give back memory late or never, so that the resident
 * size alone does not tell whether something is kept.
 */
import { writeFileSync } from "node:fs"

/** What is in use after a collection, in bytes. */
export interface LiveMemory {
  readonly heapUsed: number
  readonly external: number
}

const file = process.env["MCP_BENCH_MEMORY"]
if (file !== undefined) {
  process.on("SIGUSR2", () => {
    globalThis.gc?.()
    globalThis.gc?.()
    const { external, heapUsed } = process.memoryUsage()
    writeFileSync(file, JSON.stringify({ heapUsed, external } satisfies LiveMemory))
  })
}
