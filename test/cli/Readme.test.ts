import { readFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { Option, Result } from "effect"
import type { Decoded } from "../../src/config/Decoded.ts"
import { decodeCredentials } from "../../src/config/Credentials.ts"
import { decodeServers } from "../../src/config/Servers.ts"
import { parseYamlFile, type YamlFile } from "../../src/config/YamlFile.ts"

const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8")

/** The YAML snippets that begin with the name of this file. */
const snippets = (name: string): ReadonlyArray<YamlFile> =>
  [...readme.matchAll(/^```yaml\n([\s\S]*?)^```/gm)]
    .map((match) => match[1] ?? "")
    .filter((text) => text.startsWith(`# ${name}`))
    .map((text) => Result.getOrThrow(parseYamlFile(name, new TextEncoder().encode(text))))

const loads = (found: ReadonlyArray<Decoded<ReadonlyArray<unknown>>>): void => {
  for (const { problems, value } of found) {
    assert.deepStrictEqual(problems, [])
    assert.isTrue(Option.isSome(value) && value.value.length > 0)
  }
}

describe("the README's inventories and logins", () => {
  it("load without a problem", () => {
    const servers = snippets("servers.yml")
    const credentials = snippets("credentials.yml")
    assert.deepStrictEqual([servers.length, credentials.length], [2, 1])
    loads(servers.map(decodeServers))
    loads(credentials.map(decodeCredentials))
  })
})
