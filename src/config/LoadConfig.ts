import { Effect, type FileSystem, Option, type Path, Result } from "effect"
import { compilePolicy, denyAll } from "../policy/Policy.ts"
import { canAuthenticate } from "./Credential.ts"
import type { CredentialEntry } from "./CredentialEntry.ts"
import { decodeCredentials } from "./Credentials.ts"
import { checkHosts } from "./CrossCheck.ts"
import { problemAt } from "./Decoded.ts"
import type { Directories } from "./Directories.ts"
import type { Host } from "./Host.ts"
import { loadHostKeys } from "./HostKeys.ts"
import { type ConfigSnapshot, type HostEntry, jumpHosts } from "./Inventory.ts"
import { type LoadedLogin, loadLogins } from "./Logins.ts"
import { loadFile, missingDirectory } from "./LoadFile.ts"
import { loadPolicyFile } from "./LoadPolicy.ts"
import { listProblems, type Problem } from "./Problem.ts"
import { checkRuleHosts } from "./RuleHosts.ts"
import { loadSecrets } from "./Secrets.ts"
import { decodeServers } from "./Servers.ts"
import type { YamlFile } from "./YamlFile.ts"

const SERVERS = "servers.yml"
const CREDENTIALS = "credentials.yml"

/** The next step, behind the fixed text. */
const NO_METHOD_HINT =
  "credentials must name an entry of credentials.yml with key_path (and certificate_path for a certificate), agent: true or password_secret"

/** Joins a host with its login, or says why it cannot be used. */
const toEntry = (
  file: YamlFile,
  host: Host,
  index: number,
  logins: ReadonlyMap<string, LoadedLogin>
): { readonly entry: HostEntry; readonly problems: ReadonlyArray<Problem> } => {
  const report = problemAt(file)
  const disabled = (key: string, message: string) => {
    const problem = report("error", ["hosts", index, key], message)
    return { entry: { host, login: Result.fail(problem) }, problems: [problem] }
  }
  const loaded = host.credentials === undefined ? undefined : logins.get(host.credentials)
  if (loaded !== undefined && Result.isFailure(loaded.login))
    return { entry: { host, login: loaded.login }, problems: [] }
  const login = loaded === undefined || Result.isFailure(loaded.login) ? undefined : loaded.login.success
  return login === undefined || !canAuthenticate(login)
    ? disabled(
        "credentials",
        `Host '${host.alias}' has no authentication method configured (neither key_path nor password); ${NO_METHOD_HINT}`
      )
    : { entry: { host, login: Result.succeed(login) }, problems: [] }
}

/**
 * Disables the hosts behind a jump host that is disabled, for the reason that is listed for that one: going around it
 * would be another route than the configured one.
 */
const disableBehind = (snapshot: ConfigSnapshot): ConfigSnapshot => {
  const hosts = [...snapshot.hosts].map(([alias, entry]): readonly [string, HostEntry] => {
    const jumps = Option.getOrElse(jumpHosts(snapshot, entry), (): ReadonlyArray<HostEntry> => [])
    const broken = jumps.find(({ login }) => Result.isFailure(login))
    return broken === undefined || Result.isFailure(entry.login)
      ? [alias, entry]
      : [alias, { host: entry.host, login: broken.login }]
  })
  return { ...snapshot, hosts: new Map(hosts) }
}

/** What is in force when the files cannot be used: no host, nothing allowed, and the reasons. */
const unusable = (problems: ReadonlyArray<Problem>): ConfigSnapshot => ({
  hosts: new Map(),
  policy: denyAll,
  hostKeys: { paths: [], digest: "" },
  problems,
  usable: false
})

const loadCredentialLogins = Effect.fn("LoadConfig.logins")(function* (
  file: YamlFile,
  entries: ReadonlyArray<CredentialEntry>
) {
  const secrets = yield* loadSecrets()
  const logins = yield* loadLogins(file, entries, secrets)
  const problems = [...logins.values()].flatMap((login) => login.problems)
  return { logins, problems: [...listProblems(problems), ...listProblems(secrets.problems)] }
})

/**
 * Reads the three files, the keys, the secrets and known_hosts: a snapshot that is whole, or one that is not `usable`.
 * Never fails; what is wrong is in `problems`, errors first.
 */
export const loadConfig: Effect.Effect<ConfigSnapshot, never, Directories | FileSystem.FileSystem | Path.Path> =
  Effect.gen(function* () {
    const missing = yield* missingDirectory
    if (missing !== undefined) return unusable([missing])

    const servers = yield* loadFile(SERVERS, (file) => Effect.succeed(decodeServers(file)), "there are no hosts")
    const credentials = yield* loadFile(
      CREDENTIALS,
      (file) => Effect.succeed(decodeCredentials(file)),
      "no host can log in"
    )
    const policy = yield* loadPolicyFile

    const hosts = Option.getOrElse(servers.decoded.value, (): ReadonlyArray<Host> => [])
    const entries = Option.getOrElse(credentials.decoded.value, (): ReadonlyArray<CredentialEntry> => [])
    const names = entries.map(({ name }) => name)
    // A credentials.yml with errors names nothing for certain: its own problems are enough.
    const references = Option.isSome(credentials.decoded.value)
      ? listProblems(checkHosts(servers.file, hosts, names))
      : []
    const { logins, problems: loginProblems } = yield* loadCredentialLogins(credentials.file, entries)
    const structural = [
      ...servers.decoded.problems,
      ...references,
      ...credentials.decoded.problems,
      ...policy.decoded.problems
    ]
    const errorsFirst = (problems: ReadonlyArray<Problem>): ReadonlyArray<Problem> => [
      ...problems.filter(({ severity }) => severity === "error"),
      ...problems.filter(({ severity }) => severity === "warning")
    ]
    if (
      Option.isNone(servers.decoded.value) ||
      Option.isNone(credentials.decoded.value) ||
      Option.isNone(policy.decoded.value) ||
      references.length > 0
    ) {
      return unusable(errorsFirst([...structural, ...loginProblems]))
    }

    const { document, engine } = policy.decoded.value.value
    const hostKeys = yield* loadHostKeys(document.known_hosts_path)
    const joined = hosts.map((host, index) => toEntry(servers.file, host, index, logins))
    return disableBehind({
      hosts: new Map(joined.map(({ entry }) => [entry.host.alias, entry])),
      policy: compilePolicy(document, engine),
      hostKeys: hostKeys.policy,
      problems: errorsFirst([
        ...structural,
        ...listProblems(joined.flatMap(({ problems }) => problems)),
        ...listProblems(checkRuleHosts(policy.file, document.rules ?? [], hosts)),
        ...loginProblems,
        ...(hostKeys.warning === undefined
          ? []
          : [problemAt(policy.file)("warning", ["known_hosts_path"], hostKeys.warning)])
      ]),
      usable: true
    })
  }).pipe(Effect.withSpan("ConfigDirectory.load"))
