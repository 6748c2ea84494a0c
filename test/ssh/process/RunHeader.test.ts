import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { headerSearch, MAX_NOISE_BYTES, searchHeader } from "../../../src/ssh/process/RunHeader.ts"
import type { HeaderSearch } from "../../../src/ssh/process/RunHeader.ts"

const TAG = "00112233445566778899aabbccddeeff"

/** Feeds text in pieces and gives the end of the search, everything that passed, and what is still held. */
const feed = (pieces: ReadonlyArray<string>) => {
  let search: HeaderSearch = headerSearch
  let passed = ""
  for (const piece of pieces) {
    const step = searchHeader(search, TAG, Buffer.from(piece))
    search = step.search
    passed += step.pass.toString()
  }
  if (search._tag === "Searching") passed += search.held.toString()
  return { search, passed }
}

const split = (text: string, cuts: ReadonlyArray<number>): ReadonlyArray<string> => {
  const at = [...new Set(cuts.map((cut) => cut % (text.length + 1)))].sort((a, b) => a - b)
  return [0, ...at].map((from, index) => text.slice(from, at[index] ?? text.length))
}

describe("the header", () => {
  it.effect.prop(
    "is found and removed however the bytes are split, with the noise around it kept",
    { before: Schema.String, after: Schema.String, cuts: Schema.Array(Schema.Natural) },
    ({ after, before, cuts }) =>
      Effect.sync(() => {
        const clean = (text: string) => text.replace(/[^ -~\n]/g, "?").slice(0, 200)
        const noise = `MCPRUN ${TAG.slice(0, 9)}${clean(before)}`
        const { passed, search } = feed(split(`${noise}MCPRUN ${TAG} 4711\n${clean(after)}`, cuts))
        assert.deepStrictEqual(search, { _tag: "Found", pid: 4711, shell: undefined })
        assert.strictEqual(passed, noise + clean(after))
      })
  )

  it("may end with what the login shell is", () => {
    for (const shell of ["posix", "other", "foreign"] as const) {
      const { passed, search } = feed(["noise\n", `MCPRUN ${TAG} 12 ${shell}`, "\nout"])
      assert.deepStrictEqual(search, { _tag: "Found", pid: 12, shell })
      assert.strictEqual(passed, "noise\nout")
    }
    assert.deepStrictEqual(feed([`MCPRUN ${TAG} 12 rc\n`]).search, { _tag: "Found", pid: 12, shell: undefined })
    assert.strictEqual(feed([`MCPRUN ${TAG} 12 posix x\n`]).search._tag, "GivenUp")
  })

  it("is given up on after 64 KiB of noise, none of which is lost", () => {
    const noise = "x".repeat(MAX_NOISE_BYTES)
    const { passed, search } = feed([noise, "MCPRU", "y"])
    assert.strictEqual(search._tag, "GivenUp")
    assert.strictEqual(passed, `${noise}MCPRUy`)
  })

  it("is not what another tag or no pid follows", () => {
    assert.strictEqual(feed([`MCPRUN ${"f".repeat(32)} 12\n`]).search._tag, "Searching")
    assert.strictEqual(feed([`MCPRUN ${TAG} 0\n`]).search._tag, "GivenUp")
    assert.strictEqual(feed([`MCPRUN ${TAG} x\n`]).search._tag, "GivenUp")
    assert.strictEqual(feed([`MCPRUN ${TAG} ${"1".repeat(40)}`]).search._tag, "GivenUp")
    assert.strictEqual(feed([`MCPRUN ${TAG} 12`]).search._tag, "Searching")
  })
})
