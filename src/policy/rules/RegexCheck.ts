import { Result } from "effect"
import { type DocumentProblem, error, warning } from "../DocumentProblem.ts"
import type { RegexEngine } from "./RegexEngine.ts"
import type { Rule } from "./Rule.ts"

/** Regular expressions of a whole file, at most: each is tried on every command, since none tells its program for certain. */
const MAX_REGEXES = 500

/** Texts that only an expression for any program matches as a whole. */
const ANY_PROGRAM = ["qzjx", "qzjx --kqv /wyq"]

const checkRegex = (
  engine: RegexEngine,
  source: string,
  allows: boolean,
  path: ReadonlyArray<string | number>
): ReadonlyArray<DocumentProblem> => {
  const compiled = engine.compile(source)
  if (Result.isFailure(compiled)) return [error(path, `is no regular expression of RE2: ${compiled.failure}`)]
  return allows && ANY_PROGRAM.some(compiled.success) ? [warning(path, "allows any program")] : []
}

/**
 * Compiles the regular expressions of the rules, so that one that RE2 refuses (look-around, back-references, too much
 * repetition) keeps the file from being used instead of never matching. Without an engine every one is an error.
 */
export const checkRegexes = (rules: ReadonlyArray<Rule>, engine?: RegexEngine): ReadonlyArray<DocumentProblem> => {
  const count = rules.reduce((total, rule) => total + (rule.commands_regex?.length ?? 0), 0)
  if (count > MAX_REGEXES) {
    return [error(["rules"], `holds ${count} regular expressions (at most ${MAX_REGEXES}): use commands`)]
  }
  return rules.flatMap((rule, index) =>
    (rule.commands_regex ?? []).flatMap((source, place) => {
      const path = ["rules", index, "commands_regex", place]
      return engine === undefined
        ? [error(path, "cannot be used: the library for regular expressions is not there")]
        : checkRegex(engine, source, rule.action === "allow", path)
    })
  )
}
