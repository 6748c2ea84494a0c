import type { CredentialEntry } from "./CredentialEntry.ts"
import { problemAt } from "./Decoded.ts"
import type { Host } from "./Host.ts"
import { jumpRoute, MAX_JUMPS } from "./Inventory.ts"
import type { Problem } from "./Problem.ts"
import { nearestName } from "./Suggestion.ts"
import type { YamlFile } from "./YamlFile.ts"

const withNearest = (problem: Problem, written: string, names: ReadonlyArray<string>): Problem => {
  const suggestion = nearestName(written, names)
  return suggestion === undefined ? problem : { ...problem, suggestion }
}

/** One error for each repetition of a name. */
const duplicates = (
  file: YamlFile,
  names: ReadonlyArray<string>,
  place: (index: number) => ReadonlyArray<PropertyKey>
): ReadonlyArray<Problem> => {
  const first = new Map<string, number>()
  return names.flatMap((name, index) => {
    const earlier = first.get(name)
    if (earlier === undefined) {
      first.set(name, index)
      return []
    }
    const { line } = file.locate(place(earlier), "value")
    return [problemAt(file)("error", place(index), `duplicate of "${name}" in line ${line}`)]
  })
}

/** What holds between the entries of credentials.yml: names are unique. */
export const checkCredentials = (file: YamlFile, entries: ReadonlyArray<CredentialEntry>): ReadonlyArray<Problem> =>
  duplicates(
    file,
    entries.map(({ name }) => name),
    (index) => ["entries", index, "name"]
  )

/** What holds between the hosts of servers.yml, and between them and the names of the credentials. All are errors. */
export const checkHosts = (
  file: YamlFile,
  hosts: ReadonlyArray<Host>,
  credentials: ReadonlyArray<string>
): ReadonlyArray<Problem> => {
  const report = problemAt(file)
  const aliases = hosts.map(({ alias }) => alias)
  const known = new Set(aliases)
  const knownCredentials = new Set(credentials)
  const endless = endlessJumps(hosts)
  const jumps = new Map(hosts.map(({ alias, jump }) => [alias, jump]))
  const isTooLong = (host: Host) => jumpRoute(host, (alias) => jumps.get(alias)) === undefined
  return [
    ...duplicates(file, aliases, (index) => ["hosts", index, "alias"]),
    ...hosts.flatMap((host, index): ReadonlyArray<Problem> => {
      const name = host.credentials
      if (name === undefined || knownCredentials.has(name)) return []
      const message = `no entry of credentials.yml is named "${name}"`
      return [withNearest(report("error", ["hosts", index, "credentials"], message), name, credentials)]
    }),
    ...hosts.flatMap((host, index): ReadonlyArray<Problem> => {
      const unknown = host.jump.filter((alias) => !known.has(alias))
      const path = ["hosts", index, "jump"]
      if (unknown.length > 0) {
        return unknown.map((alias) =>
          withNearest(report("error", path, `no host has the alias "${alias}"`), alias, aliases)
        )
      }
      if (endless.has(host.alias)) return [report("error", path, "the jump chain leads back to itself")]
      return isTooLong(host)
        ? [
            report(
              "error",
              path,
              `the jump chain is too long (max ${MAX_JUMPS} hosts, those of the jump hosts included)`
            )
          ]
        : []
    })
  ]
}

/**
 * The hosts whose jumps never reach a direct connection: what remains when hosts without open jumps are removed again
 * and again (Kahn's algorithm; linear, and without recursion whatever the length of a chain).
 */
const endlessJumps = (hosts: ReadonlyArray<Host>): ReadonlySet<string> => {
  const open = new Map<string, number>()
  const behind = new Map<string, Array<string>>()
  for (const { alias, jump } of hosts) {
    open.set(alias, jump.length)
    for (const hop of jump) {
      const others = behind.get(hop)
      if (others === undefined) behind.set(hop, [alias])
      else others.push(alias)
    }
  }
  const reached = hosts.filter(({ jump }) => jump.length === 0).map(({ alias }) => alias)
  for (const alias of reached) {
    for (const other of behind.get(alias) ?? []) {
      const left = (open.get(other) ?? 0) - 1
      open.set(other, left)
      if (left === 0) reached.push(other)
    }
  }
  const direct = new Set(reached)
  return new Set(hosts.map(({ alias }) => alias).filter((alias) => !direct.has(alias)))
}
