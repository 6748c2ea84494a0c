import { readFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import * as re2js from "re2js"
import { Result, Schema } from "effect"
import { parseAllDocuments } from "yaml"
import { compilePolicy, decide, type Decision } from "../../src/policy/Policy.ts"
import { checkPolicyDocument } from "../../src/policy/PolicyDocument.ts"
import { makeRegexEngine } from "../../src/policy/rules/Re2.ts"
import { parseCommand } from "../../src/policy/shell/ShellCommand.ts"
import { parseCases } from "../../src/cli/PolicyTestCases.ts"
import { decodeDocument, policyOf } from "./corpus.ts"

const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8")
const engine = makeRegexEngine(re2js)

const fenced = (language: string): ReadonlyArray<string> =>
  [...readme.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, "gm"))].map((match) => match[1] ?? "")

const isPolicy = Schema.is(Schema.Struct({ rules: Schema.Unknown }))

/** Every snippet that holds rules, as it would stand in policy.yml. */
const snippets = fenced("yaml")
  .map((text) => parseAllDocuments(text).map((document): unknown => document.toJS()))
  .map(([value]) => value)
  .filter(isPolicy)

const documents = snippets.map((snippet) => decodeDocument(snippet))

const worked = documents.find((document) => document.version === 3) ?? {}

const decideOn = (command: string, tags: ReadonlyArray<string> = ["production"], alias = "web-1"): Decision =>
  decide(compilePolicy(worked, engine), { alias, tags }, command)

/** The rows of the table whose first heading is this, a cell being the code in it. */
const tableOf = (heading: string): ReadonlyArray<ReadonlyArray<ReadonlyArray<string>>> => {
  const lines = readme.split("\n")
  const start = lines.findIndex((line) => line.startsWith(`| ${heading} |`))
  const end = lines.findIndex((line, index) => index > start && !line.startsWith("|"))
  return lines.slice(start + 2, end).map((line) =>
    line
      .slice(1, -1)
      .split(/(?<!\\)\|/)
      .map((cell) => [...cell.matchAll(/`([^`]+)`/g)].map((match) => (match[1] ?? "").replaceAll("\\|", "|")))
  )
}

describe("the README", () => {
  it("holds policies that load without an error, and those for this model without a warning", () => {
    assert.isAtLeast(documents.length, 3)
    for (const document of documents) {
      const problems = checkPolicyDocument(document, engine)
      const wanted = document.version === 3 ? problems : problems.filter(({ severity }) => severity === "error")
      assert.deepStrictEqual(wanted, [])
    }
  })

  it("has examples for each of its worked rules, and together the rules decide as these say", () => {
    const rules = worked.rules ?? []
    assert.isAtLeast(rules.length, 10)
    for (const rule of rules) {
      assert.isTrue((rule.match?.length ?? 0) > 0 && (rule.not_match?.length ?? 0) > 0, rule.id)
      for (const text of rule.match ?? []) {
        const decision = decideOn(text)
        assert.strictEqual(decision._tag, "Allowed", `${text}: ${decision._tag === "Denied" ? decision.detail : ""}`)
      }
      for (const text of rule.not_match ?? []) assert.strictEqual(decideOn(text)._tag, "Denied", text)
    }
  })

  it("says of whole texts under these rules what is so", () => {
    const texts = /With these rules, ([\s\S]*?)\.\n\n/.exec(readme)?.[1]?.matchAll(/`([^`]+)`/g) ?? []
    const commands = [...texts].map((match) => (match[1] ?? "").replaceAll("\n", " "))
    assert.strictEqual(commands.length, 2)
    for (const command of commands) assert.strictEqual(decideOn(command)._tag, "Allowed", command)
  })

  it("shows cases that come out as they expect", () => {
    const [text = ""] = fenced("jsonl")
    const cases = Result.getOrThrow(parseCases("README", text))
    assert.isAtLeast(cases.length, 3)
    for (const { alias, command, expect, tags } of cases) {
      assert.strictEqual(decideOn(command, tags, alias)._tag, expect === "allow" ? "Allowed" : "Denied", command)
    }
  })

  it("says what a pattern covers and what it does not", () => {
    const rows = tableOf("pattern")
    assert.isAtLeast(rows.length, 8)
    for (const [patterns = [], covered = [], others = []] of rows) {
      const policy = policyOf({ rules: [{ action: "allow", commands: patterns }] })
      const tag = (command: string) => decide(policy, { alias: "web-1", tags: [] }, command)._tag
      for (const command of covered) assert.strictEqual(tag(command), "Allowed", `${patterns[0]}: ${command}`)
      for (const command of others) assert.strictEqual(tag(command), "Denied", `${patterns[0]}: ${command}`)
    }
  })

  it("says what is accepted and what is refused of the shell language", () => {
    const accepted = tableOf("accepted").flatMap((row) => row[1] ?? [])
    const refused = tableOf("refused").flatMap((row) => row[0] ?? [])
    assert.isTrue(accepted.length >= 15 && refused.length >= 12)
    for (const text of accepted) {
      const parsed = parseCommand(text)
      assert.isTrue(Result.isSuccess(parsed), `${text}: ${Result.isFailure(parsed) ? parsed.failure.reason : ""}`)
    }
    const anything = policyOf({ rules: [{ action: "allow", commands: ["*"], redirect_write: ["*"] }] })
    for (const text of refused) {
      assert.strictEqual(decide(anything, { alias: "web-1", tags: [] }, text)._tag, "Denied", text)
    }
  })
})
