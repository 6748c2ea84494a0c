import { Effect, Option } from "effect"
import type { HostList } from "../config/HostAnswers.ts"
import { type ConfigSnapshot, hostsByTag, tagCounts } from "../config/Inventory.ts"
import { InvalidCursor } from "../task/errors.ts"
import { decodeCursor, encodeCursor } from "../task/PageCursor.ts"

/** Aliases on one page of the inventory. */
const HOSTS_PER_PAGE = 500

/** Which hosts to list, and where to go on. */
export interface HostPageOptions {
  readonly tag?: string
  readonly cursor?: string
}

/** One page of the inventory, in inventory order; `count` and `tags` are of all pages together. */
export const pageOfHosts = (
  snapshot: ConfigSnapshot,
  options: HostPageOptions
): Effect.Effect<HostList, InvalidCursor> => {
  const aliases =
    options.tag === undefined
      ? [...snapshot.hosts.keys()]
      : hostsByTag(snapshot, options.tag).map(({ host }) => host.alias)
  const position = options.cursor === undefined ? Option.some("0") : decodeCursor("hosts", options.cursor)
  if (Option.isNone(position) || !/^[0-9]{1,9}$/.test(position.value)) return Effect.fail(new InvalidCursor())
  const from = Number(position.value)
  const hosts = aliases.slice(from, from + HOSTS_PER_PAGE)
  const next = from + hosts.length
  return Effect.succeed({
    hosts,
    count: aliases.length,
    tags: tagCounts(snapshot),
    ...(next < aliases.length ? { next_cursor: encodeCursor("hosts", String(next)) } : {})
  })
}
