import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { execFileSync } from "node:child_process"
import { joinWords } from "../../src/cli/ShellWords.ts"

const Word = Schema.String.check(Schema.isPattern(/^[ -~\n\tä€]*$/))

describe("joinWords", () => {
  it("passes a single word on as the command text that it is", () => {
    assert.strictEqual(joinWords(["df -h | sort"]), "df -h | sort")
  })

  it("quotes only what a shell would take for something else", () => {
    assert.strictEqual(joinWords(["ls", "-l", "/var/log"]), "ls -l /var/log")
    assert.strictEqual(joinWords(["cat", "my file", "$HOME", "it's", ""]), "cat 'my file' '$HOME' 'it'\\''s' ''")
  })

  it("does not let the first word become an assignment or grammar", () => {
    assert.strictEqual(joinWords(["A=1", "b"]), "'A=1' b")
    assert.strictEqual(joinWords(["if", "b"]), "'if' b")
  })

  it.prop(
    "a shell reads back the very words",
    [Schema.Array(Word).check(Schema.isMinLength(1))],
    ([words]) => {
      const text = joinWords(["printf", "%s\\0", ...words])
      const read = execFileSync("/bin/sh", ["-c", text]).toString("utf8").split("\0").slice(0, -1)
      assert.deepStrictEqual(read, words)
    },
    { arbitrary: { runs: 50, seed: "cli" } }
  )
})
