import { Result } from "effect"
import { type HostSettings, isNone } from "./HostSettings.ts"
import { parseProxyJump } from "./ProxyJump.ts"
import { expandTokens, type Tokens } from "./Tokens.ts"
import type { Directive } from "./Tree.ts"
import { asName } from "./UniqueNames.ts"

/** Somewhere ssh would connect to: a name to look up in ssh_config, with what a `ProxyJump` says of it on top. */
export interface Endpoint {
  readonly name: string
  readonly user?: string
  readonly port?: number
}

/** The address of a name: `HostName` with `%h` being the name, else the name; in lower case, as ssh(1) does it. */
export const expandedHost = (name: string, settings: HostSettings): Result.Result<string, string> =>
  Result.map(
    expandTokens(settings.values.get("hostname")?.words[0] ?? name.replaceAll("%", "%%"), { h: name }),
    (host) => host.toLowerCase()
  )

/** The line that says how a host is reached, unless that is directly. */
export const ownRoute = ({ values }: HostSettings): Directive | undefined =>
  [values.get("proxyjump"), values.get("proxycommand")].find((line) => line !== undefined && !isNone(line))

/** Hops of a route. */
export const hopsOf = {
  /** The endpoints of a `ProxyJump` line, first hop first. */
  line: ({ words }: Directive, tokens: Tokens): Result.Result<ReadonlyArray<Endpoint>, string> =>
    expandTokens(words.join(""), tokens).pipe(
      Result.flatMap(parseProxyJump),
      Result.map((hops) =>
        hops.map(({ host, port, user }) => ({
          name: host,
          ...(user === undefined ? {} : { user }),
          ...(port === undefined ? {} : { port })
        }))
      )
    ),
  /** What the host of a hop may be called, best first. */
  names: ({ name, port, user }: Endpoint): readonly [string, ...ReadonlyArray<string>] => [
    asName(name),
    asName(`${user === undefined ? "" : `${user}-`}${name}${port === undefined ? "" : `-${port}`}`)
  ]
}
