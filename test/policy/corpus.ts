import { readFileSync } from "node:fs"
import { Schema } from "effect"
import { parse } from "yaml"
import { PolicyDocument } from "../../src/policy/PolicyDocument.ts"
import { type CompiledPolicy, compilePolicy } from "../../src/policy/Policy.ts"

const read = (name: string): string => readFileSync(new URL(`../corpus/${name}`, import.meta.url), "utf8")

/** Decodes a policy document as the configuration does: strictly. */
export const decodeDocument = Schema.decodeUnknownSync(PolicyDocument, { errors: "all", onExcessProperty: "error" })

/** Compiles a policy written as plain data. */
export const policyOf = (document: unknown): CompiledPolicy => compilePolicy(decodeDocument(document))

const PolicyCase = Schema.Struct({
  id: Schema.String,
  policy: Schema.String,
  host: Schema.String,
  tags: Schema.Array(Schema.String),
  command: Schema.String,
  expect: Schema.Literals(["allow", "deny"])
})

/** A line of a corpus of decisions. */
export type PolicyCase = typeof PolicyCase.Type

const decodeCase = Schema.decodeUnknownSync(Schema.fromJsonString(PolicyCase))

/** The lines of a corpus of decisions. */
export const readCases = (name: string): ReadonlyArray<PolicyCase> =>
  read(name)
    .trim()
    .split("\n")
    .map((line) => decodeCase(line))

const BadInput = Schema.Struct({
  id: Schema.String,
  surface: Schema.String,
  input: Schema.optionalKey(Schema.Unknown),
  input_gen: Schema.optionalKey(Schema.Unknown),
  expect: Schema.String
})

const decodeBadInput = Schema.decodeUnknownSync(Schema.fromJsonString(BadInput))

/** The hostile inputs for one surface. */
export const readBadInputs = (surface: string): ReadonlyArray<typeof BadInput.Type> =>
  read("bad-inputs.jsonl")
    .trim()
    .split("\n")
    .map((line) => decodeBadInput(line))
    .filter((each) => each.surface === surface)

/** The documents that the corpora name, by name. */
export const policyDocuments = (): Readonly<Record<string, unknown>> => parse(read("policies.yml")).policies
