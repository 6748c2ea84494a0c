import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import * as library from "../src/index.ts"

describe("the library", () => {
  it("has the version of package.json", () => {
    const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"))
    assert.strictEqual(library.VERSION, version)
  })
})
