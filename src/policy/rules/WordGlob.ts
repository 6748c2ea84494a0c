import type { Glob } from "../Glob.ts"
import type { DynamicWord, StaticWord, Word } from "../shell/Word.ts"

/** What is known of a text: all of it, or what it begins and ends with. A word is such a text. */
export type KnownText = Pick<StaticWord, "_tag" | "text"> | Pick<DynamicWord, "_tag" | "prefix" | "suffix">

const TRAVERSAL = /(?:^|[/=:,])\.\.(?:[/:,]|$)/

/** Whether a text holds a `..` path segment, also behind the `=`, `:` or `,` of an option. */
export const hasTraversal = (text: string): boolean => text.includes("..") && TRAVERSAL.test(text)

/** Whether a word shows a `..` segment: no wildcard covers it. What its unknown part may hold is not asked. */
export const showsTraversal = (word: Word): boolean =>
  word._tag === "Static"
    ? hasTraversal(word.text)
    : /(?:^|[/=:,])\.\.[/:,]/.test(word.prefix) || /[/=:,]\.\.(?:[/:,]|$)/.test(word.suffix)

/**
 * Whether every text that a dynamic word may become certainly matches a glob: the glob is a span, its head is in the word's
 * prefix, and its tail in the suffix. Only of pathname expansion is it known that prefix and suffix do not overlap.
 */
export const mustMatchGlob = (glob: Glob, word: DynamicWord): boolean =>
  glob.isSpan &&
  !word.mayTraverse &&
  !hasTraversal(word.prefix) &&
  !hasTraversal(word.suffix) &&
  word.prefix.startsWith(glob.head) &&
  (glob.tail === "" || (word.count === "each" && word.suffix.endsWith(glob.tail)))

/** Whether one of two texts begins with the other: only then does some text begin with both. */
export const beginsAlike = (left: string, right: string): boolean => left.startsWith(right) || right.startsWith(left)
const endsAlike = (left: string, right: string): boolean => left.endsWith(right) || right.endsWith(left)

/**
 * Whether a text of which only this is known may match a glob. Two globs that both hold a star have a text in common if
 * and only if what they begin with and what they end with agree; `?` and sets are taken for stars.
 */
export const mayMatchGlob = (glob: Glob, known: KnownText): boolean => {
  if (known._tag === "Static") return glob.matches(known.text)
  return glob.literal === undefined
    ? beginsAlike(glob.head, known.prefix) && endsAlike(glob.tail, known.suffix)
    : glob.literal.startsWith(known.prefix) && glob.literal.endsWith(known.suffix)
}
