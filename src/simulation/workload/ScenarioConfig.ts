import type { PolicyDocument } from "../../policy/PolicyDocument.ts"
import type { ConfigChange, Scenario, ScenarioHost } from "./Scenario.ts"
import type { ConfigTexts } from "../world/SimulatedServer.ts"

/** What the operator wants to be in force: the policy, and which hosts of the scenario are in servers.yml. */
export interface ConfigState {
  readonly policy: PolicyDocument
  readonly removed: ReadonlySet<string>
}

/** The only entry of credentials.yml. */
const CREDENTIAL = "simulated"

/** The password of every simulated host: it never occurs in output. */
const PASSWORD = "simulated-password"

/** What is in force at the start. */
export const initialConfig = ({ policy }: Scenario): ConfigState => ({ policy, removed: new Set() })

/** The hosts that a state has, in the order of the scenario. */
export const hostsOf = ({ hosts }: Scenario, { removed }: ConfigState): ReadonlyArray<ScenarioHost> =>
  removed.size === 0 ? hosts : hosts.filter(({ alias }) => !removed.has(alias))

/** The state after a change; a bad change leaves it as it was. */
export const changeConfig = (scenario: Scenario, state: ConfigState, change: ConfigChange): ConfigState => {
  switch (change._tag) {
    case "NewPolicy":
      return { ...state, policy: change.policy }
    case "RemoveHost": {
      const behind = scenario.hosts.filter(({ jump }) => jump === change.alias).map(({ alias }) => alias)
      return { ...state, removed: new Set([...state.removed, change.alias, ...behind]) }
    }
    case "AddHost": {
      const jump = scenario.hosts.find(({ alias }) => alias === change.alias)?.jump
      return { ...state, removed: new Set([...state.removed].filter((one) => one !== change.alias && one !== jump)) }
    }
    case "Unchanged":
    case "BadYaml":
    case "BadKey":
    case "BadReference":
      return state
  }
}

/** What servers.yml holds as the host of an entry. */
export const configuredHost = ({ addresses, configured, hostname }: ScenarioHost): string =>
  configured === "name" ? hostname : (addresses[0] ?? hostname)

const server = (host: ScenarioHost, credentials: string): object => ({
  alias: host.alias,
  host: configuredHost(host),
  port: host.port,
  credentials,
  tags: host.tags,
  ...(host.jump === undefined ? {} : { jump: host.jump })
})

/**
 * The files of a state, for the reload of `change` when there is one: a bad change shows in them. They are JSON, which
 * is YAML (YAML 1.2.2 §1.3); an unknown key is at the top level.
 */
export const configTexts = (scenario: Scenario, state: ConfigState, change?: ConfigChange): ConfigTexts => {
  const bad = change === undefined || !("file" in change) ? undefined : change
  const text = (file: keyof ConfigTexts, document: object): string => {
    if (bad?.file !== file) return JSON.stringify(document)
    return bad._tag === "BadYaml" ? `${JSON.stringify(document)}}` : JSON.stringify({ ...document, unheard_of: true })
  }
  const missing: object = { alias: "of-no-credential", host: "10.255.255.1", credentials: "unheard-of" }
  const hosts = hostsOf(scenario, state).map((host) => server(host, CREDENTIAL))
  return {
    servers: text("servers", { hosts: change?._tag === "BadReference" ? [...hosts, missing] : hosts }),
    credentials: text("credentials", {
      entries: [{ name: CREDENTIAL, username: "simulated", password: PASSWORD }]
    }),
    policy: text("policy", state.policy)
  }
}
