import { posix } from "node:path"
import { Result } from "effect"

/** What the tokens of ssh_config(5) TOKENS stand for. Those that are not here cannot be known before a connection. */
export type Tokens = Readonly<Partial<Record<"h" | "n" | "p" | "r" | "u" | "d", string>>>

/** Replaces `%h` and the like, `%%` being a per cent sign. Fails on a token that has no value here. */
export const expandTokens = (text: string, tokens: Tokens): Result.Result<string, string> => {
  let unknown: string | undefined
  const values = new Map<string, string>([...Object.entries(tokens), ["%", "%"]])
  const expanded = text.replace(/%(.?)/gsu, (whole, name: string) => {
    const value = values.get(name)
    if (value === undefined) unknown ??= whole
    return value ?? whole
  })
  return unknown === undefined ? Result.succeed(expanded) : Result.fail(`${unknown} is not known here`)
}

/**
 * A path of ssh_config as an absolute one: tokens, `~` and `${HOME}` are replaced. Fails on other users' homes, other
 * variables and on a relative path, which would depend on where ssh is started.
 */
export const expandPath = (text: string, home: string, tokens: Tokens): Result.Result<string, string> =>
  Result.flatMap(expandTokens(text, tokens), (expanded) => {
    const path = expanded.replace(/^~(?=\/|$)/u, home).replaceAll("${HOME}", home)
    if (path.includes("${")) return Result.fail("environment variables are not expanded")
    if (path.startsWith("~")) return Result.fail("the home of another user is not looked up")
    if (!path.startsWith("/")) return Result.fail("a relative path depends on where ssh is started")
    return Result.succeed(posix.normalize(path))
  })
