import { matchesGlob } from "../Glob.ts"
import type { Rule } from "./Rule.ts"

/** Stands for whatever a wildcard may stand for: no file holds this private-use character by accident. */
export const ANYTHING = "\uE000"

/** A glob with each wildcard replaced by `ANYTHING`, so that a glob which matches the result covers all that it matches. */
export const sampleOf = (glob: string): string => glob.replace(/\[!?\]?[^\]]*\]|[*?]/g, ANYTHING)

/** Whether everything that `inner` matches certainly is matched by `outer` too; a wildcard other than `*` proves nothing. */
export const coversGlob = (outer: string, inner: string): boolean =>
  outer === inner || (!/[?[]/.test(outer) && matchesGlob(outer, sampleOf(inner)))

const coversList = (outer: ReadonlyArray<string>, inner: ReadonlyArray<string>): boolean =>
  inner.every((glob) => outer.some((other) => coversGlob(other, glob)))

const listOf = (globs: ReadonlyArray<string> | undefined, empty: ReadonlyArray<string>): ReadonlyArray<string> =>
  globs === undefined || globs.length === 0 ? empty : globs

/** Whether every host that `inner` is about certainly is one that `outer` is about. */
export const coversHosts = (outer: Rule, inner: Rule): boolean => {
  const tags = outer.tags ?? []
  return (
    coversList(listOf(outer.aliases, ["*"]), listOf(inner.aliases, ["*"])) &&
    // A rule with tags says nothing of a host that has none.
    (tags.length === 0 || ((inner.tags ?? []).length > 0 && coversList(tags, inner.tags ?? [])))
  )
}

const lengthOf = (rule: Rule): number =>
  [...(rule.aliases ?? []), ...(rule.tags ?? [])].reduce((total, glob) => total + glob.length + 1, 1)

/** The steps that `coversHosts` takes at most. */
export const hostSteps = (outer: Rule, inner: Rule): number => lengthOf(outer) * lengthOf(inner)
