import { Effect } from "effect"
import { type HostRecord, Orchestrator } from "../../Orchestrator.ts"
import { knownTaskId } from "../KnownTaskId.ts"
import { resourceNotFound } from "../ProtocolError.ts"
import { untrusted } from "../Untrusted.ts"
import { malformedUri, readError } from "./ResourceErrors.ts"
import type { ResourceContents } from "./Resources.ts"
import { parseResourceUri } from "./ResourceUri.ts"

/** Bytes of JSON in the hosts of `ssh://hosts`, so that a client with a line limit of 10 MB can read it. */
const HOSTS_BYTES = 4 * 1024 * 1024

/** As many hosts as fit, from the first on. */
const withinBytes = (hosts: ReadonlyArray<HostRecord>, maximum: number): ReadonlyArray<HostRecord> => {
  let bytes = 0
  const end = hosts.findIndex((host) => (bytes += Buffer.byteLength(JSON.stringify(host)) + 1) > maximum)
  return end < 0 ? hosts : hosts.slice(0, end)
}

/** The inventory; `truncated` when it is too large for one answer: then `ssh_list_hosts` has all of its aliases. */
const inventory = (records: ReadonlyArray<HostRecord>, maximum: number) => {
  const hosts = withinBytes(records, maximum)
  return { count: records.length, hosts, ...(hosts.length < records.length ? { truncated: true } : {}) }
}

/**
 * What a resource holds now. A uri that names nothing is -32002; an unusable configuration is -32603 with its
 * problems. `hostsBytes` is for tests.
 */
export const readResource = Effect.fn("Resources.read")(function* (uri: string, hostsBytes: number = HOSTS_BYTES) {
  const orchestrator = yield* Orchestrator
  const json = (value: object): ReadonlyArray<ResourceContents> => [
    { uri, mimeType: "application/json", text: JSON.stringify(value) }
  ]
  const named = parseResourceUri(uri)
  switch (named._tag) {
    case "Malformed":
      return yield* malformedUri
    case "Unknown":
      return yield* resourceNotFound(uri)
    case "Tasks":
      return json(yield* Effect.orDie(orchestrator.listTasks()))
    default:
      break
  }
  const contents = Effect.gen(function* () {
    switch (named._tag) {
      case "Hosts":
        return json(inventory(yield* orchestrator.hostRecords, hostsBytes))
      case "Host":
        return json(yield* orchestrator.hostRecord(named.alias))
      case "HostTags": {
        const { alias, tags } = yield* orchestrator.hostRecord(named.alias)
        return json({ alias, tags })
      }
      case "HostCapabilities":
        return json(yield* orchestrator.hostCapabilities(named.alias))
      case "TaskOutput": {
        const { output } = yield* orchestrator.taskSnapshot(yield* knownTaskId(named.taskId))
        const contents: ReadonlyArray<ResourceContents> = [
          { uri, mimeType: "text/plain", text: output, _meta: untrusted(["text"]) }
        ]
        return contents
      }
    }
  })
  return yield* Effect.mapError(contents, (error) => readError(uri, error))
})
