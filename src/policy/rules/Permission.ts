import { hasWildcard, matchesGlob } from "../Glob.ts"
import { isForbiddenVariable, isHarmlessVariable } from "../shell/Environment.ts"
import type { FileRedirection } from "../shell/SimpleCommand.ts"
import type { CompiledRule } from "./CompiledRule.ts"

/** What bash opens as a network connection instead of a file. */
const NETWORK = /^\/dev\/(?:tcp|udp)\//

/** Path segments that only serve to write one path in many ways. */
const ODD = /^$|\/\/|(?:^|\/)\.(?:\/|$)/

const hasParent = (path: string): boolean => path.split("/").includes("..")

/**
 * Whether one entry covers a path. A relative entry means paths that are written alike, only stars alone mean all; `~` is
 * never expanded in an entry, so that such a one means nothing.
 */
const covers = (entry: string, path: string): boolean => {
  if (entry.startsWith("~")) return false
  if (entry === path) return true
  if (!hasWildcard(entry) || hasParent(path)) return false
  const isAnywhere = entry.startsWith("/") || /^\*+$/.test(entry)
  return (isAnywhere || !path.startsWith("/")) && matchesGlob(entry, path)
}

/**
 * Whether a rule permits a redirection: an entry of `redirect_write` or `redirect_read` is the path, or a glob of it. No
 * glob covers a `..` segment, and none covers what bash takes for a network connection.
 */
export const mayRedirect = (
  rule: Pick<CompiledRule, "redirectRead" | "redirectWrite">,
  { access, path }: FileRedirection
): boolean => {
  if (ODD.test(path) || NETWORK.test(path)) return false
  return (access === "write" ? rule.redirectWrite : rule.redirectRead).some((entry) => covers(entry, path))
}

/** Whether a variable may be set for a command: it is harmless, or a name or glob of the rule's `env`; never a dangerous one. */
export const maySetVariable = (rule: Pick<CompiledRule, "env">, name: string): boolean =>
  !isForbiddenVariable(name) && (isHarmlessVariable(name) || rule.env.some((entry) => matchesGlob(entry, name)))
