import { Option } from "effect"
import { makeProblem, type Problem } from "./Problem.ts"
import type { YamlFile } from "./YamlFile.ts"

/** What came of a configuration file. */
export interface Decoded<A> {
  /** None: the file has a structural error, so that nothing of the file set may be used. */
  readonly value: Option.Option<A>
  readonly problems: ReadonlyArray<Problem>
}

/** A file that cannot be used. */
export const rejected = (problems: ReadonlyArray<Problem>): Decoded<never> => ({ value: Option.none(), problems })

/** A file that can be used, with its warnings. */
export const accepted = <A>(value: A, problems: ReadonlyArray<Problem> = []): Decoded<A> => ({
  value: Option.some(value),
  problems
})

/** Makes problems at the place of a value in a file. */
export const problemAt =
  (file: YamlFile) =>
  (
    severity: Problem["severity"],
    path: ReadonlyArray<PropertyKey>,
    message: string,
    part: "key" | "value" = "value"
  ): Problem =>
    makeProblem(severity, file.name, file.locate(path, part), path, message)
