import { Effect, FileSystem, Option, Result } from "effect"
import { readRegularFile, utf8 } from "../config/RegularFile.ts"
import { matchesPattern } from "./sshconfig/HostPattern.ts"
import { type Directive, type Fault, type Item, parseFile } from "./sshconfig/Tree.ts"

/** Bytes of one file. */
const MAX_BYTES = 1024 * 1024
/** Files in all, each counted as often as it is included. */
const MAX_FILES = 1_000
/** Nesting of `Include`, as in OpenSSH (READCONF_MAX_DEPTH in readconf.c). */
const MAX_DEPTH = 16

/** A configuration of ssh with all that it includes. */
export interface SshConfig {
  readonly items: ReadonlyArray<Item>
  /** Lines that cannot be read and files that are missing or too many. */
  readonly faults: ReadonlyArray<Fault>
}

/**
 * The files that a pattern of `Include` stands for, sorted. Stars and question marks stay within a component and match no
 * leading dot, as in glob(7). A directory that cannot be listed holds none.
 */
const expandGlob = Effect.fnUntraced(function* (pattern: string) {
  const fs = yield* FileSystem.FileSystem
  let found: ReadonlyArray<string> = [""]
  for (const part of pattern.split("/").filter((each) => each !== "")) {
    if (!/[*?]/u.test(part)) {
      found = found.map((directory) => `${directory}/${part}`)
      continue
    }
    const listed = yield* Effect.forEach(found, (directory) =>
      Effect.orElseSucceed(fs.readDirectory(directory === "" ? "/" : directory), (): Array<string> => []).pipe(
        Effect.map((names) =>
          names
            .filter((name) => matchesPattern(name, part) && (part.startsWith(".") || !name.startsWith(".")))
            .sort()
            .map((name) => `${directory}/${name}`)
        )
      )
    )
    found = listed.flat().slice(0, MAX_FILES + 1)
  }
  return yield* Effect.filter(found, (file) => Effect.orElseSucceed(fs.exists(file), () => false))
})

/** The absolute pattern of an `Include` argument, or why there is none. */
const absolutePattern = (written: string, home: string): Result.Result<string, string> => {
  if (/[[\]{}]/u.test(written)) return Result.fail("patterns with brackets are not expanded")
  if (written.startsWith("/")) return Result.succeed(written)
  if (written.startsWith("~/")) return Result.succeed(`${home}${written.slice(1)}`)
  if (written.startsWith("~")) return Result.fail("the home of another user is not looked up")
  return Result.succeed(`${home}/.ssh/${written}`)
}

/**
 * Reads a configuration of ssh and the files that it includes, each at most 1 MiB, 1,000 in all, 16 deep. Fails when the
 * file itself cannot be read; whatever else is wrong is a fault.
 */
export const readSshConfig = Effect.fn("cli.readSshConfig")(function* (file: string, home: string) {
  const faults: Array<Fault> = []
  let files = 0

  const read = Effect.fnUntraced(function* (path: string) {
    const { bytes } = yield* readRegularFile(path, MAX_BYTES)
    return Option.getOrUndefined(utf8(bytes))
  })

  const toItems = (name: string, text: string, within: ReadonlyArray<string>) => {
    const parsed = parseFile(name, text)
    faults.push(...parsed.faults)
    return Effect.forEach(parsed.lines, (line) =>
      line.keyword === "include" ? include(line, within) : Effect.succeed<Item>({ _tag: "Line", line })
    )
  }

  const includeFile = (
    path: string,
    place: string,
    within: ReadonlyArray<string>
  ): Effect.Effect<ReadonlyArray<Item>, never, FileSystem.FileSystem> =>
    Effect.gen(function* () {
      const fault = (message: string): ReadonlyArray<Item> => {
        faults.push({ place, message: `Include ${path}: ${message}` })
        return []
      }
      if (within.includes(path)) return fault("it includes itself")
      if (within.length > MAX_DEPTH) return fault(`includes are more than ${MAX_DEPTH} deep`)
      if (++files > MAX_FILES) return files === MAX_FILES + 1 ? fault(`more than ${MAX_FILES} files`) : []
      const text = yield* Effect.result(read(path))
      if (Result.isFailure(text)) return fault(text.failure.message)
      if (text.success === undefined) return fault("not UTF-8")
      return yield* toItems(path, text.success, [...within, path])
    })

  const include = (line: Directive, within: ReadonlyArray<string>): Effect.Effect<Item, never, FileSystem.FileSystem> =>
    Effect.gen(function* () {
      const included = yield* Effect.forEach(line.words, (written) =>
        Effect.gen(function* () {
          const pattern = absolutePattern(written, home)
          if (Result.isFailure(pattern)) {
            faults.push({ place: line.place, message: `Include ${written}: ${pattern.failure}` })
            return []
          }
          const paths = yield* expandGlob(pattern.success)
          return yield* Effect.forEach(paths, (path) => includeFile(path, line.place, within))
        })
      )
      return { _tag: "Include", line, files: included.flat() }
    })

  const text = yield* read(file)
  if (text === undefined) {
    const config: SshConfig = { items: [], faults: [{ place: file, message: "not UTF-8" }] }
    return config
  }
  const items = yield* toItems(file, text, [file])
  const config: SshConfig = { items, faults }
  return config
})
