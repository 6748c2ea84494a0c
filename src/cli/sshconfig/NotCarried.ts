import type { HostSettings } from "./HostSettings.ts"
import type { Directive } from "./Tree.ts"

/** What becomes of a keyword that has no counterpart. */
export interface Lost {
  readonly line: Directive
  readonly advice: string
}

const FORWARDING = "forwarding is not supported"
const ALGORITHMS = "the algorithms are fixed (no SHA-1)"
const ENVIRONMENT = "variables are not sent; write NAME=value before the command and allow it with env in a rule"
const KNOWN_HOSTS = "set known_hosts_path in policy.yml, or add the host keys with trust"
const METHODS = "the order is certificate, key, agent, password; a password needs password_secret in credentials.yml"
const SOURCE = "connections come from the address that the system chooses"

const is =
  (...values: ReadonlyArray<string>) =>
  ({ words }: Directive) =>
    values.includes(words[0].toLowerCase())
const always = (): boolean => true

/** Keywords that change what a login does, when their value is of that kind, and what to do instead. */
const MEANINGFUL: ReadonlyMap<string, readonly [(line: Directive) => boolean, string]> = new Map([
  ["addressfamily", [is("inet", "inet6"), "addresses of both kinds are tried in the resolver's order"]],
  ["bindaddress", [always, SOURCE]],
  ["bindinterface", [always, SOURCE]],
  ["canonicalizehostname", [is("yes", "always"), "names are resolved as they are; write the full name in host"]],
  ["ciphers", [always, ALGORITHMS]],
  ["connecttimeout", [always, "set connect_timeout_seconds in policy.yml"]],
  ["dynamicforward", [always, FORWARDING]],
  ["forwardagent", [(line) => !is("no")(line), "agent forwarding is not supported"]],
  ["forwardx11", [is("yes"), FORWARDING]],
  ["globalknownhostsfile", [always, KNOWN_HOSTS]],
  ["hostkeyalgorithms", [always, ALGORITHMS]],
  ["hostkeyalias", [always, "host keys are looked up by name and address; add them with trust"]],
  ["kexalgorithms", [always, ALGORITHMS]],
  ["knownhostscommand", [always, KNOWN_HOSTS]],
  ["localforward", [always, FORWARDING]],
  ["macs", [always, ALGORITHMS]],
  ["pkcs11provider", [(line) => !is("none")(line), "add the key to an agent (ssh-add -s) and set agent: true"]],
  ["preferredauthentications", [always, METHODS]],
  ["pubkeyauthentication", [is("no"), METHODS]],
  ["remotecommand", [(line) => !is("none")(line), "a call says what to run"]],
  ["remoteforward", [always, FORWARDING]],
  ["requesttty", [is("yes", "force"), "commands run without a terminal"]],
  ["revokedhostkeys", [always, "mark the keys @revoked in known_hosts"]],
  ["securitykeyprovider", [always, "hardware keys are not supported"]],
  ["setenv", [always, ENVIRONMENT]],
  ["stricthostkeychecking", [is("no", "off", "accept-new"), "host keys are always verified; add them with trust"]],
  ["userknownhostsfile", [always, KNOWN_HOSTS]]
])

/** Keywords that are carried over, and those that decide how others are read. */
const CARRIED: ReadonlySet<string> = new Set([
  "certificatefile",
  "host",
  "hostname",
  "identitiesonly",
  "identityagent",
  "identityfile",
  "include",
  "match",
  "port",
  "proxycommand",
  "proxyjump",
  "user"
])

/** The settings of a host that mean something and are lost. */
export const lostSettings = (settings: HostSettings): ReadonlyArray<Lost> =>
  [...settings.values.values(), ...[...settings.lists.values()].flatMap((lines) => lines.slice(0, 1))].flatMap(
    (line) => {
      const [applies, advice] = MEANINGFUL.get(line.keyword) ?? []
      return applies !== undefined && advice !== undefined && applies(line) ? [{ line, advice }] : []
    }
  )

/** Whether a keyword changes nothing here: it steers a terminal session, multiplexing, keepalives and the like. */
export const isWithoutUse = (keyword: string): boolean => !CARRIED.has(keyword) && !MEANINGFUL.has(keyword)
