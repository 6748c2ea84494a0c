import { Option } from "effect"
import { describeKey, fingerprint, keyType } from "../ssh/trust/Fingerprint.ts"
import type { HostIdentity, KnownHosts } from "../ssh/trust/KnownHosts.ts"
import { type KeyStanding, missingKeys, standingOf } from "../ssh/trust/KnownHostsEdit.ts"
import type { KnownHost } from "../ssh/trust/KnownHostsLine.ts"
import { table } from "./Table.ts"

/** A key that a host presents, and what known_hosts says about it. */
export interface PresentedKey {
  readonly key: Uint8Array
  readonly fingerprint: string
  readonly standing: KeyStanding
}

/** The presented keys with their standing, in the order given. Pure. */
export const judgeKeys = (
  known: KnownHosts,
  host: HostIdentity,
  keys: ReadonlyArray<Uint8Array>
): ReadonlyArray<PresentedKey> =>
  keys.map((key) => ({ key, fingerprint: fingerprint(key), standing: standingOf(known, host, key) }))

const describeStanding = (standing: KeyStanding): string => {
  switch (standing._tag) {
    case "New":
      return "new"
    case "Known":
      return `known (line ${standing.entry.line})`
    case "Changed":
      return `CHANGED (line ${standing.entry.line} has ${describeKey(standing.entry.key)})`
    case "Revoked":
      return `REVOKED (line ${standing.entry.line})`
  }
}

/** The keys as a table for a person, and what else is stored for the host. Pure; one line an element. */
export const showKeys = (
  known: KnownHosts,
  host: HostIdentity,
  keys: ReadonlyArray<PresentedKey>
): ReadonlyArray<string> => [
  ...table(
    ["TYPE", "FINGERPRINT", "KNOWN_HOSTS"],
    keys.map(({ fingerprint, key, standing }) => [
      Option.getOrElse(keyType(key), () => "?"),
      fingerprint,
      describeStanding(standing)
    ])
  ),
  ...missingKeys(
    known,
    host,
    keys.map(({ key }) => key)
  ).map(
    ({ key, line }) =>
      `Line ${line} of known_hosts has ${describeKey(key)} for this host, which has no key of that type now. Remove the line when the host was set up anew; until then it may be refused.`
  )
]

/** What is to be done with the presented keys. */
export type TrustPlan =
  /** These are to be added, once a person agrees. */
  | { readonly _tag: "Add"; readonly keys: readonly [PresentedKey, ...ReadonlyArray<PresentedKey>] }
  /** All that is asked for is stored already. */
  | { readonly _tag: "Nothing" }
  /** Nothing is added, for these reasons; one line each. */
  | { readonly _tag: "Refuse"; readonly reasons: readonly [string, ...ReadonlyArray<string>] }

const isNonEmpty = <A>(items: ReadonlyArray<A>): items is readonly [A, ...ReadonlyArray<A>] => items.length > 0

const changedText = (path: string, presented: PresentedKey, entry: KnownHost): string =>
  `The host's key ${describeKey(presented.key)} is not the one that is stored. Somebody may be posing as the host. When you know that the host has a new key, remove line ${entry.line} of ${path} and run this again; no line is ever replaced.`

/**
 * Decides what to add: all new keys, or of the keys with one of the `fingerprints` exactly those that are new. A changed
 * or revoked key among them, or among all without fingerprints, stops everything. Pure.
 */
export const planTrust = (
  path: string,
  presented: ReadonlyArray<PresentedKey>,
  fingerprints: ReadonlyArray<string>
): TrustPlan => {
  const wanted = presented.filter((each) => fingerprints.length === 0 || fingerprints.includes(each.fingerprint))
  if (!isNonEmpty(wanted)) {
    return {
      _tag: "Refuse",
      reasons: [
        presented.length === 0
          ? "The host has no key of a type that can be used (Ed25519, ECDSA, RSA)."
          : "No key of the host has a fingerprint that was given."
      ]
    }
  }
  const reasons = wanted.flatMap((each) => {
    switch (each.standing._tag) {
      case "Changed":
        return [changedText(path, each, each.standing.entry)]
      case "Revoked":
        return [
          `The host's key ${describeKey(each.key)} is revoked by line ${each.standing.entry.line} of ${path}. Give the host a new key.`
        ]
      case "Known":
      case "New":
        return []
    }
  })
  if (isNonEmpty(reasons)) return { _tag: "Refuse", reasons }
  const added = wanted.filter(({ standing }) => standing._tag === "New")
  return isNonEmpty(added) ? { _tag: "Add", keys: added } : { _tag: "Nothing" }
}
