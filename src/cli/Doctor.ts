import { Effect, Layer, Option } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { ConfigDirectory } from "../config/ConfigDirectory.ts"
import { findHost } from "../config/Inventory.ts"
import { formatProblem } from "../config/Problem.ts"
import { DnsLookup } from "../ssh/address/DnsLookup.ts"
import { HostResolver } from "../ssh/address/HostResolver.ts"
import { Ssh2Transport } from "../ssh/ssh2/Ssh2Transport.ts"
import { failed, wrongUsage } from "./CliFailure.ts"
import { examineHost } from "./DoctorHost.ts"
import { explainHost } from "./DoctorSteps.ts"
import { printJson, printLines, printRemarks } from "./Printer.ts"
import { printable } from "./Table.ts"

/** Hosts that are examined at a time. */
const AT_ONCE = 10
/** Hosts that are examined when none is named. */
const MAX_HOSTS = 100

/** `doctor`: what is wrong with the configuration, then with the way to each host, step by step. */
export const doctor = Command.make(
  "doctor",
  {
    host: Argument.String("HOST").pipe(
      Argument.withDescription(`Alias of the host; the first ${MAX_HOSTS} hosts when absent`),
      Argument.optional
    ),
    all: Flag.Boolean("all").pipe(
      Flag.withDescription(`Every host of the inventory, also more than ${MAX_HOSTS}`),
      Flag.withDefault(false)
    ),
    json: Flag.Boolean("json").pipe(Flag.withDescription("Print one JSON object at the end"), Flag.withDefault(false))
  },
  Effect.fn("cli.doctor")(function* ({ all, host, json }) {
    if (all && Option.isSome(host)) return yield* wrongUsage("--all and HOST exclude each other")
    const snapshot = yield* (yield* ConfigDirectory).snapshot
    const problems = snapshot.problems.map(formatProblem)
    const isBroken = !snapshot.usable || snapshot.problems.some(({ severity }) => severity === "error")
    if (!json) yield* printLines(problems)
    if (!snapshot.usable) {
      if (json) yield* printJson({ problems, hosts: [], not_examined: 0 })
      return yield* failed("The configuration cannot be used.")
    }
    const named = Option.map(host, (alias) => [alias, findHost(snapshot, alias)] as const)
    if (Option.isSome(named) && Option.isNone(named.value[1])) {
      return yield* failed(`Host alias not found: ${printable(named.value[0])}`)
    }
    const wanted = Option.match(named, {
      onNone: () => [...snapshot.hosts.values()],
      onSome: ([, entry]) => Option.toArray(entry)
    })
    const chosen = all ? wanted : wanted.slice(0, MAX_HOSTS)
    const examined = yield* Effect.forEach(
      chosen,
      (entry) =>
        Effect.tap(examineHost(snapshot, entry), (found) => (json ? Effect.void : printLines(explainHost(found)))),
      { concurrency: AT_ONCE }
    )
    const notExamined = wanted.length - chosen.length
    if (json) yield* printJson({ problems, hosts: examined, not_examined: notExamined })
    const bad = examined.filter(({ ok }) => !ok).length
    yield* printRemarks([
      `${examined.length - bad} of ${examined.length} hosts are fine${notExamined === 0 ? "" : `; ${notExamined} more were not examined (--all)`}`
    ])
    if (bad > 0 || isBroken) return yield* failed("")
  })
).pipe(
  Command.withDescription(
    "Check the configuration, then connect to hosts and say at which step that fails, why, and what to do. Runs one harmless command on each"
  ),
  Command.withExamples([
    { command: "mcp-ssh-orchestrator doctor web-1", description: "One host, step by step" },
    { command: "mcp-ssh-orchestrator doctor --all --json", description: "Every host, for a script" }
  ]),
  Command.provide(Layer.mergeAll(HostResolver.layer.pipe(Layer.provide(DnsLookup.layer)), Ssh2Transport.layer))
)
