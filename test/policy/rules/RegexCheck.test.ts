import { assert, describe, it } from "@effect/vitest"
import { Option, Schema } from "effect"
import { checkPolicyDocument, PolicyDocument } from "../../../src/policy/PolicyDocument.ts"
import { decodeDocument } from "../corpus.ts"
import { allowProblems, hasProblems, lineOf, problemsOf } from "./Problems.ts"

describe("regular expressions at load", () => {
  it("that RE2 takes are no problem, in a rule that allows or denies, beside either language", () => {
    hasProblems(allowProblems({ commands_regex: ["uptime( -[ps])?", "^df -h$", "(?i)uname -A"] }), [])
    hasProblems(problemsOf({ rules: [{ action: "deny", commands_regex: [".*"] }] }), [])
    hasProblems(allowProblems({ commands: ["uptime"], commands_regex: ["df"] }), [])
    hasProblems(allowProblems({ simple_binaries: ["uptime"], commands_regex: ["df"] }), [])
  })

  it.each([
    "(?=a)b",
    "(?!a)b",
    "(?<=a)b",
    "(a)\\1",
    "a{1001}",
    "(?:a{0,1000}){0,1000}",
    "(",
    "[",
    "a**",
    "(?P<n",
    "\\"
  ])("%s is an error with its place and RE2's reason", (source) => {
    hasProblems(allowProblems({ commands_regex: ["uptime", source] }), [
      /^error rules\.0\.commands_regex\.1: is no regular expression of RE2: ./
    ])
  })

  it("of more than 512 characters are refused, and of 512 are not", () => {
    const decode = Schema.decodeUnknownOption(PolicyDocument, { onExcessProperty: "error" })
    const rule = (length: number) => ({ rules: [{ action: "allow", commands_regex: ["a".repeat(length)] }] })
    assert.isTrue(Option.isNone(decode(rule(513))))
    assert.isTrue(Option.isSome(decode(rule(512))))
  })

  it("are at most 500 in a file", () => {
    const rules = (count: number) => [
      { action: "allow", commands_regex: Array.from({ length: count }, (_, n) => `a${n}`) }
    ]
    hasProblems(problemsOf({ rules: rules(501) }), [/^error rules: holds 501 regular expressions \(at most 500\)/])
    hasProblems(problemsOf({ rules: rules(500) }), [])
  })

  it("are errors without an engine, since a deny rule could not be kept", () => {
    const document = decodeDocument({ version: 3, rules: [{ action: "deny", commands_regex: ["rm .*"] }] })
    hasProblems(checkPolicyDocument(document).map(lineOf), [/^error rules\.0\.commands_regex\.0: cannot be used/])
  })
})
