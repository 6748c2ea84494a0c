import { Result } from "effect"
import { MAX_REGEX_LENGTH, type RegexEngine } from "./RegexEngine.ts"

/** What is used of the module `re2js`. */
export interface Re2Library {
  readonly RE2JS: {
    readonly compile: (source: string) => {
      /** Whether the whole text matches. */
      readonly testExact: (text: string) => boolean
    }
  }
}

/** An engine of the RE2 library, whose syntax has neither look-around nor back-references. */
export const makeRegexEngine = ({ RE2JS }: Re2Library): RegexEngine => ({
  compile: (source) =>
    source.length > MAX_REGEX_LENGTH
      ? Result.fail(`it is longer than ${MAX_REGEX_LENGTH} characters`)
      : Result.try({
          try: () => {
            const compiled = RE2JS.compile(source)
            return (text: string): boolean => compiled.testExact(text)
          },
          catch: (error) => (error instanceof Error ? error.message : String(error))
        })
})
