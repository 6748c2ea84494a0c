import { Effect, FileSystem, Option, Stdio, Terminal } from "effect"
import { randomBytes } from "node:crypto"
import { ConfigDirectory } from "../config/ConfigDirectory.ts"
import { type ConfigSnapshot, findHost } from "../config/Inventory.ts"
import { formatProblem } from "../config/Problem.ts"
import { type HostIdentity, KnownHosts } from "../ssh/trust/KnownHosts.ts"
import { appendKeys, SALT_BYTES, standingOf } from "../ssh/trust/KnownHostsEdit.ts"
import { makeKnownHostsReader } from "../ssh/trust/KnownHostsFile.ts"
import { lookupName } from "../ssh/trust/KnownHostsLine.ts"
import { changeKnownHosts } from "../ssh/trust/KnownHostsWriter.ts"
import { failed } from "./CliFailure.ts"
import { printLines, printRemarks } from "./Printer.ts"
import { printable } from "./Table.ts"
import { judgeKeys, planTrust, type PresentedKey, showKeys } from "./TrustReport.ts"
import { scanHost } from "./TrustScan.ts"

/** A host to trust, as the command line gave it. */
export interface TrustRequest {
  readonly alias: string
  /** As `fingerprint` gives them. With none a person is asked. */
  readonly fingerprints: ReadonlyArray<string>
}

const lookup = Effect.fnUntraced(function* (alias: string) {
  const snapshot = yield* (yield* ConfigDirectory).snapshot
  if (!snapshot.usable) {
    const errors = snapshot.problems.filter(({ severity }) => severity === "error")
    return yield* failed(["The configuration cannot be used:", ...errors.map(formatProblem)].join("\n"))
  }
  const entry = findHost(snapshot, alias)
  if (Option.isNone(entry)) return yield* failed(`Host alias not found: ${printable(alias)}`)
  return { snapshot, entry: entry.value }
})

/** The file that is in use: the first that exists. Without any the first, which comes to exist then. */
const fileInUse = Effect.fnUntraced(function* ({ hostKeys }: ConfigSnapshot) {
  const fs = yield* FileSystem.FileSystem
  const exists = (path: string) => Effect.orElseSucceed(fs.exists(path), () => true)
  const existing = yield* Effect.findFirst(hostKeys.paths, exists)
  const [first] = hostKeys.paths
  const path = Option.getOrElse(existing, () => first)
  return path === undefined ? yield* failed("The configuration names no known_hosts file") : path
})

/** Asks the person at the terminal. Anything but `yes`, the end of input included, is no. */
const agrees = Effect.fnUntraced(function* (question: string) {
  const stdio = yield* Stdio.Stdio
  const terminal = yield* Terminal.Terminal
  if (!(yield* stdio.stdinIsTerminal) || !(yield* stdio.stderrIsTerminal)) {
    return yield* failed(
      "Nothing was added: there is no terminal to ask on. Give the fingerprints that you verified: --fingerprint SHA256:..."
    )
  }
  yield* printRemarks([question, "Type yes to add:"])
  const answer = yield* Effect.orElseSucceed(terminal.readLine, () => "")
  return answer.trim().toLowerCase() === "yes"
})

/** Adds the keys, unless the file changed meanwhile so that one of them is no longer simply new. */
const add = Effect.fnUntraced(function* (path: string, host: HostIdentity, keys: ReadonlyArray<PresentedKey>) {
  const salted = yield* Effect.sync(() => keys.map(({ key }) => ({ key, salt: randomBytes(SALT_BYTES) })))
  yield* changeKnownHosts(
    path,
    Effect.fnUntraced(function* (text) {
      const known = new KnownHosts(text, path)
      const standings = salted.map((each) => ({ ...each, standing: standingOf(known, host, each.key)._tag }))
      if (standings.some(({ standing }) => standing === "Changed" || standing === "Revoked")) {
        return yield* failed(`Nothing was added: ${path} changed meanwhile. Run the command again.`)
      }
      return appendKeys(
        text,
        host,
        standings.filter(({ standing }) => standing === "New")
      )
    })
  ).pipe(Effect.catchTag("KnownHostsNotWritten", (error) => Effect.fail(failed(error.message))))
})

/**
 * Fetches the keys of a host, shows them, and adds those to known_hosts that a person agrees to or whose fingerprint was
 * given. Fails when none is added for another reason than that they are all known.
 */
export const trustHost = Effect.fn("cli.trustHost")(function* ({ alias, fingerprints }: TrustRequest) {
  const { entry, snapshot } = yield* lookup(alias)
  const path = yield* fileInUse(snapshot)
  const read = yield* makeKnownHostsReader
  const known = yield* read({ alias, hostKeys: { ...snapshot.hostKeys, paths: [path] } }).pipe(
    Effect.mapError(({ detail }) => failed(`known_hosts cannot be read: ${detail}`))
  )
  const { from, identity, keys } = yield* scanHost(snapshot, entry)
  const presented = judgeKeys(known, identity, keys)
  yield* printRemarks([`${alias}: ${lookupName(identity.hostname, identity.port)}${from}, known_hosts: ${path}`])
  yield* printLines(showKeys(known, identity, presented))

  const unmatched = fingerprints.filter((each) => !presented.some(({ fingerprint }) => fingerprint === each))
  yield* printRemarks(unmatched.map((each) => `No key of the host has the fingerprint ${each}`))
  const plan = planTrust(path, presented, fingerprints)
  switch (plan._tag) {
    case "Nothing":
      return yield* printRemarks(["Nothing to add: every key is known."])
    case "Refuse":
      return yield* failed(["Nothing was added.", ...plan.reasons].join("\n"))
    case "Add": {
      const count = `${plan.keys.length} key${plan.keys.length === 1 ? "" : "s"}`
      const question = `Compare each new fingerprint with what the host itself says (on its console: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub, and so on), then decide: add ${count} to ${path}?`
      if (fingerprints.length === 0 && !(yield* agrees(question))) return yield* failed("Nothing was added.")
      yield* add(path, identity, plan.keys)
      return yield* printRemarks([`Added ${count} to ${path}`])
    }
  }
})
