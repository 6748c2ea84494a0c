import { execFileSync } from "node:child_process"
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Effect, Schema } from "effect"
import { quoteCommand } from "../../../src/policy/shell/Quote.ts"

/** Characters that shells treat specially somewhere, and some that they should not. */
const ALPHABET = " \t\n'\"\\$`!#&()*;<>?[]{}|~=%^@:,./+-_aA0é日🚀".match(/./gsu) ?? []

const Words = Schema.Array(
  Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: ALPHABET.length - 1 })))
)

const SHELLS: ReadonlyArray<readonly [program: string, ...args: ReadonlyArray<string>]> = [
  ["bash", "--norc", "--noprofile"],
  ["dash"]
]

describe("the canonical text", () => {
  it.effect("is read by real shells as exactly the decoded words", () =>
    Effect.gen(function* () {
      const samples = yield* Arbitrary.sampleEffect(Arbitrary.schema(Words), { count: 400, seed: 7 })
      const fixed = [
        ...ALPHABET.map((each) => [each, `${each}x`, `x${each}`, `${each}${each}`]),
        ["", "a=b", "~", "if"]
      ]
      const cases = [
        ...fixed,
        ...samples.map((words) => words.map((word) => word.map((index) => ALPHABET[index]).join("")))
      ]
      // Each case prints its words NUL-terminated, and then a word that no case holds.
      const script = cases.map((words) => quoteCommand(["show", ...words])).join("\n")
      const expected = cases.map((words) => [...words, "\u0001"].map((word) => `${word}\0`).join("")).join("")
      for (const [shell, ...args] of SHELLS) {
        const printed = execFileSync(
          shell,
          [...args, "-c", `show() { for w; do printf '%s\\0' "$w"; done; printf '\\001\\0'; }\n${script}`],
          {
            encoding: "utf8",
            maxBuffer: 64 * 1024 * 1024
          }
        )
        assert.strictEqual(printed, expected, shell)
      }
    })
  )

  it("is read by real shells as the name of a program, whatever it looks like", () => {
    const names =
      "if then else elif fi for in do done while until case esac function select time coproc a=b a+=b { } ! [[ ]] ~x é repeat foreach".split(
        " "
      )
    const directory = mkdtempSync(join(tmpdir(), "names-"))
    try {
      for (const name of names) {
        writeFileSync(join(directory, name), '#!/bin/sh\nprintf \'%s|\' "${0##*/}" "$@"\n')
        chmodSync(join(directory, name), 0o755)
      }
      const script = names.map((name) => quoteCommand([name, "x"])).join("\n")
      for (const [shell, ...args] of SHELLS) {
        const printed = execFileSync(shell, [...args, "-c", script], {
          encoding: "utf8",
          env: { PATH: `${directory}:/usr/bin:/bin` }
        })
        assert.strictEqual(printed, names.map((name) => `${name}|x|`).join(""), shell)
      }
    } finally {
      rmSync(directory, { recursive: true })
    }
  })
})
