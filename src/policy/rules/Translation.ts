import { Struct } from "effect"
import { type DocumentProblem, warning } from "../DocumentProblem.ts"
import { hasWildcard } from "../Glob.ts"
import { isGuarded } from "../guards/ArgumentGuards.ts"
import { isWrapper, unwrap } from "../guards/Wrapper.ts"
import { staticWord, unknownWord, type Word } from "../shell/Word.ts"
import { type AllowPattern, compileAllowPattern } from "./AllowPattern.ts"
import { splitPattern } from "./PatternPiece.ts"
import { type Rule, ruleName } from "./Rule.ts"

/** In what an allow rule is stricter than the original's match of one text, in the order in which the notes are given. */
const REASONS = {
  operators:
    "each command of a pipeline or list is matched alone, so an operator here is plain text: write one entry for each command, and redirect_write or redirect_read for files",
  expansion: "a variable in a pattern is plain text: write out what may stand there, or *",
  name: "the star at the end of the program's name covers its arguments, not longer names",
  path: "the star at the end of a path covers one word, and never .. in it",
  middle: "a wildcard that more text follows stays within one word",
  anyProgram: "the star for the program's name covers no program that is given by its path",
  guarded:
    "options that run programs or write files are refused under a wildcard: name them literally, or set unsafe_args: true",
  wrapper: "what it runs needs a rule of its own, unless the pattern names it literally"
} as const

/** Why a rule is stricter than it was in the original. */
type Reason = keyof typeof REASONS

/** Which pattern of a rule a reason is about. */
interface Finding {
  readonly reason: Reason
  readonly path: ReadonlyArray<string | number>
  readonly source: string
}

/** Patterns that a note names, at most, and characters of each. */
const MAX_NAMED = 3
const MAX_SHOWN = 24

/** Wrappers in wrappers that are looked into, at most. */
const MAX_DEPTH = 6

const withoutQuoted = (source: string): string => source.replace(/'[^']*'|"[^"]*"/g, "")

/** Whether a `?` or `[!set]` with text on both sides could have been a blank between two words. */
const mayHoldBlank = (bare: string): boolean => /^.+\?.+$/.test(bare.replace(/\[![^\]]*\]/g, "?"))

const withoutTrailingStars = (text: string): string => text.replace(/\*+$/, "")

/**
 * What a pattern's wildcards meet: the arguments of a program that is guarded, or a command that is not named. A wrapper
 * whose inner command the pattern names literally is followed to that command.
 */
const guardsOf = (words: readonly [Word, ...ReadonlyArray<Word>], depth: number): ReadonlyArray<Reason> => {
  const [name] = words
  if (name._tag !== "Static") return []
  const program = name.text.slice(name.text.lastIndexOf("/") + 1)
  const wrapped = isWrapper(program) && depth < MAX_DEPTH ? unwrap(words) : undefined
  const inner = wrapped?._tag === "Inner" && wrapped.commands.length === 1 ? wrapped.commands[0] : undefined
  if (inner !== undefined && words.slice(0, inner.from + 1).every((word) => word._tag === "Static")) {
    return guardsOf(inner.words, depth + 1)
  }
  return [...(isGuarded(program) ? (["guarded"] as const) : []), ...(isWrapper(program) ? (["wrapper"] as const) : [])]
}

const wordsOf = (program: string, pattern: AllowPattern): readonly [Word, ...ReadonlyArray<Word>] => [
  staticWord(program),
  ...pattern.tokens.map((token) => (token._tag === "Literal" ? staticWord(token.text) : unknownWord("*", "one"))),
  ...(pattern.rest === "none" ? [] : [unknownWord("*", "any")])
]

const wildcardReasons = (source: string, pattern: AllowPattern): ReadonlyArray<Reason> => {
  const [name, ...args] = splitPattern(source).map((piece) => piece.bare)
  const last = args.at(-1) ?? ""
  const inner = [...args.slice(0, -1), withoutTrailingStars(last)].some(
    (bare) => bare.includes("*") || mayHoldBlank(bare)
  )
  const literal = pattern.rest === "none" && !args.some(hasWildcard)
  return [
    ...(pattern.program !== undefined && name?.endsWith("*") === true ? (["name"] as const) : []),
    ...(pattern.rest === "none" && last.endsWith("*") ? (["path"] as const) : []),
    ...(inner ? (["middle"] as const) : []),
    ...(pattern.program === undefined ? (["anyProgram", "guarded", "wrapper"] as const) : []),
    ...(pattern.program === undefined || literal ? [] : guardsOf(wordsOf(pattern.program, pattern), 0))
  ]
}

const reasonsOf = (source: string): ReadonlyArray<Reason> => {
  const pattern = compileAllowPattern(source)
  if (pattern === undefined) return []
  const bare = withoutQuoted(source)
  if (/[|&;<>`]|\$\(/.test(bare)) return ["operators"]
  return /\$[\w{]/.test(bare) ? ["expansion"] : wildcardReasons(source, pattern)
}

const programReasons = (words: ReadonlyArray<string>): ReadonlyArray<Reason> => {
  const [program = "", ...args] = words
  return guardsOf([staticWord(program), ...args.map(staticWord), unknownWord("*", "any")], 0)
}

const findingsOf = (rule: Rule, index: number): ReadonlyArray<Finding> => {
  const path = ["rules", index]
  const found = (place: ReadonlyArray<string | number>, source: string, reasons: ReadonlyArray<Reason>) =>
    reasons.map((reason): Finding => ({ reason, path: [...path, ...place], source }))
  const { binary } = rule
  const open = rule.allow_extra_args !== false || rule.path_args !== undefined
  return [
    ...(rule.commands ?? []).flatMap((source, place) => found(["commands", place], source, reasonsOf(source))),
    ...(rule.simple_max_args === 0 ? [] : (rule.simple_binaries ?? [])).flatMap((program, place) =>
      found(["simple_binaries", place], program, programReasons([program]))
    ),
    ...(binary === undefined || !open
      ? []
      : found(["binary"], binary, programReasons([binary, ...(rule.arg_prefix ?? [])])))
  ]
}

const shown = (source: string): string => (source.length > MAX_SHOWN ? `${source.slice(0, MAX_SHOWN)}…` : source)

const listed = (findings: ReadonlyArray<Finding>): string => {
  const named = findings.slice(0, MAX_NAMED).map(({ source }) => JSON.stringify(shown(source)))
  const more = findings.length - named.length
  return more > 0 ? `${named.join(", ")} and ${more} more` : named.join(", ")
}

/** With the guards switched off, a rule is in this as wide as it was. */
const applies = (rule: Rule, reason: Reason): boolean => reason !== "guarded" || rule.unsafe_args !== true

/**
 * Notes in what an allow rule of a file for the original is stricter here than there, where a pattern was matched on the
 * whole text: one for each reason, at the first pattern concerned. Deny rules have none: they only became wider.
 */
export const checkTranslation = (rule: Rule, index: number): ReadonlyArray<DocumentProblem> => {
  if (rule.action !== "allow") return []
  const findings = findingsOf(rule, index)
  return Struct.keys(REASONS).flatMap((reason) => {
    const found = applies(rule, reason) ? findings.filter((finding) => finding.reason === reason) : []
    const [first] = found
    return first === undefined
      ? []
      : [
          warning(
            first.path,
            `${ruleName(rule, index)} is stricter than in the original: ${REASONS[reason]} (${listed(found)})`
          )
        ]
  })
}
