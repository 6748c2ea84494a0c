import { Effect, FileSystem, Path, Result } from "effect"
import { type Decoded, rejected } from "./Decoded.ts"
import { Directories } from "./Directories.ts"
import { listProblems, makeProblem, type Problem, START } from "./Problem.ts"
import { readRegularFile } from "./RegularFile.ts"
import { MAX_BYTES } from "./YamlDocument.ts"
import { emptyYamlFile, parseYamlFile, type YamlFile } from "./YamlFile.ts"

/** A file of the set: read, parsed and decoded. */
export interface Loaded<A> {
  /** For the places of problems; empty when the file is not there or cannot be parsed. */
  readonly file: YamlFile
  readonly decoded: Decoded<A>
}

const problemOf = (severity: Problem["severity"], file: string, message: string): Problem =>
  makeProblem(severity, file, START, [], message)

/**
 * Reads and decodes one file of the configuration directory; never fails. A file that is not there or is empty is a
 * warning, in which `consequence` says what that means.
 */
export const loadFile = Effect.fn("LoadFile.load")(function* <A>(
  name: string,
  decode: (file: YamlFile) => Effect.Effect<Decoded<A>>,
  consequence: string
) {
  const path = yield* Path.Path
  const directories = yield* Directories
  const absent = emptyYamlFile(name)
  const read = yield* Effect.result(readRegularFile(path.join(directories.config, name), MAX_BYTES))
  const loaded = (file: YamlFile, decoded: Decoded<A>, problems: ReadonlyArray<Problem> = []): Loaded<A> => ({
    file,
    decoded: { ...decoded, problems: listProblems([...decoded.problems, ...problems]) }
  })
  if (Result.isFailure(read)) {
    const { reason } = read.failure
    return reason === "not found"
      ? loaded(absent, yield* decode(absent), [problemOf("warning", name, `file not found: ${consequence}`)])
      : loaded(absent, rejected([problemOf("error", name, `file cannot be read: ${reason}`)]))
  }
  const file = parseYamlFile(name, read.success.bytes)
  if (Result.isFailure(file)) return loaded(absent, rejected(file.failure))
  return loaded(
    file.success,
    yield* decode(file.success),
    file.success.value === undefined ? [problemOf("warning", name, `file is empty: ${consequence}`)] : []
  )
})

/** What is wrong when there is no configuration directory, which is another matter than one without files. */
export const missingDirectory = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const { config } = yield* Directories
  return (yield* Effect.orElseSucceed(fs.exists(config), () => false))
    ? undefined
    : problemOf("error", path.basename(config), "configuration directory not found")
})
