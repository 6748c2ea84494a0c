import { Schema } from "effect"
import { type DynamicWord, staticWord, unknownWord, type Word, type Words } from "../../../src/policy/shell/Word.ts"

/** A dynamic word with what is known of it. */
export const dynamic = (known: Partial<DynamicWord>): DynamicWord => ({ ...unknownWord("$x", "one"), ...known })

/** A word that pathname expansion replaces, as the parser describes it. */
const globWord = (text: string): DynamicWord => ({
  _tag: "Dynamic",
  text,
  count: "each",
  prefix: text.slice(0, text.indexOf("*")),
  suffix: text.slice(text.lastIndexOf("*") + 1),
  mayBeOption: text.startsWith("*") || text.startsWith("-"),
  mayTraverse: false
})

const homeWord = (home: string): DynamicWord => ({
  _tag: "Dynamic",
  text: home,
  count: "one",
  prefix: "/",
  suffix: home.slice(1),
  mayBeOption: false,
  mayTraverse: false,
  home
})

const toWord = (text: string): Word => {
  const value = /^([^$]*)\$x(.*)$/.exec(text)
  if (value !== null) {
    const [, before = "", after = ""] = value
    const isQuoted = before.endsWith('"')
    const prefix = isQuoted ? before.slice(0, -1) : before
    const suffix = isQuoted ? after.slice(1) : after
    const mayBeOption = prefix === "" || prefix.startsWith("-")
    return { _tag: "Dynamic", text, count: isQuoted ? "one" : "any", prefix, suffix, mayBeOption, mayTraverse: true }
  }
  if (/^~(?:\/|$)/.test(text)) return homeWord(text)
  if (text.includes("*")) return globWord(text)
  return staticWord(text)
}

/** The words of a command in a small notation: split at blanks, `$x` and `"$x"` are values, a `*` expands, `~` is home. */
export const wordsOf = (command: string): Words => {
  const [name = "", ...args] = command.split(" ")
  return [toWord(name), ...args.map(toWord)]
}

/** The words of a command of static words. */
export const staticWords = ([name = "", ...args]: ReadonlyArray<string>): Words => [
  staticWord(name),
  ...args.map(staticWord)
]

/** Texts that patterns and commands are made of, alike enough to match often. */
export const TEXTS = [
  "a",
  "ab",
  "b",
  "b.c",
  "-x",
  "-xb",
  "--long",
  "--lo=b",
  "-",
  "/p/q",
  "/p//q",
  "/p/./q",
  "/r/../p/q",
  "..",
  "../p",
  "a b",
  "="
] as const

/** Pieces of patterns. */
export const PATTERN_PIECES = [
  ...TEXTS.filter((text) => !text.includes(" ")),
  "*",
  "a*",
  "-x*",
  "--long*",
  "--lon",
  "/p/*",
  "/p/*q",
  "*.c",
  "a*b*",
  "*b",
  "?",
  "[ab]",
  "a[b",
  "b?c"
] as const

/** A dynamic word, and words that it becomes: each `values` entry stands for the unknown part of one. */
export const Unknown = Schema.Struct({
  count: Schema.Literals(["one", "each", "any"]),
  prefix: Schema.Literals(["", "", "a", "-", "--lo", "/", "/p/", "/p//", "/r/../", "b"]),
  suffix: Schema.Literals(["", "", "b", ".c", "q", "/q", "."]),
  values: Schema.Array(
    Schema.Literals(["", "a", "b", "-x", "--long", "p", "/p/q", "../p", "..", " ", "a b", "=b", "./", "q"])
  ),
  mayBeOption: Schema.Boolean,
  mayTraverse: Schema.Boolean
})

/** A dynamic word that becomes few texts, so that it often becomes what a pattern names. */
export const Simple = Schema.Struct({
  count: Schema.Literals(["one", "each", "any"]),
  prefix: Schema.Literals(["", "", "b", "/p", "/p//"]),
  suffix: Schema.Literals(["", "", "b"]),
  values: Schema.Array(Schema.Literals(["", "a", "b", "-x", "--long", "/q", "q"])).check(Schema.isMaxLength(3)),
  mayBeOption: Schema.Boolean,
  mayTraverse: Schema.Literals([false])
})

/** A word of a generated command: a static text, or a dynamic word with its expansion. */
export const Part = Schema.Union([Schema.Literals(TEXTS), Schema.Literals(TEXTS), Unknown])

/** A command with dynamic words, and one of the commands that it may become. */
export interface Expanded {
  readonly words: Words
  readonly texts: ReadonlyArray<string>
}

const expand = ({
  count,
  mayBeOption,
  mayTraverse,
  prefix,
  suffix,
  values
}: typeof Unknown.Type | typeof Simple.Type) => {
  const middles = values.length > 0 ? values.slice(0, 3) : [""]
  const texts =
    count === "one"
      ? [prefix + (middles[0] ?? "") + suffix]
      : count === "each"
        ? middles.map((middle) => prefix + middle + suffix)
        : prefix === "" && suffix === ""
          ? values.slice(0, 3)
          : middles.map(
              (middle, index) => (index === 0 ? prefix : "") + middle + (index === middles.length - 1 ? suffix : "")
            )
  const word = dynamic({
    count,
    prefix,
    suffix,
    mayBeOption: mayBeOption || prefix.startsWith("-") || texts.some((text) => text.startsWith("-")),
    mayTraverse: mayTraverse || texts.some((text) => text.split("/").includes(".."))
  })
  return { word, texts }
}

/** Makes a command of the program `a` of generated parts. */
export const expanded = (parts: ReadonlyArray<string | typeof Unknown.Type | typeof Simple.Type>): Expanded => {
  const each = parts.map((part) =>
    typeof part === "string" ? { word: staticWord(part), texts: [part] } : expand(part)
  )
  return {
    words: [staticWord("a"), ...each.map(({ word }) => word)],
    texts: ["a", ...each.flatMap(({ texts }) => texts)]
  }
}
