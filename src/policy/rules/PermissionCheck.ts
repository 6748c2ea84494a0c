import { type DocumentProblem, warning } from "../DocumentProblem.ts"
import { hasWildcard } from "../Glob.ts"
import { isForbiddenVariable } from "../shell/Environment.ts"
import type { Rule } from "./Rule.ts"

const REDIRECTIONS = ["redirect_write", "redirect_read"] as const

/** What bash opens as a network connection instead of a file. */
const isNetworkPath = (path: string): boolean => /^\/dev\/(?:tcp|udp)(?:\/|$)/.test(path)

const redirectionWarning = (key: (typeof REDIRECTIONS)[number], path: string): string | undefined => {
  if (isNetworkPath(path)) return `${path} never matches: bash makes a network connection of it`
  if (/\/\/|(?:^|\/)\.(?:\/|$)/.test(path)) return `${path} never matches: write it without // and without . segments`
  if (path.startsWith("~")) return `${path} never matches: a file to redirect to or from is written out`
  if (/^\/?\*[*/]*$/.test(path))
    return `${path} is any file that the account may ${key === "redirect_write" ? "write" : "read"}`
  if (!path.startsWith("/")) return `${path} depends on the directory that the command runs in`
  return undefined
}

const variableWarning = (name: string): string | undefined => {
  if (!hasWildcard(name) && isForbiddenVariable(name)) {
    return `${name} has no effect: no rule can permit it, since programs run code or look elsewhere because of it`
  }
  return /^[\w*?![\]-]+$/.test(name) && !/^\d/.test(name)
    ? undefined
    : `${name} never matches: it is no name of a variable`
}

/** What a rule permits beyond words: keys that mean nothing in a deny rule, and entries that say more or less than they seem to. */
export const checkPermissions = (rule: Rule, index: number): ReadonlyArray<DocumentProblem> => {
  const path = ["rules", index]
  if (rule.action !== "allow") {
    const given = [
      ...[...REDIRECTIONS, "env" as const].filter((key) => (rule[key]?.length ?? 0) > 0),
      ...(rule.unsafe_args === true ? ["unsafe_args"] : [])
    ]
    return given.map((key) => warning([...path, key], "has no effect in a rule that denies"))
  }
  const entries = (key: (typeof REDIRECTIONS)[number] | "env", judge: (entry: string) => string | undefined) =>
    (rule[key] ?? []).flatMap((entry, place) => {
      const message = judge(entry)
      return message === undefined ? [] : [warning([...path, key, place], message)]
    })
  return [
    ...REDIRECTIONS.flatMap((key) => entries(key, (entry) => redirectionWarning(key, entry))),
    ...entries("env", variableWarning)
  ]
}
