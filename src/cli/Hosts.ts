import { Effect, Option, Result } from "effect"
import { Command, Flag } from "effect/cli"
import { ConfigDirectory } from "../config/ConfigDirectory.ts"
import type { HostEntry } from "../config/Inventory.ts"
import { hostsByTag } from "../config/Inventory.ts"
import { formatProblem } from "../config/Problem.ts"
import { failed } from "./CliFailure.ts"
import { printJson, printLines, printRemarks } from "./Printer.ts"
import { table } from "./Table.ts"

/** Why a host cannot be used although it is in the inventory, if so. */
const disabled = (entry: HostEntry): string | undefined =>
  Result.isFailure(entry.login) ? entry.login.failure.message : undefined

const toRow = (entry: HostEntry): ReadonlyArray<string> => {
  const reason = disabled(entry)
  const { alias, description, host, port, tags } = entry.host
  const remark = reason === undefined ? description : [`DISABLED: ${reason}`, description].filter(Boolean).join("; ")
  return [alias, host, String(port), tags.join(","), remark]
}

const toJson = (entry: HostEntry) => {
  const reason = disabled(entry)
  const { alias, description, host, port, tags } = entry.host
  return { alias, host, port, tags, description, ...(reason === undefined ? {} : { disabled: reason }) }
}

/** `hosts`: the inventory as a table, in the order of servers.yml; a host that cannot be used says why. */
export const hosts = Command.make(
  "hosts",
  {
    tag: Flag.String("tag").pipe(
      Flag.withMetavar("TAG"),
      Flag.withDescription("Only the hosts with this tag"),
      Flag.optional
    ),
    json: Flag.Boolean("json").pipe(Flag.withDescription("Print one JSON array"), Flag.withDefault(false))
  },
  Effect.fn("cli.hosts")(function* ({ json, tag }) {
    const snapshot = yield* (yield* ConfigDirectory).snapshot
    if (!snapshot.usable) {
      const errors = snapshot.problems.filter((problem) => problem.severity === "error")
      return yield* failed(["The configuration cannot be used:", ...errors.map(formatProblem)].join("\n"))
    }
    const entries = Option.match(tag, {
      onNone: () => [...snapshot.hosts.values()],
      onSome: (name) => hostsByTag(snapshot, name)
    })
    if (json) return yield* printJson(entries.map(toJson))
    if (entries.length === 0) {
      return yield* printRemarks([Option.isSome(tag) ? `No host has the tag ${tag.value}.` : "The inventory is empty."])
    }
    yield* printLines(table(["ALIAS", "HOST", "PORT", "TAGS", "DESCRIPTION"], entries.map(toRow)))
  })
).pipe(Command.withDescription("List the inventory"))
