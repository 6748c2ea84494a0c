import { assert, describe, it } from "@effect/vitest"
import { Option, Result, Schema } from "effect"
import { decodeCredentials } from "../../src/config/Credentials.ts"
import type { Decoded } from "../../src/config/Decoded.ts"
import { CredentialEntry } from "../../src/config/CredentialEntry.ts"
import { checkHostname, HostRecord } from "../../src/config/Host.ts"
import { Alias, SecretName, Tag } from "../../src/config/Names.ts"
import { formatProblem } from "../../src/config/Problem.ts"
import { decodeServers } from "../../src/config/Servers.ts"
import { editDistance, nearestName } from "../../src/config/Suggestion.ts"
import { parseYamlFile, type YamlFile } from "../../src/config/YamlFile.ts"

const read = (text: string): YamlFile => Result.getOrThrow(parseYamlFile("x.yml", new TextEncoder().encode(text)))
const isAccepted = (decoded: Decoded<unknown>): boolean => Option.isSome(decoded.value)

/** Parts of valid entries; the rest of an entry is fixed, since its text matters only to its own checks. */
const Host = Schema.Struct({
  alias: Schema.String.check(Schema.isPattern(/^[a-z][a-z0-9.-]{0,20}$/u)),
  port: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 65_535 })),
  quoted: Schema.Boolean,
  tags: Schema.Array(Schema.Literals(["web", "db", "prod"])).check(Schema.isMaxLength(3))
})
const Servers = Schema.Array(Host).check(Schema.isMaxLength(8))

const unique = (hosts: typeof Servers.Type) => [...new Map(hosts.map((host) => [host.alias, host])).values()]

const write = (hosts: typeof Servers.Type): ReadonlyArray<string> => [
  "hosts:",
  ...hosts.flatMap(({ alias, port, quoted, tags }) => [
    `  - alias: ${JSON.stringify(alias)}`,
    "    host: 10.0.0.1",
    `    port: ${quoted ? `"${port}"` : port}`,
    `    tags: [${tags.join(", ")}]`
  ])
]

describe("the decoder", () => {
  it.prop("reads back every valid inventory, in order", { hosts: Servers }, ({ hosts: drawn }) => {
    const hosts = unique(drawn)
    const { problems, value } = decodeServers(read(write(hosts).join("\n")))
    assert.deepStrictEqual(problems, [])
    assert.deepStrictEqual(
      Option.getOrThrow(value).map(({ alias, port, tags }) => ({ alias, port, tags })),
      hosts.map(({ alias, port, tags }) => ({ alias, port, tags }))
    )
  })
  it.prop(
    "a misspelt key anywhere is one error at its line and column",
    {
      hosts: Servers.check(Schema.isMinLength(1)),
      at: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1000 })),
      key: Schema.Literals(["prot", "aliass", "hsot", "tag", "descripton", "credential", "forward_agent", "jmup"]),
      empty: Schema.Boolean
    },
    ({ at, empty, hosts: drawn, key }) => {
      const hosts = unique(drawn)
      const lines = [...write(hosts)]
      const index = at % hosts.length
      const line = 1 + index * 4 + 1 + (at % 4)
      lines.splice(line, 0, `    ${key}:${empty ? "" : " x"}`)
      const decoded = decodeServers(read(lines.join("\n")))
      assert.isFalse(isAccepted(decoded))
      assert.deepStrictEqual(
        decoded.problems.map(({ column, key, line, severity }) => ({ column, key, line, severity })),
        [{ severity: "error", line: line + 1, column: 5, key: `hosts[${index}].${key}` }]
      )
    }
  )
  it.prop("an unknown key of a credential is an error", { key: Schema.NonEmptyString }, ({ key }) => {
    if (key in CredentialEntry.fields || ["__proto__", "constructor", "prototype"].includes(key)) return
    const parsed = parseYamlFile(
      "x.yml",
      new TextEncoder().encode(`entries:\n  - name: a\n    username: b\n    ${JSON.stringify(key)}: 1\n`)
    )
    if (Result.isFailure(parsed)) return
    assert.isFalse(isAccepted(decodeCredentials(parsed.success)))
  })
  it.prop("any bytes give a file or problems", { text: Schema.String }, ({ text }) => {
    const parsed = parseYamlFile("x.yml", new TextEncoder().encode(text))
    if (Result.isSuccess(parsed)) decodeServers(parsed.success)
    else assert.isNotEmpty(parsed.failure)
  })
  it("no text of a problem is longer than a screen or has control characters", () => {
    const long = "k".repeat(1_000)
    const decoded = decodeServers(read(`hosts: []\n"${long}\\u001b[31m": 1\n"\\u202e\\u0007": 1`))
    for (const problem of decoded.problems.map(formatProblem)) {
      assert.isBelow(problem.length, 1000)
      assert.notMatch(problem, /\p{C}/u)
    }
    assert.strictEqual(decoded.problems.length, 2)
  })
})

describe("hosts to connect to", () => {
  const accepted = [
    "web1",
    "web-1.example.com",
    "web.example.com.",
    "10.0.0.5",
    "::1",
    "2001:db8::1",
    "a_b",
    "1host",
    "host1.2x"
  ]
  const refused = [
    "10.0.0.5\u0000.example",
    "10.0.0.5 ",
    "a b",
    "a\nb",
    "0x7f.1",
    "0177.0.0.1",
    "127.1",
    "2130706433",
    "10.0.0.256",
    "1.2.3.4.5",
    "web.1",
    "web.0x1f",
    "[::1]",
    "fe80::1%eth0",
    "10.0.0.5:22",
    "web:22",
    "root@web",
    "-oProxyCommand=id",
    "web;id",
    "web$(id)",
    "wéb",
    "a..b",
    ".a",
    "..",
    "a".repeat(64),
    `${"a.".repeat(130)}a`
  ]
  it.each(accepted)("%s is accepted", (host) => assert.isTrue(Option.isNone(checkHostname(host))))
  it.each(refused)("%j is refused", (host) => assert.isTrue(Option.isSome(checkHostname(host))))
})

describe("names", () => {
  const message = (schema: Schema.Codec<unknown, unknown>, input: unknown) => {
    const decoded = Schema.decodeUnknownResult(schema, { errors: "all" })(input)
    return Result.isFailure(decoded) ? decoded.failure.message : "accepted"
  }
  it("have the original's texts, one each", () => {
    const invalid = "contains invalid characters (only alphanumeric, dot, dash, underscore allowed)"
    assert.strictEqual(message(Alias, ""), "alias is required")
    assert.strictEqual(message(Alias, "a".repeat(101)), "alias too long (max 100 characters)")
    assert.strictEqual(message(Alias, "a b"), `alias ${invalid}`)
    assert.strictEqual(message(Alias, "-a"), `alias ${invalid}`)
    assert.strictEqual(message(Alias, "a\n"), `alias ${invalid}`)
    assert.strictEqual(message(Alias, "a".repeat(100)), "accepted")
    assert.strictEqual(message(Tag, ""), "tag is required")
    assert.strictEqual(message(Tag, "a".repeat(51)), "tag too long (max 50 characters)")
    assert.strictEqual(message(Tag, "a,b"), `tag ${invalid}`)
    assert.include(message(SecretName, "../x"), "secret name contains invalid characters")
  })
  it("carry their bounds and pattern into JSON Schema", () => {
    assert.deepInclude(Schema.toJsonSchemaDocument(Alias).schema, {
      type: "string",
      minLength: 1,
      maxLength: 100,
      pattern: "^[A-Za-z0-9_.][A-Za-z0-9._-]{0,99}$"
    })
  })
})

describe("suggestions", () => {
  it("count inserts, deletes, replacements and swaps", () => {
    assert.strictEqual(editDistance("port", "port"), 0)
    assert.strictEqual(editDistance("prot", "port"), 1)
    assert.strictEqual(editDistance("", "abc"), 3)
    assert.strictEqual(editDistance("kitten", "sitting"), 3)
  })
  it("are near in proportion to the length", () => {
    const names = Object.keys(HostRecord.fields)
    assert.strictEqual(nearestName("Tags", names), "tags")
    assert.strictEqual(nearestName("descriptoin", names), "description")
    assert.isUndefined(nearestName("os", names))
    assert.isUndefined(nearestName("owner", names))
    assert.isUndefined(nearestName("x".repeat(1_000_000), names))
  })
})
