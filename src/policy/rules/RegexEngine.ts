import type { Result } from "effect"

/** Characters of a regular expression in a rule, at most. */
export const MAX_REGEX_LENGTH = 512

/** Compiles regular expressions that match in linear time. It is loaded only when a policy has any. */
export interface RegexEngine {
  /**
   * Makes a test of whole texts, case-sensitive and without flags; or says, for a human, why the source is no acceptable
   * regular expression.
   */
  readonly compile: (source: string) => Result.Result<(text: string) => boolean, string>
}
