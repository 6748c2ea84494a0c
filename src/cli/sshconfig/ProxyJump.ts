import { Result } from "effect"

/** One hop of `ProxyJump`: `[user@]host[:port]` or `ssh://[user@]host[:port]`. */
export interface JumpHop {
  readonly host: string
  readonly user?: string
  readonly port?: number
}

const parseHop = (text: string): Result.Result<JumpHop, string> => {
  const plain = text.replace(/^ssh:\/\//u, "").replace(/\/$/u, "")
  const at = plain.lastIndexOf("@")
  const user = at < 0 ? undefined : plain.slice(0, at)
  const place = /^(?:\[([^\]]+)\]|([^:[\]/]+))(?::([0-9]{1,5}))?$/u.exec(plain.slice(at + 1))
  const host = place?.[1] ?? place?.[2]
  const port = place?.[3] === undefined ? undefined : Number(place[3])
  if (host === undefined || user === "" || (port !== undefined && (port < 1 || port > 65_535))) {
    return Result.fail(`${text === "" ? "an empty hop" : text} is not [user@]host[:port]`)
  }
  return Result.succeed({ host, ...(user === undefined ? {} : { user }), ...(port === undefined ? {} : { port }) })
}

/** Hops of `ProxyJump`, the first to be connected to first; none for `none` (ssh_config(5)). */
export const parseProxyJump = (text: string): Result.Result<ReadonlyArray<JumpHop>, string> =>
  text.toLowerCase() === "none" ? Result.succeed([]) : Result.all(text.split(",").map((hop) => parseHop(hop.trim())))
