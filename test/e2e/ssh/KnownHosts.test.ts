import { assert, describe, it } from "@effect/vitest"
import { NodeFileSystem } from "@effect/platform-node"
import { Arbitrary, Effect, FileSystem, Schema } from "effect"
import { execFile, execFileSync } from "node:child_process"
import { fingerprint } from "../../../src/ssh/trust/Fingerprint.ts"
import { KnownHosts } from "../../../src/ssh/trust/KnownHosts.ts"
import { lookupName } from "../../../src/ssh/trust/KnownHostsLine.ts"
import { hashedName } from "../../ssh/trust/PublicKeys.ts"

const HOSTS = ["web", "WEB1", "db.Example.org", "a.b.example.org", "192.0.2.1", "2001:DB8::1", "x", "192.0.2.10"]
const PORTS = [22, 2222, 65_535]
const NAMES = HOSTS.flatMap((host) => PORTS.map((port) => lookupName(host, port)))
const PATTERNS = [
  ...NAMES,
  "*",
  "web*",
  "WEB?",
  "*.example.org",
  "!db.example.org",
  "?",
  "192.0.2.*",
  "192.0.2.1?",
  "[*]:2222",
  "[web*]:*",
  "!web",
  "!*",
  "2001:db8:*",
  "",
  "[",
  "*:*:*",
  "\u00e9"
]

const index = (below: number) => Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: below - 1 }))

/** One line of a file, as indices into the tables of this test. */
const Line = Schema.Struct({
  marker: index(12),
  hashed: index(3),
  patterns: Schema.Array(index(PATTERNS.length)).check(Schema.isBetweenLength(1, 4)),
  key: index(3),
  damage: index(36),
  comment: index(3),
  separator: index(6)
})
const File = Schema.Array(Line).check(Schema.isBetweenLength(16, 40))

const makeKeys = (directory: string) =>
  ["ed25519", "ecdsa", "rsa"].map((type) => {
    const path = `${directory}/${type}`
    execFileSync("ssh-keygen", ["-q", "-t", type, ...(type === "rsa" ? ["-b", "2048"] : []), "-N", "", "-f", path])
    const [name = "", base64 = ""] = execFileSync("ssh-keygen", ["-y", "-f", path], { encoding: "utf8" }).split(" ")
    return { name, base64: base64.trim() }
  })

const MARKERS = ["@revoked ", "@cert-authority ", "@strange ", "@revoked @cert-authority ", "@ "]

const write = (line: typeof Line.Type, keys: ReturnType<typeof makeKeys>): string => {
  const key = keys[line.key] ?? { name: "", base64: "" }
  const other = keys[(line.key + 1) % 3] ?? key
  const hosts =
    line.hashed === 0
      ? hashedName(NAMES[(line.patterns[0] ?? 0) % NAMES.length] ?? "")
      : line.patterns.map((each) => PATTERNS[each]).join(",")
  const gap = line.separator === 0 ? "\t" : line.separator === 1 ? " \t  " : " "
  const comment = ["", " a comment", "\t# with a tab\r"][line.comment] ?? ""
  const field = [
    `${hosts}${gap}${key.name}${gap}${key.base64}`,
    `${hosts}${gap}${key.name}`,
    hosts,
    `${hosts}${gap}${key.name}${gap}${key.base64.slice(0, -9)}`,
    `${hosts}${gap}${key.name}${gap}${other.base64}`,
    `${hosts}${gap}unknown-type${gap}${key.base64}`,
    `${hosts}${gap}rsa-sha2-512${gap}${key.base64}`,
    `#${hosts}${gap}${key.name}${gap}${key.base64}`,
    `  ${hosts}${gap}${key.name}${gap}${key.base64}`,
    `${hosts}${gap}${key.name}${gap}${key.base64.slice(0, 20)}!${key.base64.slice(21)}`,
    `${hosts.replace("|1|", "|2|")}${gap}${key.name}${gap}${key.base64}`,
    `${hosts.replace("=|", "|")}${gap}${key.name}${gap}${key.base64}`
  ]
  return `${MARKERS[line.marker] ?? ""}${field[line.damage] ?? field[0]}${comment}`
}

/** The numbers of the lines that OpenSSH uses for a name, with the fingerprints of their keys: `-l` reads those too. */
const opensshLines = (file: string, name: string) =>
  Effect.callback<ReadonlyArray<string>>((resume) => {
    execFile("ssh-keygen", ["-l", "-F", name, "-f", file], (_error, stdout) => {
      const found = [...stdout.matchAll(/found: line (\d+).*\n.*?(SHA256:\S+)/g)]
      resume(Effect.succeed(found.map(([, line, print]) => `${line} ${print}`)))
    })
  })

describe("looking a host up", () => {
  it.live("finds the lines and the keys that ssh-keygen -F finds, in random files", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const directory = yield* fs.makeTempDirectoryScoped({ prefix: "known-hosts-" })
      const keys = makeKeys(directory)
      const files = yield* Arbitrary.sampleEffect(Arbitrary.schema(File), { count: 40, seed: 11 })
      let compared = 0
      let broken = 0
      yield* Effect.forEach(
        files.map((lines) => lines.map((line) => write(line, keys)).join("\n")),
        Effect.fnUntraced(function* (text, at) {
          const path = `${directory}/file-${at}`
          yield* fs.writeFile(path, Buffer.from(text, "latin1"))
          const known = new KnownHosts(text)
          broken += text.split("\n").length - known.lines.length
          const names = NAMES.filter((_, position) => (position + at) % 3 === 0)
          for (const name of names) {
            const ours = known.linesFor(name).map((line) => `${line.line} ${fingerprint(line.key)}`)
            assert.deepStrictEqual(ours, yield* opensshLines(path, name), `${name} in\n${text}`)
            compared += ours.length
          }
        }),
        { concurrency: 4 }
      )
      assert.isAbove(compared, 100, "the files hold something to find")
      assert.isAbove(broken, 100, "and broken lines")
    }).pipe(Effect.scoped, Effect.provide(NodeFileSystem.layer))
  )
})
