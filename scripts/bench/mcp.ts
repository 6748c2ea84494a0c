/**
 * The MCP side of the server, as tables with the goals and as one line of JSON:
 *
 * - calls of `ssh_ping` a second over stdio, one at a time and 64 in flight, beside a minimal SDK server in the same run;
 *   the bytes of the answer to `tools/list`.
 * - memory after 100,000 calls beside that after 10,000: what is in use, and what is resident.
 * - delay of the event loop while 2,000 commands on simulated hosts print and 50 readers poll them by cursor.
 *
 * The binary is `dist/`, or what `MCP_SSH_E2E_BINARY` names.
 *
 * Usage: node scripts/bench/mcp.ts [--quick] [--only NAME[,NAME]] [--json]   (needs `npm run build`.) Exit 1 when a goal is missed.
 */
import { Effect, type Scope } from "effect"
import { cpus, loadavg } from "node:os"
import { parseArgs } from "node:util"
import { callMemory, callRate } from "./support/McpCalls.ts"
import { manyTasks } from "./support/McpManyTasks.ts"
import { type Findings, table } from "./support/Row.ts"

/** The parts by name, in the order of the report. */
const PARTS: Readonly<Record<string, (quick: boolean) => Effect.Effect<Findings, unknown, Scope.Scope>>> = {
  calls: callRate,
  memory: callMemory,
  "many-tasks": manyTasks
}

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    only: { type: "string", default: "" },
    json: { type: "boolean", default: false }
  }
})

const load = (): ReadonlyArray<number> => loadavg().map((value) => Number(value.toFixed(2)))
const say = (text: string): void => void (values.json || process.stdout.write(`${text}\n`))

const before = load()
say(`${cpus().length} × ${cpus()[0]?.model}, node ${process.version}, load ${before.join(" ")}\n`)
const all: Array<Findings & { readonly part: string }> = []
for (const name of values.only === "" ? Object.keys(PARTS) : values.only.split(",")) {
  const part = PARTS[name]
  if (part === undefined) throw new Error(`no such part: ${name}; there are ${Object.keys(PARTS).join(", ")}`)
  const found = await Effect.runPromise(Effect.scoped(part(values.quick)))
  all.push({ part: name, ...found })
  say(table(found.rows))
}
const goals = all.flatMap(({ rows }) => rows.filter(({ goal }) => goal !== undefined))
const missed = goals.filter(({ goal }) => goal?.met === false)
say(`${goals.length - missed.length} of ${goals.length} goals met.\n`)
const about = { bench: "mcp", quick: values.quick, node: process.version, load_before: before, load_after: load() }
process.stdout.write(`${JSON.stringify({ ...about, parts: all })}\n`)
process.exitCode = missed.length === 0 ? 0 : 1
