import { Schema } from "effect"

const int = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))

/** Writes one line and exits 0: `echo MARK`. */
const Echo = Schema.TaggedStruct("Echo", {})
/** Writes `count` lines at once and exits 0: `lines COUNT MARK`. */
const Lines = Schema.TaggedStruct("Lines", { count: int(0, 2_000) })
/** Writes `bytes` bytes as fast as it is read and exits 0: `flood BYTES MARK`. */
const Flood = Schema.TaggedStruct("Flood", { bytes: int(0, 4 * 1024 * 1024) })
/** Writes `count` lines, one every `everyMillis`, and exits 0: `ticks COUNT MILLIS MARK`. */
const Ticks = Schema.TaggedStruct("Ticks", { count: int(0, 100), everyMillis: int(1, 10_000) })
/** Writes nothing for a while and exits 0: `sleep MILLIS MARK` (milliseconds, unlike the real one). */
const Sleep = Schema.TaggedStruct("Sleep", { millis: int(0, 120_000) })
/** Writes one line on stderr and exits with `code`: `fail CODE MARK`. */
const Fail = Schema.TaggedStruct("Fail", { code: int(1, 255) })
/** Is killed by a signal of its own: `die SIGNAL MARK`. */
const Die = Schema.TaggedStruct("Die", { signal: Schema.Literals(["TERM", "KILL", "SEGV", "HUP"]) })
/** A program that no drawn rule allows: `forbidden MARK`. No host ever runs it. */
const Forbidden = Schema.TaggedStruct("Forbidden", {})

/** Any command text, such as one of a user's own policy: writes one line and exits 0. */
const Text = Schema.TaggedStruct("Text", { text: Schema.NonEmptyString.check(Schema.isMaxLength(10_000)) })

/** What a simulated process does; its text is the whole program, so that a host needs nothing but the command. */
export const Program = Schema.Union([Echo, Lines, Flood, Ticks, Sleep, Fail, Die, Forbidden, Text])
export type Program = typeof Program.Type

/** The programs of a drawn workload, with numbers that keep a run short: most end within the usual limits, some do not. */
export const DrawnProgram = Schema.Union([
  Echo,
  Schema.TaggedStruct("Lines", { count: int(0, 200) }),
  Schema.TaggedStruct("Flood", { bytes: int(0, 150_000) }),
  Schema.TaggedStruct("Ticks", { count: int(0, 20), everyMillis: int(1, 3_000) }),
  Schema.TaggedStruct("Sleep", { millis: int(0, 90_000) }),
  Schema.TaggedStruct("Sleep", { millis: int(0, 3_000) }),
  Fail,
  Die,
  Forbidden
])

/** The names of the programs, as rules of a drawn policy name them. */
export const PROGRAM_NAMES = ["echo", "lines", "flood", "ticks", "sleep", "fail", "die", "forbidden"] as const
export type ProgramName = (typeof PROGRAM_NAMES)[number]

/** The word that makes the command of one step unlike every other: it is in the text, so also in the task's hash. A `Text` has none. */
export const markOf = (key: number): string => `k${key}`

const words = (program: Program): ReadonlyArray<string | number> => {
  switch (program._tag) {
    case "Echo":
      return ["echo"]
    case "Lines":
      return ["lines", program.count]
    case "Flood":
      return ["flood", program.bytes]
    case "Ticks":
      return ["ticks", program.count, program.everyMillis]
    case "Sleep":
      return ["sleep", program.millis]
    case "Fail":
      return ["fail", program.code]
    case "Die":
      return ["die", program.signal]
    case "Forbidden":
      return ["forbidden"]
    case "Text":
      return [program.text]
  }
}

/**
 * The command that runs `program` for the step `key`. `blanks` is what stands between the words: more than one makes the
 * caller's text differ from the canonical text that has to run.
 */
export const commandText = (program: Program, key: number, blanks = " "): string =>
  program._tag === "Text" ? program.text : [...words(program), markOf(key)].join(blanks)
