import { Predicate, Record, Result, Schema } from "effect"
import { accepted, type Decoded, problemAt, rejected } from "./Decoded.ts"
import { decodeFile } from "./DecodeFile.ts"
import { type Host, HostRecord, ServersDocument, toHost } from "./Host.ts"
import { hostMistake, serversMistakes } from "./KnownMistakes.ts"
import { Tag } from "./Names.ts"
import type { Problem } from "./Problem.ts"
import { nearestName } from "./Suggestion.ts"
import type { YamlFile } from "./YamlFile.ts"

const HOST_KEYS = Object.keys(HostRecord.fields)

/** Keys that inventories carry for other tools (`os`, `owner`). A misspelt or meaningful one is not among them. */
const isExtra = (key: string): boolean =>
  !HOST_KEYS.includes(key) && hostMistake(key) === undefined && nearestName(key, HOST_KEYS) === undefined

interface Trimmed {
  readonly file: YamlFile
  readonly warnings: ReadonlyArray<Problem>
}

/** Takes the extra keys out of the host entries, with a warning each, so that the rest is decoded strictly. */
const trimExtraKeys = (file: YamlFile): Trimmed => {
  const report = problemAt(file)
  const warnings: Array<Problem> = []
  const trimDocument = (document: unknown): unknown => {
    if (!Predicate.isReadonlyObject(document) || !Array.isArray(document["hosts"])) return document
    const hosts: ReadonlyArray<unknown> = document["hosts"]
    return { ...document, hosts: hosts.map((entry) => (Predicate.isReadonlyObject(entry) ? trimEntry(entry) : entry)) }
  }
  const trimEntry = (entry: { readonly [key: PropertyKey]: unknown }): unknown =>
    Record.filter(entry as Record<string, unknown>, (_, key) => !isExtra(key))
  const complete = file.complete
  if (Predicate.isReadonlyObject(complete) && Array.isArray(complete["hosts"])) {
    for (const [index, entry] of (complete["hosts"] as ReadonlyArray<unknown>).entries()) {
      if (!Predicate.isReadonlyObject(entry)) continue
      for (const key of Object.keys(entry).filter(isExtra)) {
        warnings.push(report("warning", ["hosts", index, key], "extra key is ignored", "key"))
      }
    }
  }
  return { file: { ...file, value: trimDocument(file.value), complete: trimDocument(complete) }, warnings }
}

const decode = decodeFile(ServersDocument, serversMistakes)

/** The hosts of servers.yml, in its order. References between hosts and to credentials are checked by `crossCheck`. */
export const decodeServers = (file: YamlFile): Decoded<ReadonlyArray<Host>> => {
  const { file: trimmed, warnings } = trimExtraKeys(file)
  const notes = [...file.warnings, ...warnings]
  const decoded = decode(trimmed)
  if (Result.isFailure(decoded)) return rejected([...decoded.failure, ...notes])
  const hosts = (decoded.success.hosts ?? []).map(toHost)
  const report = problemAt(file)
  const isTag = Schema.is(Tag)
  const unnameable = hosts.flatMap((host, index) =>
    host.tags.flatMap((tag, position) =>
      isTag(tag)
        ? []
        : [
            report(
              "warning",
              ["hosts", index, "tags", position],
              "tag cannot be named in a call (only A-Z a-z 0-9 . _ -)"
            )
          ]
    )
  )
  return accepted(hosts, [...notes, ...unnameable])
}
