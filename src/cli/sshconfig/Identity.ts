import { Result } from "effect"
import { type HostSettings, isNone } from "./HostSettings.ts"
import { expandPath, type Tokens } from "./Tokens.ts"
import type { Fault } from "./Tree.ts"

/** How a host is logged in to, by absolute paths. */
export interface Identity {
  readonly key: string | undefined
  /** The private key is only in the agent, which is asked for it by the public one: `key` with `.pub`. */
  readonly keyIsInAgent: boolean
  readonly certificate: string | undefined
  readonly agent: boolean
  readonly remarks: ReadonlyArray<Fault>
}

/** What ssh_config files are read for, and where. */
export interface Facts {
  /** The home directory, absolute: `~` and `%d`. */
  readonly home: string
  /** The local user: `%u`, and the remote one unless `User` says otherwise. */
  readonly user: string
  /** Where keys have to be. */
  readonly keysDirectory: string
  /** Which of the paths that `identityPaths` gave are files. */
  readonly existing: ReadonlySet<string>
}

/** What ssh tries when no IdentityFile is set, without the kinds that cannot be used here (ssh_config(5)). */
const DEFAULT_KEYS = ["id_rsa", "id_ecdsa", "id_ed25519"] as const

/** The paths of a list keyword, in order, and what cannot be expanded. */
const pathsOf = (
  settings: HostSettings,
  keyword: "identityfile" | "certificatefile",
  home: string,
  tokens: Tokens
): { readonly paths: ReadonlyArray<string>; readonly remarks: ReadonlyArray<Fault> } => {
  const expanded = (settings.lists.get(keyword) ?? [])
    .filter((line) => !isNone(line))
    .map((line) => [line, expandPath(line.words[0], home, tokens)] as const)
  return {
    paths: [...new Set(expanded.flatMap(([, path]) => (Result.isSuccess(path) ? [path.success] : [])))],
    remarks: expanded.flatMap(([{ place, words, written }, path]) =>
      Result.isFailure(path) ? [{ place, message: `${written} ${words[0]}: ${path.failure}` }] : []
    )
  }
}

const keyCandidates = (settings: HostSettings, home: string, tokens: Tokens) => {
  const given = pathsOf(settings, "identityfile", home, tokens)
  const isGiven = settings.lists.has("identityfile")
  return { ...given, isGiven, paths: isGiven ? given.paths : DEFAULT_KEYS.map((name) => `${home}/.ssh/${name}`) }
}

/** Every file that `identityOf` wants to know the existence of. */
export const identityPaths = (settings: HostSettings, home: string, tokens: Tokens): ReadonlyArray<string> => [
  ...keyCandidates(settings, home, tokens).paths.flatMap((path) => [path, `${path}-cert.pub`]),
  ...pathsOf(settings, "certificatefile", home, tokens).paths
]

/**
 * The one key, certificate and agent that a credentials entry holds. ssh tries every key; here the first that exists
 * counts (the first, when none does), and the others are remarks. A public key stands for one in an agent.
 */
export const identityOf = (settings: HostSettings, { existing, home }: Facts, tokens: Tokens): Identity => {
  const keys = keyCandidates(settings, home, tokens)
  const certificates = pathsOf(settings, "certificatefile", home, tokens)
  const remarks: Array<Fault> = [...keys.remarks, ...certificates.remarks]
  const line = settings.lists.get("identityfile")?.[0]

  const [privateKeys, publicKeys] = [
    keys.paths.filter((path) => !path.endsWith(".pub")),
    keys.paths.filter((path) => path.endsWith(".pub"))
  ]
  const publicKey = publicKeys.find((path) => existing.has(path)) ?? publicKeys[0]
  const ownKey = privateKeys.find((path) => existing.has(path))
  const keyIsInAgent = ownKey === undefined && publicKey !== undefined
  const key = keyIsInAgent ? publicKey.slice(0, -4) : (ownKey ?? (keys.isGiven ? privateKeys[0] : undefined))
  const further = keys.isGiven ? privateKeys.filter((path) => path !== key && existing.has(path)) : []
  if (line !== undefined && further.length > 0) {
    const message = `an entry has one key; ${further.join(", ")} ${further.length === 1 ? "is" : "are"} not carried over`
    remarks.push({ place: line.place, message })
  }

  const certificate =
    certificates.paths[0] ?? (key !== undefined && existing.has(`${key}-cert.pub`) ? `${key}-cert.pub` : undefined)
  if (certificates.paths.length > 1) {
    const others = certificates.paths.slice(1).join(", ")
    const place = settings.lists.get("certificatefile")?.[0]?.place ?? ""
    remarks.push({ place, message: `an entry has one certificate; ${others} is not carried over` })
  }

  const agentLine = settings.values.get("identityagent")
  const socket = agentLine?.words[0]
  const withAgent = agentLine !== undefined && !isNone(agentLine)
  if (withAgent && socket !== "SSH_AUTH_SOCK") {
    remarks.push({
      place: agentLine.place,
      message: `the agent is the one of SSH_AUTH_SOCK; start with it set to ${socket}`
    })
  }
  return { key, keyIsInAgent, certificate, agent: withAgent || keyIsInAgent || key === undefined, remarks }
}
