import { Schema } from "effect"
import * as fs from "node:fs"

/** `prefix`, then `repeat` so many times, then `suffix`. */
const Repeated = Schema.Struct({
  prefix: Schema.String,
  repeat: Schema.String,
  times: Schema.Int,
  suffix: Schema.String
})

const Line = Schema.Struct({
  id: Schema.String,
  surface: Schema.String,
  /** The value itself, or a description of it in angle brackets. */
  input: Schema.optionalKey(Schema.Unknown),
  /** How to make a value that is too long to write down; other surfaces have other generators. */
  input_gen: Schema.optionalKey(Schema.Unknown),
  /** The arguments as JSON text, where a parsed value could not hold them. */
  raw_json: Schema.optionalKey(Schema.String),
  /** The categories that are right, separated by `|`. */
  expect: Schema.String,
  why: Schema.String,
  setup: Schema.optionalKey(Schema.String)
})

/** One line of the corpus of bad inputs; `input` is the value to give. */
export interface CorpusLine {
  readonly id: string
  readonly input: unknown
  readonly expect: string
  readonly why: string
  readonly rawJson: string | undefined
  readonly setup: string | undefined
}

const decode = Schema.decodeUnknownSync(Schema.fromJsonString(Line), { onExcessProperty: "error" })

const lines = fs
  .readFileSync(new URL("../corpus/bad-inputs.jsonl", import.meta.url), "utf8")
  .split("\n")
  .filter((line) => line !== "")
  .map((line) => decode(line))

const repeated = (generator: unknown): string => {
  const { prefix, repeat, suffix, times } = Schema.decodeUnknownSync(Repeated)(generator)
  return prefix + repeat.repeat(times) + suffix
}

/** The lines of one surface of test/corpus/bad-inputs.jsonl. */
export const corpus = (surface: string): ReadonlyArray<CorpusLine> =>
  lines
    .filter((line) => line.surface === surface)
    .map((line) => ({
      id: line.id,
      input: line.input_gen === undefined ? line.input : repeated(line.input_gen),
      expect: line.expect,
      why: line.why,
      rawJson: line.raw_json,
      setup: line.setup
    }))
