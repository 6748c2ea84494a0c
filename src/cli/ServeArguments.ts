import { Option } from "effect"
import type { GlobalFlags } from "./GlobalFlags.ts"
import { logLevel } from "./LogLevels.ts"

const DIRECTORIES = new Map<string, "configDir" | "keysDir" | "secretsDir">([
  ["--config-dir", "configDir"],
  ["--keys-dir", "keysDir"],
  ["--secrets-dir", "secretsDir"]
])

const flagOf = (name: string, value: string): GlobalFlags | undefined => {
  const directory = DIRECTORIES.get(name)
  if (directory !== undefined) return { [directory]: value }
  const level = name === "--log-level" ? logLevel(value) : undefined
  return level === undefined ? undefined : { logLevel: level }
}

/**
 * The flags when the arguments say no more than `serve`: nothing, `serve` or `stdio`, and flags with their values, each
 * once. None for anything else, also for what is wrong: the command line reads that, and explains it. A client starts the
 * server with such arguments at every session, and need not wait until the command line is loaded. Pure.
 */
export const serveArguments = (args: ReadonlyArray<string>): Option.Option<GlobalFlags> => {
  let flags: GlobalFlags = {}
  let named = false
  for (let at = 0; at < args.length; at++) {
    const [name = "", ...assigned] = (args[at] ?? "").split("=")
    if (!name.startsWith("-") && assigned.length === 0) {
      if (named || (name !== "serve" && name !== "stdio")) return Option.none()
      named = true
      continue
    }
    const value = assigned.length > 0 ? assigned.join("=") : args[++at]
    const flag = value === undefined || value === "" || value.startsWith("-") ? undefined : flagOf(name, value)
    if (flag === undefined || Object.keys(flag).some((key) => key in flags)) return Option.none()
    flags = { ...flags, ...flag }
  }
  return Option.some(flags)
}
